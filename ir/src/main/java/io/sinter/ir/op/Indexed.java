// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import java.util.Arrays;
import java.util.List;

/**
 * Operators whose element positions come from data. Indices are i64; negative ones count from the end; one
 * that is out of bounds ends the run in an {@link IndexOutOfBoundsException} that names operator, value and
 * bound, and nothing outside the buffer is touched.
 */
public sealed interface Indexed extends Op permits Take, Put, Gather, Scatter, CheckIndex {

    /**
     * How a {@link Put} or {@link Scatter} reads and writes at its indices: what their common gradient is
     * made of.
     */
    interface Places<V> {
        /** The elements of {@code x} at the indices, in src's shape. */
        V read(V x);

        /** {@code src} written into {@code x} at the indices. */
        V write(Put.Mode mode, V x, V src);
    }

    /**
     * The gradients of writing src (operand 2) into x (operand 0), as PyTorch's index_copy, index_add,
     * index_reduce, scatter, scatter_add and scatter_reduce: for SET every source is taken to have won its
     * place (right where indices are unique); MAX and MIN share evenly among ties. MUL is exact at zeros in
     * the first derivative, and in further ones where no source is zero.
     */
    static <V> List<V> writeGradient(GradCall<V> call, Put.Mode mode, Places<V> at) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        V src = call.in(2);
        V g = call.grad();
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        return switch (mode) {
            case SET -> Arrays.asList(at.write(Put.Mode.SET, g, e.zerosLike(src)), null, at.read(g));
            case ADD -> Arrays.asList(g, null, at.read(g));
            case MUL -> {
                V zero = e.constant(src, 0);
                V one = e.constant(src, 1);
                V ones = e.expand(one, e.type(x).shape());
                V isZero = e.binary(Binary.EQ, src, zero);
                // A source gets x times the other sources of its place: the product without zeros,
                // times the zeros among the others.
                V nonZero = at.write(Put.Mode.MUL, ones, e.where(isZero, one, src));
                V zeros = at.read(at.write(
                        Put.Mode.ADD, e.zerosLike(x), e.cast(isZero, e.type(src).dtype())));
                V others = e.div(at.read(nonZero), e.where(isZero, one, src));
                V only = e.binary(Binary.EQ, zeros, e.where(isZero, one, zero));
                yield Arrays.asList(
                        e.mul(g, at.write(Put.Mode.MUL, ones, src)),
                        null,
                        e.where(only, e.mul(at.read(e.mul(g, x)), others), zero));
            }
            case MAX, MIN -> {
                V y = call.out(0);
                V xWins = e.cast(e.binary(Binary.EQ, x, y), e.type(x).dtype());
                V srcWins =
                        e.cast(e.binary(Binary.EQ, src, at.read(y)), e.type(x).dtype());
                V share = e.div(g, at.write(Put.Mode.ADD, xWins, srcWins));
                yield Arrays.asList(e.mul(xWins, share), null, e.mul(srcWins, at.read(share)));
            }
        };
    }

    /** The mode's checks that Put and Scatter share: one dtype, and one that the mode is defined for. */
    static void checkMode(Op op, List<Type> in, Put.Mode mode) {
        if (in.get(0).dtype() != in.get(2).dtype()) {
            throw OpException.of(
                    op.name(),
                    in,
                    "source is %s, destination %s; cast one to the other's dtype",
                    in.get(2).dtype(),
                    in.get(0).dtype());
        }
        if (in.get(0).dtype().isBool() && mode != Put.Mode.SET) {
            throw OpException.of(op.name(), in, "mode %s is not defined for bool; cast to a number type first", mode);
        }
    }
}
