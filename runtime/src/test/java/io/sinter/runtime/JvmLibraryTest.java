// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.codegen.jvm.PoolPlanes;
import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.op.Unary;
import io.sinter.ir.ref.RefArray;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JvmLibraryTest {
    private static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1, -1, 3, -3
    };

    private final Random random = new Random(17);

    private RefArray data(DType dtype, Shape shape) {
        return RefArray.of(new Type(dtype, shape), _ -> switch (random.nextInt(4)) {
            case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
            case 1 -> random.nextInt(5) - 2; // ties
            case 2 -> random.nextGaussian() * 1e30;
            default -> random.nextGaussian() * 50;
        });
    }

    /** Boxed and obvious: a stable object sort of positions. */
    private static long[] order(RefArray x, int base, int stride, int n, boolean descending) {
        Comparator<Integer> byValue = x.dtype().isFloat()
                ? (a, b) -> {
                    double u = x.getDouble(base + a * stride);
                    double v = x.getDouble(base + b * stride);
                    if (Double.isNaN(u) || Double.isNaN(v)) return Boolean.compare(Double.isNaN(u), Double.isNaN(v));
                    return u < v ? -1 : u > v ? 1 : 0;
                }
                : Comparator.comparingLong(a -> x.getLong(base + a * stride));
        return IntStream.range(0, n)
                .boxed()
                .sorted(descending ? byValue.reversed() : byValue)
                .mapToLong(i -> i)
                .toArray();
    }

    private void check(Op op, RefArray x, int axis, int k, boolean descending) {
        Type out = new Type(x.dtype(), x.shape().with(axis, k));
        int n = (int) x.shape().dim(axis);
        int inner = 1;
        for (int i = axis + 1; i < x.shape().rank(); i++)
            inner *= (int) x.shape().dim(i);
        try (Session s = Session.open(Options.fromProperties().withThreads(3));
                var team = s.pool().acquire()) {
            Buffer in = s.allocator().allocate(x.type().bytes());
            Buffer values = s.allocator().allocate(out.bytes());
            Buffer indices = s.allocator().allocate(out.numel() * 8);
            Elements.store(x, in.address());
            JvmLibrary.run(team, 3, op, x.type(), in.address(), values.address(), indices.address());
            RefArray v = Elements.load(out, values.address());
            RefArray p = Elements.load(out.with(DType.I64), indices.address());
            int rows = n == 0 ? 0 : x.size() / n;
            for (int row = 0; row < rows; row++) {
                int from = row / inner * n * inner + row % inner;
                int to = row / inner * k * inner + row % inner;
                long[] want = Arrays.copyOf(order(x, from, inner, n, descending), k);
                for (int j = 0; j < k; j++) {
                    String where = op + " of " + x.type() + ", row " + row + ", rank " + j;
                    assertEquals(want[j], p.getLong(to + j * inner), where);
                    // Bits: -0 stays -0.
                    assertEquals(x.getDouble(from + (int) want[j] * inner), v.getDouble(to + j * inner), where);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void sortsEveryDtypeAlongEveryAxis(DType dtype) {
        for (boolean descending : new boolean[] {false, true}) {
            for (Shape shape : new Shape[] {
                Shape.of(1), Shape.of(7), Shape.of(300), Shape.of(3, 60, 2), Shape.of(50, 4), Shape.of(3, 1, 2)
            }) {
                for (int axis = 0; axis < shape.rank(); axis++) {
                    RefArray x = data(dtype, shape);
                    check(new Sort(axis, descending), x, axis, (int) shape.dim(axis), descending);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void topKIsTheHeadOfTheSort(DType dtype) {
        for (boolean largest : new boolean[] {false, true}) {
            for (int k : new int[] {0, 1, 5, 40, 100, 200}) {
                check(new TopK(1, k, largest), data(dtype, Shape.of(4, 200, 2)), 1, k, largest);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void maxPoolsAsTheEvaluatorSays(DType dtype) {
        if (dtype.isBool()) return;
        maxPools(dtype, Shape.of(5, 13, 19));
        maxPools(dtype, Shape.of(2, 6, 81));
    }

    private void maxPools(DType dtype, Shape shape) {
        for (int[] c : new int[][] {{2, 2, 0, 1}, {3, 2, 1, 1}, {3, 1, 1, 2}, {1, 3, 0, 1}, {5, 4, 2, 1}}) {
            long[] kernel = {c[0], c[0]};
            long[] stride = {c[1], c[1]};
            long[] pad = {c[2], c[2]};
            MaxPool op = new MaxPool(kernel, stride, pad, new long[] {c[2] + 1, c[2]}, new long[] {c[3], c[3]});
            RefArray x = data(dtype, shape);
            List<RefArray> want = op.evaluate(List.of(x));
            try (Session s = Session.open(Options.fromProperties().withThreads(3));
                    var team = s.pool().acquire()) {
                Buffer in = s.allocator().allocate(x.type().bytes());
                Buffer values = s.allocator().allocate(want.get(0).type().bytes());
                Buffer places = s.allocator().allocate(want.get(1).type().bytes());
                Elements.store(x, in.address());
                JvmLibrary.run(team, 3, op, x.type(), in.address(), values.address(), places.address());
                assertArrayEquals(
                        want.get(1).toDoubles(),
                        Elements.load(want.get(1).type(), places.address()).toDoubles(),
                        op + " of " + x.type());
                assertArrayEquals(
                        want.get(0).toDoubles(),
                        Elements.load(want.get(0).type(), values.address()).toDoubles(),
                        op + " of " + x.type());
                if (dtype == DType.F32) inEveryWidth(op, x, want, in, values, places);
            }
        }
    }

    /** A plane at a time, in vectors of each width that there may be. */
    private static void inEveryWidth(
            MaxPool op, RefArray x, List<RefArray> want, Buffer in, Buffer values, Buffer places) {
        if (JvmFeatures.vectorBits() == 0) return;
        WindowMaxima maxima = new WindowMaxima(op, x.type());
        long planes = x.type().numel() / maxima.plane();
        for (int bits : new int[] {128, 256, 512}) {
            try (Arena arena = Arena.ofConfined()) {
                long scratch = arena.allocate(PoolPlanes.scratchBytes(maxima.shape()), 8)
                        .address();
                PoolPlanes pool = new PoolPlanes(maxima.shape(), bits, scratch);
                for (long p = 0; p < planes; p++) {
                    long o = p * maxima.windows();
                    pool.run(in.address() + 4 * p * maxima.plane(), values.address() + 4 * o, places.address() + 8 * o);
                }
            }
            String what = op + " of " + x.type() + " by vectors of " + bits + " bits";
            double[] found = Elements.load(want.get(1).type(), places.address()).toDoubles();
            assertArrayEquals(want.get(1).toDoubles(), found, what);
            found = Elements.load(want.get(0).type(), values.address()).toDoubles();
            assertArrayEquals(want.get(0).toDoubles(), found, what);
        }
    }

    @Test
    void emptyOperands() {
        check(new Sort(0, false), data(DType.F32, Shape.of(0)), 0, 0, false);
        check(new Sort(1, false), data(DType.F32, Shape.of(0, 3)), 1, 3, false);
        check(new Sort(0, false), data(DType.F64, Shape.of(0, 3)), 0, 0, false);
    }

    @Test
    void largeRows() {
        for (DType dtype : new DType[] {DType.F32, DType.F64, DType.I64}) {
            check(new Sort(0, true), data(dtype, Shape.of(50_000)), 0, 50_000, true);
            check(new TopK(0, 10, true), data(dtype, Shape.of(50_000)), 0, 10, true);
        }
    }

    /** Several parts of one row, and of a few; keys in one byte, in four (positions with them), in eight (beside them), and all equal. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "I64", "U8", "F64"})
    void rowsThatThreadsShare(DType dtype) {
        int n = LongRowSorter.LEAST + 5;
        for (boolean descending : new boolean[] {false, true}) {
            check(new Sort(0, descending), data(dtype, Shape.of(n)), 0, n, descending);
        }
        check(new Sort(0, false), data(dtype, Shape.of(n, 2)), 0, n, false);
        check(new Sort(0, false), RefArray.of(new Type(dtype, Shape.of(n)), _ -> 3.0), 0, n, false);
    }

    @Test
    void keysOf64BitsNearAndFar() {
        for (int n : new int[] {30, 700, 5_000, LongRowSorter.LEAST}) {
            for (long range : new long[] {1L << 8, 1L << 31, (1L << 31) + 1, 1L << 32, (1L << 32) + 1, 1L << 40}) {
                RefArray near = integers(n, 0, range - 1);
                check(new Sort(0, false), near, 0, n, false);
                check(new Sort(0, true), near, 0, n, true);
            }
            check(new Sort(0, false), integers(n, Long.MIN_VALUE, Long.MAX_VALUE), 0, n, false);
        }
    }

    /** Both ends are among them. */
    private RefArray integers(int n, long least, long most) {
        RefArray x = RefArray.zeros(new Type(DType.I64, Shape.of(n)));
        for (int i = 0; i < n; i++) {
            x.set(
                    i,
                    i == 1
                            ? most
                            : i == 2
                                    ? least
                                    : most == Long.MAX_VALUE ? random.nextLong() : random.nextLong(least, most));
        }
        return x;
    }

    @Test
    void otherOperatorsAreRefused() {
        try (WorkerPool pool = new WorkerPool(1);
                var team = pool.acquire()) {
            assertThrows(
                    IllegalStateException.class,
                    () -> JvmLibrary.run(team, 1, Unary.NEG, Type.of(DType.F32, 1), 0, 0, 0));
        }
    }
}
