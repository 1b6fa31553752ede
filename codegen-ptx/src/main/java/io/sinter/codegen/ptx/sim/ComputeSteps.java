// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.PtxType;

/** Steps that compute lane by lane. Where not all lanes take part, all are computed and those that do are kept. */
final class ComputeSteps {
    private ComputeSteps() {}

    /** Of some operands into one register. */
    abstract static class Lanewise extends Step.Plain {
        private final int d;

        Lanewise(int d) {
            this.d = d;
        }

        abstract void compute(Warp w, long[] to);

        @Override
        final void run(Warp w, int mask) {
            long[] to = w.regs[d];
            if (mask == -1) {
                compute(w, to);
            } else {
                compute(w, w.scratch);
                merge(to, w.scratch, mask);
            }
        }
    }

    /** Keeps the lanes of a mask. */
    static void merge(long[] to, long[] from, int mask) {
        for (int m = mask; m != 0; m &= m - 1) {
            int i = Integer.numberOfTrailingZeros(m);
            to[i] = from[i];
        }
    }

    static Step one(LaneOp.One op, int d, int a) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                op.run(to, w.regs[a]);
            }
        };
    }

    static Step two(LaneOp.Two op, int d, int a, int b) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                op.run(to, w.regs[a], w.regs[b]);
            }
        };
    }

    static Step three(LaneOp.Three op, int d, int a, int b, int c) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                op.run(to, w.regs[a], w.regs[b], w.regs[c]);
            }
        };
    }

    static Step insert(PtxType t, int d, int a, int b, int pos, int len) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                long[] x = w.regs[a];
                long[] y = w.regs[b];
                long[] p = w.regs[pos];
                long[] n = w.regs[len];
                for (int i = 0; i < Warp.LANES; i++) to[i] = IntOps.insert(t, x[i], y[i], p[i], n[i]);
            }
        };
    }

    static Step select(int d, int a, int b, Names.Predicate p) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                int m = p.lanes(w);
                long[] x = w.regs[a];
                long[] y = w.regs[b];
                for (int i = 0; i < Warp.LANES; i++) to[i] = (m >>> i & 1) != 0 ? x[i] : y[i];
            }
        };
    }

    /** Packs values of {@code bits} each, the first into the low bits. */
    static Step pack(int bits, int d, int[] parts) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                long[] packed = new long[Warp.LANES];
                for (int k = 0; k < parts.length; k++) {
                    long[] x = w.regs[parts[k]];
                    for (int i = 0; i < Warp.LANES; i++) packed[i] |= (x[i] & IntOps.mask(bits)) << k * bits;
                }
                System.arraycopy(packed, 0, to, 0, Warp.LANES);
            }
        };
    }

    static Step unpack(int bits, int[] parts, int a) {
        return new Step.Plain() {
            @Override
            void run(Warp w, int mask) {
                long[] x = w.regs[a].clone();
                for (int k = 0; k < parts.length; k++) {
                    for (int i = 0; i < Warp.LANES; i++) w.scratch[i] = x[i] >>> k * bits & IntOps.mask(bits);
                    merge(w.regs[parts[k]], w.scratch, mask);
                }
            }
        };
    }

    /** Computes a mask of lanes. */
    interface Lanes {
        int of(Warp w);
    }

    /** Writes a predicate, and another of the opposite; −1 for neither. */
    static Step predicate(int p, int q, Lanes value, Lanes opposite) {
        return new Step.Plain() {
            @Override
            void run(Warp w, int mask) {
                int v = value.of(w);
                int o = opposite == null ? 0 : opposite.of(w);
                if (p >= 0) w.preds[p] = w.preds[p] & ~mask | v & mask;
                if (q >= 0) w.preds[q] = w.preds[q] & ~mask | o & mask;
            }
        };
    }

    /** A relation combined with a predicate; null {@code combine} for none. */
    static Lanes combined(Lanes relation, Bitwise.LogicOp combine, Names.Predicate c) {
        return switch (combine) {
            case null -> relation;
            case AND -> w -> relation.of(w) & c.lanes(w);
            case OR -> w -> relation.of(w) | c.lanes(w);
            case XOR -> w -> relation.of(w) ^ c.lanes(w);
        };
    }

    /** Writes one of two values by a relation. */
    static Step value(int d, Lanes condition, long yes) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                int m = condition.of(w);
                for (int i = 0; i < Warp.LANES; i++) to[i] = (m >>> i & 1) != 0 ? yes : 0;
            }
        };
    }

    static Step test(int p, Comparison.TestFloat.FloatClass c, PtxType t, int a) {
        return predicate(
                p,
                -1,
                w -> {
                    int m = 0;
                    for (int i = 0; i < Warp.LANES; i++) if (FloatOps.is(c, t, w.regs[a][i])) m |= 1 << i;
                    return m;
                },
                null);
    }

    /** Sums and differences with carry. */
    static Step carry(boolean subtract, boolean in, boolean out, int bits, int d, int a, int b) {
        return new Step.Plain() {
            @Override
            void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int i = Integer.numberOfTrailingZeros(m);
                    long x = w.regs[a][i];
                    long y = w.regs[b][i];
                    long c = in ? w.carry[i] : 0;
                    long r = (subtract ? x - y - c : x + y + c) & IntOps.mask(bits);
                    if (out) {
                        boolean carried = subtract
                                ? Long.compareUnsigned(x, y) < 0 || (x == y && c != 0)
                                : Long.compareUnsigned(r, x) < 0 || (r == x && (y != 0 || c != 0));
                        w.carry[i] = carried ? 1 : 0;
                    }
                    w.regs[d][i] = r;
                }
            }
        };
    }

    /** Time as seen by a warp: instructions that it has executed. */
    static Step clock(int d, int shift) {
        return new Lanewise(d) {
            @Override
            void compute(Warp w, long[] to) {
                java.util.Arrays.fill(to, w.ticks >>> shift);
            }
        };
    }
}
