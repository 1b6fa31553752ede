// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Which operands and results a gradient rule computes with is a property of the operator (and of a mode): not
 * of extents, nor of which results are differentiated. A tape that saves values relies on it.
 */
class GradientReadsTest {
    @TestFactory
    Stream<DynamicTest> doNotDependOnExtents() {
        return Operators.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> checkSamples(op)));
    }

    private static void checkSamples(Op op) {
        Map<Object, BitSet> known = new HashMap<>();
        for (Sample s : op.samples()) {
            List<Type> in = s.inputs().stream().map(a -> a.type()).toList();
            if (in.isEmpty() || !in.get(0).dtype().isFloat()) continue;
            Object mode =
                    switch (s.op()) {
                        case Put p -> p.mode();
                        case Scatter p -> p.mode();
                        case Slice p -> p.live();
                        case Loop p -> p;
                        default -> in.size();
                    };
            List<Type> out = s.op().infer(in);
            BitSet all = new Probe(in, out, -1).run(s.op());
            assertEquals(known.computeIfAbsent(mode, _ -> all), all, s::toString);
            for (int i = 0; i < out.size(); i++) {
                if (!out.get(i).dtype().isFloat()) continue;
                BitSet more = new Probe(in, out, i).run(s.op());
                more.andNot(all);
                assertTrue(more.isEmpty(), s + ": with result " + i + " alone it reads " + more + " too");
            }
        }
    }

    /** A value without elements; {@code place} is its place among operands, then results, or -1. */
    private record Ghost(Type type, int place) {}

    /** Runs a rule on types and notes what it computes with; {@code only} is the result that a gradient flows into, -1: all. */
    private static final class Probe implements Emitter<Ghost>, GradCall<Ghost> {
        private final List<Ghost> operands = new ArrayList<>();
        private final List<Ghost> results = new ArrayList<>();
        private final BitSet used = new BitSet();
        private final int only;

        Probe(List<Type> in, List<Type> out, int only) {
            for (Type t : in) operands.add(new Ghost(t, operands.size()));
            for (Type t : out) results.add(new Ghost(t, in.size() + results.size()));
            this.only = only;
        }

        BitSet run(Op op) {
            for (Ghost g : op.gradient(this)) if (g != null) use(g);
            return used;
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
            return only < 0 || only == i;
        }

        @Override
        public boolean needs(int i) {
            return operands.get(i).type.dtype().isFloat();
        }
    }
}
