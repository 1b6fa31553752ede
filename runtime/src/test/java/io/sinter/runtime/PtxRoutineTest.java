// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Moving;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sorts, top-k and max-pooling by the simulated GPU's own kernels, held against the operators' evaluation, bit by bit. */
class PtxRoutineTest {
    private static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1, -1, 3, -3
    };

    private final Random random = new Random(17);

    /** Special values, equal ones, and such of all sizes. */
    private RefArray data(Type type) {
        return RefArray.of(type, _ -> switch (random.nextInt(4)) {
            case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
            case 1 -> random.nextInt(5) - 2;
            case 2 -> random.nextGaussian() * 1e30;
            default -> random.nextGaussian() * 50;
        });
    }

    private static void check(Op op, RefArray x, int maxCtas, int team) {
        GraphBuilder g = new GraphBuilder();
        SimulatedProgram p = new SimulatedProgram(
                g.build(g.emit(op, List.of(g.input(x.type()))).toArray(Node[]::new)));
        SimulatedProgram.Machine m =
                new SimulatedProgram.Machine(SimOptions.DEFAULT.withSeed(team), Target.SM_80, maxCtas, team, -1, 0);
        same(
                op.evaluate(List.of(x)),
                p.run(List.of(x), m, UnaryOperator.identity()).results(),
                op + " of " + x.type());
    }

    private static void same(List<RefArray> want, List<RefArray> got, String what) {
        for (int r = 0; r < want.size(); r++) {
            RefArray w = want.get(r);
            for (int i = 0; i < w.size(); i++) {
                String where = what + ", result " + r + "[" + i + "]";
                if (w.dtype().isFloat()) assertEquals(w.getDouble(i), got.get(r).getDouble(i), where);
                else assertEquals(w.getLong(i), got.get(r).getLong(i), where);
            }
        }
    }

    /** One team a row and several a CTA, along every axis; as launched, and by few CTAs whose one team has other extents. */
    @ParameterizedTest
    @EnumSource(DType.class)
    void rowsOfOneTile(DType t) {
        for (boolean descending : new boolean[] {false, true}) {
            for (Shape s :
                    new Shape[] {Shape.of(1), Shape.of(300), Shape.of(3, 60, 2), Shape.of(50, 4), Shape.of(0, 3)}) {
                for (int axis = 0; axis < s.rank(); axis++) {
                    RefArray x = data(new Type(t, s));
                    check(new Sort(axis, descending), x, Integer.MAX_VALUE, 0);
                    check(new Sort(axis, descending), x, 2, 32);
                    long n = s.dim(axis);
                    for (long k : new long[] {0, n / 3, n}) check(new TopK(axis, k, descending), x, 3, 0);
                }
            }
        }
    }

    /** Tiles, and what merges them: an odd number of them, the last one nearly empty; two rows whose elements alternate. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "I64", "BF16", "U8"})
    void rowsOfSeveralTiles(DType t) {
        check(new Sort(0, false), data(Type.of(t, 4097)), Integer.MAX_VALUE, 0);
        check(new Sort(1, true), data(Type.of(t, 1, 2049, 2)), 2, 0);
        check(new Sort(0, false), RefArray.of(Type.of(t, 6000), i -> 6000 - i), Integer.MAX_VALUE, 128);
    }

    /** Selected tile by tile, in one round and in two, and by sorting all. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64", "F16", "I64"})
    void theFirstOfLongRows(DType t) {
        for (boolean largest : new boolean[] {false, true}) {
            check(new TopK(0, 300, largest), data(Type.of(t, 5000)), Integer.MAX_VALUE, 0);
            check(new TopK(1, 7, largest), data(Type.of(t, 1, 3000, 2)), 2, 0);
        }
        check(new TopK(0, 512, true), data(Type.of(t, 10_000)), Integer.MAX_VALUE, 0);
        check(new TopK(0, 2100, true), data(Type.of(t, 5000)), Integer.MAX_VALUE, 0);
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void maxPools(DType t) {
        if (t.isBool()) return;
        for (int[] c : new int[][] {{2, 2, 0, 1}, {3, 2, 1, 1}, {3, 1, 1, 2}, {1, 3, 0, 1}, {5, 4, 5, 1}}) {
            long[] kernel = {c[0], c[0]};
            long[] pad = {c[2], c[2]};
            MaxPool op = new MaxPool(
                    kernel, new long[] {c[1], c[1]}, pad, new long[] {c[2] + 1, c[2]}, new long[] {c[3], c[3]});
            RefArray x = data(Type.of(t, 3, 13, 19));
            check(op, x, Integer.MAX_VALUE, 0);
            check(op, x, 2, 64);
        }
    }

    /** They are launches among others: nothing goes to the host in between, and equal runs are one graph. */
    @Test
    void nothingRunsOnTheHost() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 2, 3, 40));
        Node y = g.emit(new Sort(2, true), List.of(g.exp(x))).getFirst();
        Node z = g.emit(new TopK(1, 2, true), List.of(g.add(y, 1))).getFirst();
        MaxPool pool = new MaxPool(new long[] {2}, new long[] {2}, new long[1], new long[1], new long[] {1});
        Node p = g.emit(pool, List.of(g.mul(z, z))).getFirst();
        Options options = Options.fromProperties().withDevice(Device.PTX_SIM);
        try (Session s = Session.open(options, counted.driver)) {
            Executable e = Executable.compile(g.build(g.neg(p)), CompileContext.of(s));
            RefArray in = RefArray.of(x.type(), i -> i * 7 % 12);
            Buffer b = Buffers.of(s, in);
            counted.reset();
            Run last = null;
            for (int i = 0; i < 4; i++) last = e.run(List.of(b));
            assertEquals(4, counted.calls("copyIn"), "one copy of parameters a run");
            assertEquals(0, counted.calls("copyOut"));
            assertEquals(3, counted.calls("launchGraph"));
            RefArray got = Elements.load(Type.of(DType.F32, 2, 2, 20), last.result(0));
            double greatest = 1 + Math.exp(11);
            assertEquals(-greatest * greatest, got.getDouble(0), 1e-3 * greatest * greatest);
        }
    }

    /** In a loop's body operand and results are elsewhere in every run, and scratch memory is the same. */
    @Test
    void inTheBodyOfALoop() {
        int n = 2100;
        Type row = Type.of(DType.F32, n);
        Type rows = Type.of(DType.F32, 3, n);
        List<Type> results = List.of(row, row.with(DType.I64));
        List<Place> made = List.of(new Place.Result(0), new Place.Result(1));
        Sort sort = new Sort(0, false);
        Plan body = plan(
                List.of(row),
                results,
                new Plan.LibraryCall(sort, List.of(row), List.of(new Place.Argument(0)), results, made));
        Plan whole = plan(
                List.of(rows),
                List.of(rows, rows.with(DType.I64)),
                new Plan.Repeat(
                        body,
                        3,
                        List.of(new Moving(new Place.Argument(0), 4L * n, 0)),
                        List.of(new Moving(new Place.Result(0), 4L * n, 0), new Moving(new Place.Result(1), 8L * n, 0)),
                        new Place.Temp(0, 0)));
        try (Session s = Session.open(Options.fromProperties().withDevice(Device.PTX_SIM))) {
            RefArray x = data(rows);
            Buffer b = Buffers.of(s, x);
            PtxExecutable e = new PtxExecutable(StoredPlan.of(whole), s, Numerics.DEFAULT);
            for (int i = 0; i < 2; i++) {
                Run run = e.run(List.of(b));
                List<RefArray> got = new ArrayList<>();
                for (Type t : whole.resultTypes()) got.add(Elements.load(t, run.result(got.size())));
                same(new Sort(1, false).evaluate(List.of(x)), got, "run " + i);
            }
        }
    }

    private static Plan plan(List<Type> args, List<Type> results, Plan.Step step) {
        return new Plan(
                null,
                args,
                List.of(false),
                results,
                List.of(new Place.Result(0), new Place.Result(1)),
                List.of(step),
                0,
                List.of());
    }
}
