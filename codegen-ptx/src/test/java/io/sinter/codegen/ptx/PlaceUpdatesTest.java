// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Put.Mode;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.ref.KernelCase;
import io.sinter.ir.ref.RefArray;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Scatters of slices, of which each place's updates are a warp's: in their order, to the last bit. */
class PlaceUpdatesTest {
    private static final int ROWS = 40;

    private static Graph graph(DType t, int axis, Mode mode, int updates, int width) {
        GraphBuilder g = new GraphBuilder();
        Type to = axis == 0 ? Type.of(t, ROWS, width) : Type.of(t, 3, ROWS, width);
        Type from = axis == 0 ? Type.of(t, updates, width) : Type.of(t, 3, updates, width);
        return g.build(g.apply(new Put(axis, mode), g.input(to), g.input(Type.of(DType.I64, updates)), g.input(from)));
    }

    private static void check(Graph g, IntUnaryOperator place) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : g.inputs())
            args.add(
                    n.dtype() == DType.I64
                            ? RefArray.ofLongs(n.type(), place::applyAsInt)
                            : Sample.uniform(n.type(), -1, 1, args.size()));
        for (boolean whole : new boolean[] {false, true}) {
            Set<Schedule> chosen = new HashSet<>();
            SimPlan.Choice choice = (kernel, slot) -> {
                Schedule s = PtxCodegen.schedule(kernel, slot, Target.SM_80, Numerics.DEFAULT);
                if (s instanceof Schedule.ByPlace) s = new Schedule.ByPlace(whole);
                chosen.add(s);
                return s;
            };
            for (long seed = 1; seed < 3; seed++)
                new SimPlan(g, args, choice, Target.SM_80, seed).check("whole " + whole + ", seed " + seed, 0);
            assertTrue(chosen.contains(new Schedule.ByPlace(whole)), chosen.toString());
        }
    }

    /** Where there are enough updates for a warp each, none of them is sought more than once. */
    @Test
    void manyUpdatesAreOfWholeSlices() {
        for (int n : new int[] {2047, 2048}) {
            KernelCase k = update(n, i -> i % 11);
            assertEquals(new Schedule.ByPlace(n == 2048), SimRun.chosen(k.kernel, i -> k.slots[i]));
        }
    }

    /** Places that are all different, all the same, of which some are met often, counted from the end. */
    @TestFactory
    Stream<DynamicTest> places() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int updates : new int[] {32, 33, 128, 150, 300}) {
            tests.add(DynamicTest.dynamicTest(
                    "same " + updates, () -> check(graph(DType.F32, 0, Mode.ADD, updates, 70), _ -> 7)));
            tests.add(DynamicTest.dynamicTest(
                    "some " + updates, () -> check(graph(DType.F32, 0, Mode.ADD, updates, 70), i -> i * i % 11 - 5)));
        }
        tests.add(DynamicTest.dynamicTest(
                "different", () -> check(graph(DType.F32, 0, Mode.ADD, ROWS, 128), i -> i * 7 % ROWS)));
        for (Mode mode : Mode.values())
            for (int width : new int[] {1, 5, 200})
                tests.add(DynamicTest.dynamicTest(
                        mode + " " + width, () -> check(graph(DType.F32, 1, mode, 90, width), i -> i * i % 11 - 5)));
        for (DType t : List.of(DType.F64, DType.BF16))
            tests.add(DynamicTest.dynamicTest("" + t, () -> check(graph(t, 0, Mode.ADD, 90, 66), i -> i * i % 11)));
        return tests.stream();
    }

    /** The kernel that updates, with its numbers, indices and what else it reads. */
    private static KernelCase update(int updates, IntUnaryOperator place) {
        Plan plan =
                Compiler.plan(graph(DType.F32, 0, Mode.ADD, updates, 70), Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
        Plan.Launch l = (Plan.Launch) plan.steps().getLast();
        KernelCase k = new KernelCase((LoopKernel) l.kernel());
        List<SlotValue> values = l.segments().getFirst();
        for (int i = 0; i < k.slots.length; i++)
            if (values.get(i) instanceof SlotValue.Number n) k.slots[i] = n.value();
        for (Buf b : k.kernel.buffers()) {
            boolean index = b.dtype() == DType.I64;
            ByteBuffer bytes = ByteBuffer.allocate(index ? 8 * updates : 4 * 70 * Math.max(ROWS, updates))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; index && i < updates; i++) bytes.putLong(place.applyAsInt(i));
            k.inputs.put(b, bytes.array());
        }
        return k;
    }

    /** The first wrong index is reported, whichever warp meets one first. */
    @Test
    void theFirstWrongIndexIsReported() {
        for (int[] wrong : new int[][] {{0, 5}, {3, 5}, {140, 141}, {199, 199}}) {
            KernelCase k = update(200, i -> i == wrong[0] ? ROWS + 3 : i == wrong[1] ? -ROWS - 1 : i * i % 11);
            List<Long> want = k.interpret().error();
            for (long seed = 1; seed < 4; seed++)
                assertEquals(want, SimRun.runChosen(k, seed, 0).error());
        }
        assertEquals(null, SimRun.runChosen(update(200, i -> i % 11 - 5), 1, 0).error());
    }

    /** A value that uses each operand twice, many times over, is looked at once. */
    @Test
    void operandsThatAreUsedOftenAreLookedAtOnce() {
        LoopKernel k = update(200, i -> i % 11).kernel;
        Stmt.Loop all = (Stmt.Loop) k.body().getFirst();
        Stmt.Loop lanes = (Stmt.Loop) all.body().getFirst();
        Stmt.Store s = (Stmt.Store) lanes.body().getFirst();
        Expr value = s.value();
        for (int i = 0; i < 64; i++) value = Expr.bin(Prim2.MUL, value, value);
        Stmt.Store store = new Stmt.Store(s.buffer(), s.index(), value);
        List<Stmt> body = List.of(with(all, with(lanes, store)));
        LoopKernel often = new LoopKernel(k.name(), k.grid(), k.buffers(), k.slots(), k.scratchBytes(), body);
        assertTrue(PlaceUpdates.in(often, body).store() == store);
    }

    private static Stmt.Loop with(Stmt.Loop l, Stmt body) {
        return new Stmt.Loop(l.var(), l.limit(), l.kind(), List.of(body));
    }

    /** Slices that may have elements in common, and few updates, come one after the other. */
    @Test
    void othersAreMadeInOrder() {
        KernelCase k = update(200, i -> i % 11);
        PlaceUpdates u = PlaceUpdates.in(k.kernel, k.kernel.body());
        assertEquals(true, u.pays(i -> k.slots[i]));
        // Every number that stands for a slice's width, or the distance of two, made one less.
        long[] slots = k.slots.clone();
        for (int i = 0; i < slots.length; i++) if (slots[i] == 70) slots[i] = 5;
        slots[((Coef.Slot) u.lanes().limit().offset()).slot()] = 70;
        assertFalse(u.pays(i -> slots[i]));
        KernelCase few = update(31, i -> i % 11);
        assertEquals(new Schedule.Only(), SimRun.chosen(few.kernel, i -> few.slots[i]));
    }
}
