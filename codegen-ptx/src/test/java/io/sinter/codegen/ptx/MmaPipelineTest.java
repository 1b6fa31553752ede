// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Products by tensor cores whose operands both are copied: sums of many stages, and tiles of every shape. */
class MmaPipelineTest extends GemmTests {
    /** Sums of many stages, most of which are whole, of tiles that are whole and of tiles that are not; several variables along k. */
    @TestFactory
    Stream<DynamicTest> longSums() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : TYPES) {
            for (int turns = 0; turns < 4; turns++) {
                boolean a = (turns & 1) != 0;
                boolean b = turns > 1;
                String what = t + (a ? ", a turned" : "") + (b ? ", b turned" : "");
                tests.add(DynamicTest.dynamicTest(what, () -> {
                    check(what, product(t, 1, 72, 136, 296, a, b), LAST);
                    check(what + ", whole", product(t, 1, 128, 128, 256, a, b), LAST);
                }));
            }
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(t, 3, 24, 72));
            Node y = g.input(Type.of(t, 72, 40, 2));
            Node left = g.reshape(g.permute(x, 1, 0, 2), Shape.of(24, 216));
            Node right = g.reshape(g.permute(y, 2, 0, 1), Shape.of(144, 40));
            Graph apart =
                    g.build(g.matmul(left, g.input(Type.of(t, 216, 40))), g.matmul(g.input(Type.of(t, 8, 144)), right));
            tests.add(DynamicTest.dynamicTest(t + ", apart", () -> check("apart", apart, LAST)));
        }
        Form high = new Form(0, MatmulPrecision.HIGH, 0);
        tests.add(DynamicTest.dynamicTest(
                "tf32", () -> check("tf32", product(DType.F32, 1, 132, 140, 232, false, true), high)));
        tests.add(DynamicTest.dynamicTest(
                "large", () -> check("large", product(DType.BF16, 1, 136, 280, 232, false, false), tile(0))));
        return tests.stream();
    }

    /** Rows that end within a chunk, of memory that ends there or goes on. */
    @TestFactory
    Stream<DynamicTest> rowsEndWithinChunks() {
        return Stream.of(TYPES)
                .map(t -> DynamicTest.dynamicTest(t.toString(), () -> {
                    GraphBuilder g = new GraphBuilder();
                    Node a = g.slice(g.input(Type.of(t, 192, 80)), 1, 0, 75, 1);
                    Node b = g.slice(g.input(Type.of(t, 192, 72)), 1, 0, 69, 1);
                    check("within", g.build(g.matmul(g.transpose(a, 0, 1), b)), LAST);
                }));
    }

    /** Tiles that nobody chooses unmeasured, on a target that has the shared memory for all of them. */
    @TestFactory
    Stream<DynamicTest> measuredTiles() {
        List<DynamicTest> tests = new ArrayList<>();
        List<GemmSchedule.Tile> all = GemmTiles.measured(Math.BF16, DType.F32, Source.ASYNC, Target.SM_90);
        List<GemmSchedule.Tile> table = GemmTiles.tiles(Math.BF16, DType.F32, Source.ASYNC);
        assertEquals(table, all.subList(0, table.size()));
        for (GemmSchedule.Tile tile : all.subList(table.size(), all.size())) {
            tests.add(DynamicTest.dynamicTest(tile.toString(), () -> {
                Graph g = product(DType.BF16, 1, 264, 136, 456, tile.depth() == 64, tile.warpsAcross() == 2);
                List<RefArray> args = new ArrayList<>();
                for (Node n : g.inputs()) args.add(SimPlan.whole(n.type(), args.size() + 1));
                SimPlan.Choice choice = (k, slot) -> {
                    GemmSchedule s = (GemmSchedule) PtxCodegen.schedule(k, slot, Target.SM_90, Numerics.DEFAULT);
                    return new GemmSchedule(s.math(), tile, s.left(), s.right(), 1);
                };
                SimPlan p = new SimPlan(g, args, choice, Target.SM_90, seed).check(tile + ", seed " + seed, 0);
                for (PtxKernel x : p.kernels())
                    large.putIfAbsent(x.code().toString().replace(x.name(), "k"), x);
            }));
        }
        return tests.stream();
    }

    /** Targets have tiles that fit their shared memory. */
    @Test
    void measuredTilesFit() {
        for (Target target : Target.values())
            for (Math math : List.of(Math.BF16, Math.F16, Math.TF32, Math.F64))
                for (GemmSchedule.Tile t : GemmTiles.measured(math, DType.F32, Source.ASYNC, target)) {
                    int bytes = t.stages()
                            * (t.rows() + t.columns())
                            * t.depth()
                            * math.type().bytes();
                    assertTrue(bytes <= target.sharedBytes(), target + " " + t);
                }
        assertTrue(GemmTiles.measured(Math.BF16, DType.F32, Source.ASYNC, Target.SM_89)
                        .size()
                < GemmTiles.measured(Math.BF16, DType.F32, Source.ASYNC, Target.SM_80)
                        .size());
    }
}
