// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.ref.RandomKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Code that calls HotSpot's vector intrinsics, and when it does. That it computes the same as other code, {@link KernelHarness} finds for every kernel that it runs. */
class IntrinsicsTest {
    @BeforeEach
    void intrinsicsAreThere() {
        assumeTrue(Runtime.version().feature() == 25, "the intrinsics of another release may be others");
        assertTrue(Intrinsics.available(), "the tests run with the flags that open them");
    }

    @Test
    void vectorKernelsCallThemIfAskedTo() {
        Kernel k = new RandomKernel(1, false).build().kernel;
        String with = JvmCodegen.listing(JvmCodegen.generate(k, new Options(512, true)));
        String without = JvmCodegen.listing(JvmCodegen.generate(k, new Options(512, false)));
        assertTrue(with.contains("VectorSupport.load"), with);
        assertFalse(with.contains("MemorySegment"), with);
        assertFalse(without.contains("jdk/internal"), without);
        assertEquals(new Options(512, true), new Options(512));
    }

    @Test
    void scalarCodeDoesNot() {
        assertFalse(new Options(0).intrinsics());
        assertThrows(IllegalArgumentException.class, () -> new Options(0, true));
    }

    @Test
    void storedClassesOfBothSortsAreApart() {
        assertNotEquals(JvmCodegen.target(new Options(512, true)), JvmCodegen.target(new Options(512, false)));
    }

    /** A kernel that fits a method by calls of the Vector API alone calls that, before it is cut into parts. */
    @Test
    void kernelsThatBecomeTooLargeCallTheVectorApi() {
        Set<Boolean> found = new HashSet<>();
        for (int additions = 10; additions <= 160; additions += 10) {
            Var v = new Var("v", Coef.of(1000));
            Index at = LoopKernelTest.index(Coef.of(0), LoopKernelTest.term(1, v));
            Kernel k = elementwise(v, at, sums(new Expr.Load(LoopKernelTest.IN, at), 0, additions / 2));
            String with = JvmCodegen.listing(JvmCodegen.generate(k, new Options(512, true)));
            String without = JvmCodegen.listing(JvmCodegen.generate(k, new Options(512, false)));
            if (!with.contains("VectorSupport.binaryOp")) assertEquals(without, with);
            assertEquals(methods(without), methods(with), "of " + additions + " additions");
            found.add(with.contains("VectorSupport.binaryOp"));
        }
        assertEquals(Set.of(true, false), found);
    }

    /** A sum of {@code end - begin} sums, hardly any of which waits for another. */
    private static Expr sums(Expr x, int begin, int end) {
        if (end - begin == 1) return Expr.bin(Prim2.ADD, x, Expr.Const.of(DType.F32, begin));
        int middle = (begin + end) / 2;
        return Expr.bin(Prim2.ADD, sums(x, begin, middle), sums(x, middle, end));
    }

    private static Kernel elementwise(Var v, Index at, Expr value) {
        Stmt loop = LoopKernelTest.vector(v, new Stmt.Store(LoopKernelTest.OUT, at, value));
        List<Buf> buffers = List.of(LoopKernelTest.IN, LoopKernelTest.OUT);
        return new LoopKernel("sums", List.of(), buffers, 3, 0, List.of(loop));
    }

    /** C2 takes seconds for a few hundred intrinsics each of which needs the one before. */
    @Test
    void longChainsCallTheVectorApi() {
        for (int additions : new int[] {30, 34}) {
            Var v = new Var("v", Coef.of(1000));
            Index at = LoopKernelTest.index(Coef.of(0), LoopKernelTest.term(1, v));
            Expr e = new Expr.Load(LoopKernelTest.IN, at);
            for (int i = 0; i < additions; i++) e = Expr.bin(Prim2.ADD, e, Expr.Const.of(DType.F32, i));
            String code = JvmCodegen.listing(JvmCodegen.generate(elementwise(v, at, e), new Options(512, true)));
            assertEquals(additions == 30, code.contains("VectorSupport.binaryOp"), code);
        }
    }

    private static int methods(String listing) {
        return listing.split("private static ", -1).length - 1;
    }

    /** A generated tile, run until C2 has compiled it: the same bits before and after, and as the Vector API gives. */
    @Test
    void compiledCodeGivesTheSameBits() throws Throwable {
        GemmTiles with = tiles(true);
        float[] expected = tile(tiles(false), 1);
        assertArrayEquals(expected, tile(with, 1));
        assertArrayEquals(expected, tile(with, 3000));
    }

    private static GemmTiles tiles(boolean intrinsics) {
        String name = "io/sinter/gen/SinterKernelTiles_" + intrinsics;
        byte[] bytes = Intrinsics.used(intrinsics, () -> GemmVectorTiles.generate(name, DType.F32, 512));
        return JvmCodegen.instance(new GeneratedClass(name, bytes), GemmTiles.class);
    }

    private static float[] tile(GemmTiles tiles, int times) {
        try (Arena arena = Arena.ofConfined()) {
            Random random = new Random(7);
            MemorySegment a = arena.allocate(6 * 20 * 4, 64);
            MemorySegment b = arena.allocate(20 * 64 * 4, 64);
            MemorySegment c = arena.allocate(6 * 64 * 4, 64);
            for (int i = 0; i < 6 * 20; i++) a.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
            for (int i = 0; i < 20 * 64; i++) b.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
            for (int t = 0; t < times; t++)
                tiles.tile(false, 6, 4, a.address(), 80, 4, b.address(), 256, c.address(), 256, 20);
            return c.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
