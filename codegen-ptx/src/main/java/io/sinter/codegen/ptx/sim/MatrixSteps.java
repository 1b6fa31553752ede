// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;

/** Loads, stores and products of matrices. */
final class MatrixSteps {
    private MatrixSteps() {}

    static Step of(Matrix instruction, Names n) {
        return switch (instruction) {
            case Matrix.LoadMatrix i -> load(i, n);
            case Matrix.StoreMatrix i -> store(i, n);
            case Matrix.Mma i -> mma(i, n);
            case Matrix.Wgmma i -> WgmmaQueue.step(i, n);
            case Matrix.WgmmaFence _ -> warpgroup(_ -> {});
            case Matrix.WgmmaCommit _ -> warpgroup(w -> w.products.commit());
            case Matrix.WgmmaWait i -> warpgroup(w -> w.products.await(i.pending()));
        };
    }

    private static Step warpgroup(java.util.function.Consumer<Warp> f) {
        return new WarpSteps.Gathered(-1) {
            @Override
            void execute(Warp w, int lanes) {
                f.accept(w);
            }
        };
    }

    private static Step load(Matrix.LoadMatrix i, Names n) {
        Names.Place from = n.place(i.space(), i.address());
        int[] d = n.results(i.d());
        return new WarpSteps.Gathered(-1) {
            @Override
            void execute(Warp w, int lanes) {
                whole(w, this, lanes);
                long[][] rows = new long[8][2];
                long[][] result = new long[d.length][Warp.LANES];
                for (int k = 0; k < d.length; k++) {
                    for (int r = 0; r < 8; r++) {
                        int lane = 8 * k + r;
                        w.access.read(from.space(), from.at(w, lane), lane, 16, false);
                        rows[r][0] = w.access.store.get(w.access.at, 8);
                        rows[r][1] = w.access.store.get(w.access.at + 8, 8);
                    }
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        int row = lane / 4;
                        int column = lane % 4 * 2;
                        result[k][lane] = i.transposed()
                                ? half(rows, column, row) | half(rows, column + 1, row) << 16
                                : half(rows, row, column) | half(rows, row, column + 1) << 16;
                    }
                }
                for (int k = 0; k < d.length; k++) System.arraycopy(result[k], 0, w.regs[d[k]], 0, Warp.LANES);
            }
        };
    }

    private static long half(long[][] rows, int row, int column) {
        return rows[row][column / 4] >>> column % 4 * 16 & 0xffff;
    }

    private static Step store(Matrix.StoreMatrix i, Names n) {
        Names.Place to = n.place(i.space(), i.address());
        int[] values = n.values(i.value(), PtxType.B32);
        return new WarpSteps.Gathered(-1) {
            @Override
            void execute(Warp w, int lanes) {
                whole(w, this, lanes);
                for (int k = 0; k < values.length; k++) {
                    long[] v = w.regs[values[k]];
                    for (int r = 0; r < 8; r++) {
                        int lane = 8 * k + r;
                        w.access.write(to.space(), to.at(w, lane), lane, 16, false);
                        for (int c = 0; c < 8; c++) {
                            // Lane l holds two elements of row l / 4, or of column l / 4 if transposed.
                            int holder = i.transposed() ? c * 4 + r / 2 : r * 4 + c / 2;
                            int j = i.transposed() ? r % 2 : c % 2;
                            w.access.store.put(w.access.at + 2 * c, 2, v[holder] >>> 16 * j & 0xffff);
                        }
                    }
                }
            }
        };
    }

    /** Matrices need all 32 lanes. */
    static void whole(Warp w, Step s, int lanes) {
        if (lanes != -1) {
            throw w.fault(
                    SimFault.Kind.DIVERGENT,
                    Integer.numberOfTrailingZeros(lanes),
                    "`" + s.text + "` is executed by lanes " + Warp.hex(lanes) + ": it needs all");
        }
    }

    private static Step mma(Matrix.Mma i, Names n) {
        int m = i.shape().m();
        int k = i.shape().k();
        boolean volta = m == 8 && i.aType() == PtxType.F16;
        if (i.shape().n() != 8 || (m != 8 && m != 16) || volta) return null;
        PtxType register = i.aType() == PtxType.F64 ? PtxType.F64 : PtxType.B32;
        int[] a = n.values(i.a(), register);
        int[] b = n.values(i.b(), register);
        int[] c = n.values(i.c(), i.cType().bits() == 64 ? PtxType.F64 : PtxType.F32);
        int[] d = n.results(i.d());
        int p = Mma.packed(i.aType());
        require(n, i.a(), a.length, m * k / (32 * p));
        require(n, i.b(), b.length, 8 * k / (32 * p));
        require(n, i.c(), c.length, m * 8 / 32 / (i.cType().bits() == 16 ? 2 : 1));
        require(n, i.d(), d.length, m * 8 / 32 / (i.dType().bits() == 16 ? 2 : 1));
        boolean fma = i.aType() == PtxType.F64;
        return new WarpSteps.Gathered(-1) {
            @Override
            void execute(Warp w, int lanes) {
                whole(w, this, lanes);
                double[] x = Mma.a(w, a, i.aType(), m, k);
                double[] y = Mma.b(w, b, i.bType(), k);
                Mma.accumulate(
                        w,
                        d,
                        i.dType(),
                        c,
                        i.cType(),
                        m,
                        i.satFinite(),
                        (row, column, old) -> fma
                                ? Mma.dot(x, y, row, column, k, true, old)
                                : Mma.dot(x, y, row, column, k, false, 0) + old);
            }
        };
    }

    static void require(Names n, Operand o, int registers, int needed) {
        if (registers != needed) throw n.malformed(o + " has " + registers + " registers, not " + needed);
    }
}
