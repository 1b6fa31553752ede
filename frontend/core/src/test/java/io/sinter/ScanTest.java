// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.nn.LSTM;
import io.sinter.nn.Linear;
import io.sinter.nn.RecurrentOptions;
import io.sinter.optim.Adam;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Loops of the program against loops of Java. */
class ScanTest {
    private static Tensor wave(double phase, long... shape) {
        int n = 1;
        for (long d : shape) n *= (int) d;
        double[] a = new double[n];
        for (int i = 0; i < n; i++) a[i] = Math.sin(0.7 * i + phase);
        return Tensor.from(a, shape);
    }

    /** h ← tanh(x + h · W); outputs are h and h². */
    private static List<Tensor> step(Tensor h, Tensor x, Tensor w) {
        Tensor next = x.add(h.matmul(w)).tanh();
        return List.of(next, next.mul(next));
    }

    private static List<Tensor> looped(Tensor h, Tensor x, Tensor w) {
        Scan.Result r = F.scan(List.of(h), List.of(x), (s, now) -> {
            List<Tensor> next = step(s.getFirst(), now.getFirst(), w);
            return Scan.next(List.of(next.getFirst()), next);
        });
        return List.of(r.state().getFirst(), r.outputs().get(0), r.outputs().get(1));
    }

    private static List<Tensor> loopedCell(Tensor h, Tensor x, Tensor w) {
        Scan.Result r = F.scan(List.of(h), List.of(x), List.of(w), CELL);
        return List.of(r.state().getFirst(), r.outputs().get(0), r.outputs().get(1));
    }

    private static final Scan.Cell CELL = (state, now, weights) -> {
        List<Tensor> next = step(state.getFirst(), now.getFirst(), weights.getFirst());
        return Scan.next(List.of(next.getFirst()), next);
    };

    private static List<Tensor> unrolled(Tensor h, Tensor x, Tensor w) {
        List<Tensor> outputs = new ArrayList<>();
        List<Tensor> squares = new ArrayList<>();
        for (Tensor now : x.unbind(0)) {
            List<Tensor> next = step(h, now, w);
            h = next.getFirst();
            outputs.add(h);
            squares.add(next.getLast());
        }
        return List.of(h, F.stack(outputs, 0), F.stack(squares, 0));
    }

    private interface Form {
        List<Tensor> apply(Tensor h, Tensor x, Tensor w);
    }

    /** Values and gradients, of first and second order. */
    private static double[] all(Form f) {
        Tensor h = wave(0.1, 2, 3).requiresGrad_();
        Tensor x = wave(0.2, 5, 2, 3).requiresGrad_();
        Tensor w = wave(0.3, 3, 3).requiresGrad_();
        List<Tensor> r = f.apply(h, x, w);
        Tensor loss = r.get(0)
                .sum()
                .add(r.get(1).mul(wave(0.5, 5, 2, 3)).sum())
                .add(r.get(2).sum());
        List<Tensor> g = Autograd.grad(List.of(loss), List.of(h, x, w), null, true, true, false);
        Tensor second = g.get(0)
                .square()
                .sum()
                .add(g.get(1).square().sum())
                .add(g.get(2).square().sum());
        second.backward();
        List<Double> out = new ArrayList<>();
        for (Tensor t : r) for (double v : t.toDoubles()) out.add(v);
        for (Tensor t : g) for (double v : t.toDoubles()) out.add(v);
        for (Tensor t : List.of(h, x, w)) for (double v : t.grad().toDoubles()) out.add(v);
        return out.stream().mapToDouble(Double::doubleValue).toArray();
    }

    @Test
    void isTheUnrolledLoop() {
        double[] expected = all(ScanTest::unrolled);
        assertArrayEquals(expected, all(ScanTest::looped), 1e-9);
        // The second time it is not traced.
        for (int i = 0; i < 2; i++) assertArrayEquals(expected, all(ScanTest::loopedCell), 1e-9);
    }

    /** Equal where {@code name} and {@code factor} are; counts how often it is traced. */
    private record Counting(String name, int factor, List<Tensor> outside) implements Scan.Cell {
        private static int traced;

        @Override
        public Scan.Next apply(List<Tensor> state, List<Tensor> slices, List<Tensor> weights) {
            traced++;
            Tensor sum = state.getFirst().mul(weights.getFirst()).add(slices.getFirst());
            if (factor < 0) sum = sum.neg();
            for (Tensor x : outside) sum = sum.add(x);
            return Scan.next(List.of(sum), List.of(sum));
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Counting c && name.equals(c.name) && factor == c.factor;
        }

        @Override
        public int hashCode() {
            return name.hashCode();
        }

        /** How often it is traced to be run from {@code h} on, and the outputs. */
        int tracedFor(Tensor h, Tensor x, Tensor w, boolean reverse, Tensor expected) {
            int before = traced;
            Scan.Result r = reverse
                    ? F.scanReverse(List.of(h), List.of(x), List.of(w), this)
                    : F.scan(List.of(h), List.of(x), List.of(w), this);
            assertArrayEquals(expected.toDoubles(), r.outputs().getFirst().toDoubles(), 1e-12);
            return traced - before;
        }
    }

    @Test
    void cellsAreTracedOnce() {
        Counting cell = new Counting("once", 1, List.of());
        Tensor zero = Tensor.zeros(new long[] {3}, DType.F64);
        Tensor one = Tensor.ones(new long[] {}, DType.F64);
        Tensor x = wave(0.2, 4, 3);
        assertEquals(1, cell.tracedFor(zero, x, one, false, x.cumsum(0)));
        Tensor y = wave(0.9, 4, 3);
        assertEquals(0, cell.tracedFor(zero, y, one, false, y.cumsum(0)));
        // Another cell that is equal; other weights.
        Tensor none = Tensor.zeros(new long[] {}, DType.F64);
        assertEquals(0, new Counting("once", 1, List.of()).tracedFor(zero, y, none, false, y));
        // Other types, another direction, another cell.
        Tensor longer = wave(0.2, 5, 3);
        assertEquals(1, cell.tracedFor(zero, longer, one, false, longer.cumsum(0)));
        assertEquals(1, cell.tracedFor(zero, x, one, true, x.flip(0).cumsum(0).flip(0)));
        assertEquals(1, new Counting("once", -1, List.of()).tracedFor(zero, x, none, false, x.neg()));
    }

    /** A cell that takes tensors from outside all the same computes with those of each run. */
    @Test
    void cellsThatUseOtherTensorsAreTracedEachTime() {
        Tensor zero = Tensor.zeros(new long[] {3}, DType.F64);
        Tensor none = Tensor.zeros(new long[] {}, DType.F64);
        Tensor x = wave(0.2, 4, 3);
        for (int i = 0; i < 3; i++) {
            Tensor outside = wave(i, 3);
            Counting cell = new Counting("outside", 1, List.of(outside));
            assertEquals(1, cell.tracedFor(zero, x, none, false, x.add(outside)));
        }
    }

    /** Who wants the outputs alone gets the same ones, with their gradients. */
    @Test
    void outputsAlone() {
        Tensor x = wave(0.2, 4, 3).requiresGrad_();
        Tensor w = wave(0.7, 3).requiresGrad_();
        List<Tensor> zero = List.of(Tensor.zeros(new long[] {3}, DType.F64));
        Scan.Cell cell = (state, slices, weights) -> {
            Tensor next = state.getFirst().mul(weights.getFirst()).add(slices.getFirst());
            return Scan.next(List.of(next), List.of(next));
        };
        for (boolean reverse : new boolean[] {false, true}) {
            Scan.Result whole = reverse
                    ? F.scanReverse(zero, List.of(x), List.of(w), cell)
                    : F.scan(zero, List.of(x), List.of(w), cell);
            Tensor expected = whole.outputs().getFirst();
            Tensor actual =
                    Scan.outputs(zero, List.of(x), List.of(w), reverse, cell).getFirst();
            assertArrayEquals(expected.toDoubles(), actual.toDoubles(), 0);
            List<Tensor> g = Autograd.grad(expected.square().sum(), x, w);
            List<Tensor> h = Autograd.grad(actual.square().sum(), x, w);
            for (int i = 0; i < 2; i++)
                assertArrayEquals(g.get(i).toDoubles(), h.get(i).toDoubles(), 0);
        }
    }

    @Test
    void backwards() {
        Tensor x = wave(0.2, 4, 3);
        Scan.Result r = F.scanReverse(List.of(Tensor.zeros(new long[] {3}, DType.F64)), List.of(x), (s, now) -> {
            Tensor sum = s.getFirst().add(now.getFirst());
            return Scan.next(List.of(sum), List.of(sum));
        });
        double[] expected = x.flip(0).cumsum(0).flip(0).toDoubles();
        assertArrayEquals(expected, r.outputs().getFirst().toDoubles(), 1e-12);
        assertArrayEquals(x.sum(0).toDoubles(), r.state().getFirst().toDoubles(), 1e-12);
    }

    /** What a step takes from outside: a tensor, a view of a tensor that is written later, a Java number, a new tensor. */
    @Test
    void whatAStepMayUse() {
        Tensor base = wave(0.4, 2, 3);
        Tensor row = base.select(0, 1);
        base.add_(1);
        Tensor x = wave(0.2, 4, 3);
        Scan.Result r = F.scan(List.of(x.select(0, 0)), List.of(x), (s, now) -> {
            Tensor own = Tensor.from(new double[] {1, 2, 3}, 3);
            own.mul_(0.25);
            return Scan.next(
                    List.of(s.getFirst().mul(0.5).add(now.getFirst().mul(row)).add(own)), List.of());
        });
        Tensor h = x.select(0, 0);
        for (Tensor now : x.unbind(0)) {
            h = h.mul(0.5).add(now.mul(row)).add(Tensor.from(new double[] {0.25, 0.5, 0.75}, 3));
        }
        assertArrayEquals(h.toDoubles(), r.state().getFirst().toDoubles(), 1e-12);
    }

    @Test
    void whatAStepMayNotDo() {
        Tensor x = wave(0.2, 4, 3);
        Tensor outside = wave(0.3, 3);
        Tensor[] leaked = new Tensor[1];
        List<BiFunction<Tensor, Tensor, Tensor>> forbidden = List.of(
                (h, now) -> h.add(now.sum().item()),
                (h, _) -> h.add(outside.add_(1)),
                (h, _) -> h.add(Tensor.randn(3)),
                (h, now) -> F.dropout(h.add(now), 0.5, true));
        for (BiFunction<Tensor, Tensor, Tensor> f : forbidden) {
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> run(x, f));
            assertTrue(
                    e.getMessage().contains("body of a loop") || e.getMessage().contains("loop's body"),
                    e.getMessage());
        }
        run(x, (h, now) -> leaked[0] = h.add(now));
        assertThrows(IllegalStateException.class, () -> leaked[0].toDoubles());
        assertThrows(IllegalStateException.class, () -> leaked[0].add(1.0));
        assertArrayEquals(wave(0.3, 3).toDoubles(), outside.toDoubles());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> run(x, (h, _) -> h.sum()));
        assertTrue(e.getMessage().contains("carried value 0 is f64[3], but the body makes it f64[]"), e.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> F.scan(List.of(), List.of(x, wave(0.1, 3)), (_, _) -> Scan.next(List.of(), List.of())));
    }

    private static Tensor run(Tensor x, BiFunction<Tensor, Tensor, Tensor> f) {
        return F.scan(
                        List.of(Tensor.zeros(new long[] {3}, DType.F64)),
                        List.of(x),
                        (s, now) -> Scan.next(List.of(f.apply(s.getFirst(), now.getFirst())), List.of()))
                .state()
                .getFirst();
    }

    /** A model whose steps are trained: boundaries, and a loss that is read before its gradient is taken. */
    private static double[] train(boolean readEarly, boolean compiled) {
        Sinter.manualSeed(3);
        LSTM net = new LSTM(3, 4, RecurrentOptions.of().layers(2).bidirectional(true));
        Linear head = new Linear(8, 1);
        List<Tensor> parameters = new ArrayList<>(net.parameters());
        parameters.addAll(head.parameters());
        Adam opt = new Adam(parameters, 0.05);
        Tensor x = Tensor.from(new float[6 * 2 * 3], 6, 2, 3).add(0.5);
        java.util.function.UnaryOperator<Tensor[]> step = in -> {
            opt.zeroGrad();
            Tensor loss = head.call(net.call(in[0])).sub(1.0).square().mean();
            if (readEarly) loss.item();
            loss.backward();
            opt.step();
            return new Tensor[] {loss.detach()};
        };
        var replayed = compiled ? Sinter.compileAll(step) : step;
        double[] losses = new double[8];
        for (int i = 0; i < losses.length; i++) losses[i] = replayed.apply(new Tensor[] {x})[0].item();
        return losses;
    }

    @Test
    void trains() {
        double[] losses = train(false, false);
        assertTrue(losses[7] < 0.5 * losses[0], () -> losses[0] + " to " + losses[7]);
        assertArrayEquals(losses, train(true, false), 1e-6);
        assertArrayEquals(losses, train(false, true), 1e-6);
    }

    @Test
    void anotherLengthNeedsNoOtherCode() {
        LSTM net = new LSTM(3, 4);
        long[] generated = new long[4];
        for (int i = 0; i < generated.length; i++) {
            net.zeroGrad();
            net.call(wave(0.1, 5 + 3 * i, 2, 3).to(DType.F32)).sum().backward();
            net.parameters().forEach(p -> p.grad().toDoubles());
            generated[i] = Session.current().counters().kernelsGenerated();
        }
        assertEquals(generated[0], generated[3]);
    }

    /** What a loop keeps for its gradient is not computed where no gradient is taken. */
    @Test
    void withoutGradients() {
        Tensor w = wave(0.3, 3, 3);
        Tensor x = wave(0.2, 5, 2, 3);
        Tensor h = wave(0.1, 2, 3);
        List<Tensor> plain = looped(h, x, w);
        assertFalse(plain.getFirst().requiresGrad());
        assertArrayEquals(unrolled(h, x, w).get(2).toDoubles(), plain.get(2).toDoubles(), 1e-12);
    }
}
