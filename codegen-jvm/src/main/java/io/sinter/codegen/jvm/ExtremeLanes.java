// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.LoopEmitter.Accumulator;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Stmt;

/**
 * Vectors that accumulate a maximum or minimum of f32 as integers. One of floats that minds NaN and the signs of zeros is six instructions on x86, of which
 * each waits for the one before; these are three that wait for nothing. The bits of floats that are not negative are in the order of the floats, those of
 * negative ones in the opposite order. So the maximum is the largest integer, or, if that is negative, the smallest one without regard to signs; and the
 * largest without regard to signs tells of a NaN whose sign is set. The minimum is the same with the parts exchanged.
 */
final class ExtremeLanes {
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);
    private static final int NEGATIVE_INFINITY = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);

    private final boolean isMax;
    private final Species bits;
    /** The largest of integers with sign. */
    private final LocalVar most;
    /** The smallest: of a maximum without sign, of a minimum with it. */
    private final LocalVar least;
    /** The largest without sign. */
    private final LocalVar far;

    /** Declares the vectors, with what a loop over nothing gives. */
    ExtremeLanes(BodyCompiler c, Accumulator a, int lanes) {
        isMax = a.op() == Stmt.Combine.MAX;
        bits = new Species(DType.I32, lanes);
        most = start(c, a, "most", isMax ? NEGATIVE_INFINITY : Integer.MIN_VALUE);
        least = start(c, a, "least", isMax ? NEGATIVE_INFINITY : INFINITY);
        far = start(c, a, "far", 0);
    }

    private LocalVar start(BodyCompiler c, Accumulator a, String part, int value) {
        Code vector = Vec.bits(bits, value).code();
        LocalVar v = c.method.local(a.local().name() + "_" + part, vector.type());
        c.block().add(v.set(vector));
        return v;
    }

    /** Whether an accumulator can be held so. */
    static boolean suit(Accumulator a) {
        return a.local().dtype() == DType.F32 && (a.op() == Stmt.Combine.MAX || a.op() == Stmt.Combine.MIN);
    }

    Species species() {
        return bits;
    }

    /** Any of the vectors. */
    LocalVar variable() {
        return most;
    }

    /** Takes the lanes that run of a vector of floats into account. */
    void accumulate(BodyCompiler c, Vec x) {
        Code value = c.held(x.asBits().code());
        combine(c, value, value, value, c.active(bits));
    }

    /** Takes other lanes' extremes into account. */
    void merge(BodyCompiler c, ExtremeLanes other) {
        combine(c, other.most, other.least, other.far, null);
    }

    /** Takes the extremes of the lanes {@code by} further on into account. */
    void fold(BodyCompiler c, int by) {
        combine(c, rotated(c, most, by), rotated(c, least, by), rotated(c, far, by), null);
    }

    private Code rotated(BodyCompiler c, LocalVar v, int by) {
        return c.held(new Vec(bits, v).rotate(by).code());
    }

    private void combine(BodyCompiler c, Code m, Code l, Code f, Code mask) {
        c.block()
                .add(
                        most.set(with(most, "MAX", m, mask)),
                        least.set(with(least, isMax ? "UMIN" : "MIN", l, mask)),
                        far.set(with(far, "UMAX", f, mask)));
    }

    private Code with(LocalVar v, String operator, Code other, Code mask) {
        return new Vec(bits, v).binary(operator, new Vec(bits, other), mask).code();
    }

    /** The extreme of each lane: NaN if there was one. */
    Vec floats() {
        Vec m = new Vec(bits, most);
        Vec l = new Vec(bits, least);
        Vec f = new Vec(bits, far);
        Vec zero = Vec.bits(bits, 0);
        Vec nan = Vec.bits(bits, Float.floatToRawIntBits(Float.NaN));
        Vec extreme = isMax
                ? l.blend(m, m.compare("GE", zero)).blend(nan, f.compare("UGT", Vec.bits(bits, NEGATIVE_INFINITY)))
                : l.blend(f, f.compare("LT", zero)).blend(nan, m.compare("GT", Vec.bits(bits, INFINITY)));
        return extreme.reinterpret(bits.of(DType.F32));
    }
}
