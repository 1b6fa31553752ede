// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.sim.SimFault.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The asynchronous products of a warp, a quarter of its warpgroup: rows 16w … 16w+15 of 64. Each happens as late as it may, when it is
 * waited for, and until then its accumulators can be neither read nor written by other instructions.
 */
final class WgmmaQueue {
    private record Product(Step step, Code code, long a, long b, boolean add) {}

    private final Warp warp;
    private List<Product> open = new ArrayList<>();
    private final Deque<List<Product>> groups = new ArrayDeque<>();
    private int[] busy;
    private int inFlight;

    WgmmaQueue(Warp warp) {
        this.warp = warp;
    }

    boolean isBusy() {
        return inFlight > 0;
    }

    boolean holds(int register) {
        return inFlight > 0 && busy[register] > 0;
    }

    void commit() {
        groups.add(open);
        open = new ArrayList<>();
    }

    void await(int pending) {
        while (groups.size() > pending) for (Product p : groups.remove()) finish(p);
    }

    private void finish(Product p) {
        Step now = warp.step();
        warp.resume(p.step);
        p.code.multiply(warp, p.a, p.b, p.add);
        for (int r : p.code.d) {
            if (--busy[r] == 0) warp.written[r] = -1;
        }
        inFlight--;
        warp.resume(now);
    }

    private void issue(Code c, long a, long b, boolean add) {
        if (busy == null) busy = new int[warp.regs.length];
        for (int r : c.d) {
            if (add && busy[r] == 0 && warp.written[r] != -1) {
                throw warp.fault(
                        Kind.UNINITIALIZED_REGISTER,
                        Integer.numberOfTrailingZeros(~warp.written[r]),
                        warp.program.registerName(r) + " holds no value to be added to");
            }
            busy[r]++;
            warp.written[r] = 0;
        }
        inFlight++;
        open.add(new Product(c.step, c, a, b, add));
    }

    static Step step(Matrix.Wgmma i, Names n) {
        int bits = i.aType().bits();
        int groups = i.shape().n() / 8;
        if (i.shape().m() != 64 || i.shape().n() % 8 != 0 || i.shape().k() != 256 / bits) return null;
        int[] d = n.results(i.d());
        int[] a = i.a() instanceof Operand.Vector ? n.values(i.a(), PtxType.B32) : null;
        int descriptorA = a == null ? n.value(i.a(), PtxType.B64) : -1;
        int descriptorB = n.value(i.b(), PtxType.B64);
        Names.Predicate add = n.predicate(i.scaleD());
        MatrixSteps.require(n, i.d(), d.length, groups * (i.dType().bits() == 16 ? 2 : 4));
        if (a != null) MatrixSteps.require(n, i.a(), a.length, 4);
        Code c = new Code(i, d, a);
        c.step = new WarpSteps.Gathered(-1) {
            @Override
            void execute(Warp w, int lanes) {
                MatrixSteps.whole(w, this, lanes);
                int p = add.lanes(w);
                if (p != 0 && p != -1) throw w.fault(Kind.DIVERGENT, 0, "scale-d differs between lanes");
                long x = descriptorA < 0 ? 0 : uniform(w, descriptorA);
                w.products.issue(c, x, uniform(w, descriptorB), p != 0);
            }
        };
        return c.step;
    }

    private static long uniform(Warp w, int register) {
        long[] v = w.regs[register];
        for (int lane = 1; lane < Warp.LANES; lane++) {
            if (v[lane] != v[0]) throw w.fault(Kind.DIVERGENT, lane, "the lanes give different matrix descriptors");
        }
        return v[0];
    }

    /** An instruction's operands. */
    private static final class Code {
        final Matrix.Wgmma i;
        final int[] d;
        final int[] a;
        Step step;

        Code(Matrix.Wgmma i, int[] d, int[] a) {
            this.i = i;
            this.d = d;
            this.a = a;
        }

        void multiply(Warp w, long descriptorA, long descriptorB, boolean add) {
            int k = i.shape().k();
            double[] x = a != null
                    ? Mma.a(w, a, i.aType(), 16, k)
                    : matrix(w, descriptorA, i.aType(), w.id % 4 * 16, 16, k, i.transposeA());
            double[] y = matrix(w, descriptorB, i.bType(), 0, i.shape().n(), k, i.transposeB());
            double sign = i.scaleA() * i.scaleB();
            // Registers that nothing wrote yet are not added.
            Mma.accumulate(
                    w,
                    d,
                    i.dType(),
                    d,
                    i.dType(),
                    16,
                    false,
                    (row, column, old) -> sign * Mma.dot(x, y, row, column, k, false, 0) + (add ? old : 0));
        }
    }

    /**
     * Reads a matrix of {@code rows} rows from {@code first} on, by k elements, that a descriptor describes: in pieces of 8 rows of 16
     * bytes, which follow each other along k (or along the rows, if it is stored so) and are swizzled.
     *
     * @param transposed whether neighbours in memory are neighbours along the rows, not along k
     */
    private static double[] matrix(Warp w, long descriptor, PtxType t, int first, int rows, int k, boolean transposed) {
        int start = (int) (descriptor & 0x3fff) << 4;
        int leading = (int) (descriptor >>> 16 & 0x3fff) << 4;
        int stride = (int) (descriptor >>> 32 & 0x3fff) << 4;
        if ((descriptor >>> 49 & 7) != 0)
            throw w.fault(Kind.INVALID_OPERAND, 0, "a matrix descriptor with a base offset");
        Swizzle swizzle = Swizzle.ofDescriptor((int) (descriptor >>> 62));
        int bytes = t.bytes();
        int piece = 16 / bytes;
        int width = swizzle.width();
        double[] x = new double[rows * k];
        if (!transposed) {
            for (int r = 0; r < rows; r++) {
                int row = first + r;
                for (int c = 0; c < k / piece; c++) {
                    int at = start + row / 8 * stride + row % 8 * width + c * (swizzle == Swizzle.NONE ? leading : 16);
                    read(w, swizzle.apply(at), t, x, r * k + c * piece, 1);
                }
            }
        } else {
            int perAtom = width / 16;
            for (int r = 0; r < rows; r += piece) {
                int c = (first + r) / piece;
                for (int j = 0; j < k; j++) {
                    int at = swizzle == Swizzle.NONE
                            ? start + c * stride + j / 8 * leading + j % 8 * 16
                            : start + c / perAtom * leading + j / 8 * stride + j % 8 * width + c % perAtom * 16;
                    read(w, swizzle.apply(at), t, x, r * k + j, k);
                }
            }
        }
        return x;
    }

    /** Reads 16 bytes of elements into places that are {@code step} apart. */
    private static void read(Warp w, int address, PtxType t, double[] to, int at, int step) {
        SharedMemory shared = w.cta.shared;
        shared.check(w, 0, address, 16);
        shared.reading(w, Races.SEVERAL, address, 16, false);
        int bytes = t.bytes();
        for (int e = 0; e < 16 / bytes; e++) {
            long v = shared.store.get(address + e * bytes, bytes);
            to[at + e * step] = t.isFloat() ? Floats.decode(t, v) : (double) IntOps.extend(t, v);
        }
    }
}
