// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Which operands and results of an operator its gradient rule computes with, rather than asking for their types only. Found by running
 * the rule on values that have a type and remember where they come from.
 */
public final class GradientReads implements Emitter<GradientReads.Ghost>, GradCall<GradientReads.Ghost> {
    /** A value without elements; {@code place} is its place among operands, then results, or -1. */
    public record Ghost(Type type, int place) {}

    private final List<Ghost> operands = new ArrayList<>();
    private final List<Ghost> results = new ArrayList<>();
    private final IntPredicate needs;
    private final IntPredicate flows;
    private final BitSet used = new BitSet();

    private GradientReads(List<Type> in, List<Type> out, IntPredicate needs, IntPredicate flows) {
        for (Type t : in) operands.add(new Ghost(t, operands.size()));
        for (Type t : out) results.add(new Ghost(t, in.size() + results.size()));
        this.needs = needs;
        this.flows = flows;
    }

    /**
     * What the rule computes with.
     *
     * @param in types of the operands
     * @param out types of the results
     * @param needs whether an operand's gradient is wanted
     * @param flows whether a gradient flows into a result
     * @return a bit per operand, then one per result
     */
    public static BitSet of(Op op, List<Type> in, List<Type> out, IntPredicate needs, IntPredicate flows) {
        GradientReads reads = new GradientReads(in, out, needs, flows);
        for (Ghost g : op.gradient(reads)) if (g != null) reads.use(g);
        return reads.used;
    }

    /** The same in one number: no operator that records tapes has more operands and results than it has bits. */
    public static long bits(BitSet reads) {
        if (reads.length() > Long.SIZE) throw new IllegalArgumentException(reads.length() + " operands and results");
        return reads.isEmpty() ? 0 : reads.toLongArray()[0];
    }

    private void use(Ghost g) {
        if (g.place >= 0) used.set(g.place);
    }

    @Override
    public List<Ghost> emit(Op op, List<Ghost> inputs) {
        inputs.forEach(this::use);
        return op.infer(inputs.stream().map(Ghost::type).toList()).stream()
                .map(t -> new Ghost(t, -1))
                .toList();
    }

    @Override
    public Type type(Ghost value) {
        return value.type;
    }

    @Override
    public Emitter<Ghost> e() {
        return this;
    }

    @Override
    public List<Ghost> inputs() {
        return operands;
    }

    @Override
    public Ghost out(int i) {
        return results.get(i);
    }

    @Override
    public Ghost grad(int i) {
        return new Ghost(results.get(i).type, -1);
    }

    @Override
    public boolean flows(int i) {
        return flows.test(i);
    }

    @Override
    public boolean needs(int i) {
        return needs.test(i);
    }
}
