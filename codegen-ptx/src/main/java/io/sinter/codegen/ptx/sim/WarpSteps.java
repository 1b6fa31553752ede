// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.codegen.ptx.sim.SimFault.Kind;

/** What the lanes of a warp do together. */
final class WarpSteps {
    private WarpSteps() {}

    /** A step that all lanes of a mask execute together, whichever splits they are in. */
    abstract static class Gathered extends Step.Flow {
        private final int members;

        /**
         * @param members register of the mask; −1: all lanes of the warp
         */
        Gathered(int members) {
            this.members = members;
        }

        abstract void execute(Warp w, int lanes);

        @Override
        final boolean run(Warp w, Split s, int mask) {
            if (mask == 0) {
                s.pc++;
                return true;
            }
            if (members < 0 && mask != w.live) {
                throw w.fault(
                        Kind.DIVERGENT,
                        Integer.numberOfTrailingZeros(mask),
                        "`" + text + "` is executed by lanes " + Warp.hex(mask) + " of " + Warp.hex(w.live));
            }
            int lanes = w.gather(s, mask, members < 0 ? w.live : members(w, mask));
            if (lanes == 0) return false;
            execute(w, lanes);
            w.outputs(this, lanes);
            s.pc++;
            w.settle();
            return true;
        }

        private int members(Warp w, int mask) {
            long[] m = w.regs[members];
            int first = Integer.numberOfTrailingZeros(mask);
            for (int x = mask; x != 0; x &= x - 1) {
                int lane = Integer.numberOfTrailingZeros(x);
                if (m[lane] != m[first])
                    throw w.fault(Kind.DIVERGENT, lane, "the lanes of `" + text + "` give different masks");
            }
            return (int) m[first];
        }
    }

    static Step of(WarpOp instruction, Names n) {
        return switch (instruction) {
            case WarpOp.Shuffle i -> shuffle(i, n);
            case WarpOp.Vote i -> vote(i, n);
            case WarpOp.Match i -> {
                int a = n.value(i.a(), i.type());
                int d = n.result(i.d());
                yield new Gathered(n.value(i.mask(), PtxType.B32)) {
                    @Override
                    void execute(Warp w, int lanes) {
                        long[] x = w.regs[a].clone();
                        for (int m = lanes; m != 0; m &= m - 1) {
                            int lane = Integer.numberOfTrailingZeros(m);
                            int same = 0;
                            for (int k = lanes; k != 0; k &= k - 1) {
                                int other = Integer.numberOfTrailingZeros(k);
                                if (x[other] == x[lane]) same |= 1 << other;
                            }
                            w.regs[d][lane] = (i.all() ? same == lanes ? lanes : 0 : same) & 0xffff_ffffL;
                        }
                    }
                };
            }
            case WarpOp.Reduce i -> {
                int a = n.value(i.a(), i.type());
                int d = n.result(i.d());
                yield new Gathered(n.value(i.mask(), PtxType.B32)) {
                    @Override
                    void execute(Warp w, int lanes) {
                        int first = Integer.numberOfTrailingZeros(lanes);
                        long r = w.regs[a][first];
                        for (int m = lanes & lanes - 1; m != 0; m &= m - 1) {
                            r = Atomics.next(
                                    i.op(), i.type(), r, w.regs[a][Integer.numberOfTrailingZeros(m)], 0, false);
                        }
                        for (int m = lanes; m != 0; m &= m - 1) w.regs[d][Integer.numberOfTrailingZeros(m)] = r;
                    }
                };
            }
            case WarpOp.ActiveMask i -> {
                int d = n.result(i.d());
                yield new Step.Plain() {
                    @Override
                    void run(Warp w, int mask) {
                        for (int m = mask; m != 0; m &= m - 1) {
                            w.regs[d][Integer.numberOfTrailingZeros(m)] = mask & 0xffff_ffffL;
                        }
                    }
                };
            }
            case WarpOp.Elect i -> {
                if (!(i.d() instanceof Operand.Pair pair)) yield null;
                int d = n.result(pair.first());
                int p = n.predicateResult(pair.second());
                yield new Gathered(n.value(i.mask(), PtxType.B32)) {
                    @Override
                    void execute(Warp w, int lanes) {
                        int leader = Integer.numberOfTrailingZeros(lanes);
                        for (int m = lanes; m != 0; m &= m - 1) w.regs[d][Integer.numberOfTrailingZeros(m)] = leader;
                        if (p >= 0) w.preds[p] = w.preds[p] & ~lanes | 1 << leader;
                    }
                };
            }
            case WarpOp.Barrier i ->
                new Gathered(n.value(i.mask(), PtxType.B32)) {
                    @Override
                    void execute(Warp w, int lanes) {
                        w.clock.meet(lanes, w.live);
                    }
                };
        };
    }

    private static Step shuffle(WarpOp.Shuffle i, Names n) {
        int a = n.value(i.a(), PtxType.B32);
        int b = n.value(i.b(), PtxType.B32);
        int clamp = n.value(i.clamp(), PtxType.B32);
        int mask = n.value(i.mask(), PtxType.B32);
        Operand first = i.d() instanceof Operand.Pair pair ? pair.first() : i.d();
        int d = n.result(first);
        int p = i.d() instanceof Operand.Pair pair ? n.predicateResult(pair.second()) : -1;
        return new Gathered(mask) {
            @Override
            void execute(Warp w, int lanes) {
                long[] from = w.regs[a].clone();
                int valid = w.written[a];
                int missing = 0;
                int in = 0;
                for (int m = lanes; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    int distance = (int) w.regs[b][lane] & 31;
                    int c = (int) w.regs[clamp][lane] & 31;
                    int segment = (int) w.regs[clamp][lane] >> 8 & 31;
                    int max = lane & segment | c & ~segment;
                    int min = lane & segment;
                    int source =
                            switch (i.shuffle()) {
                                case UP -> lane - distance;
                                case DOWN -> lane + distance;
                                case BFLY -> lane ^ distance;
                                case IDX -> min | distance & ~segment;
                            };
                    boolean there = i.shuffle() == WarpOp.ShuffleMode.UP ? source >= max : source <= max;
                    if (!there) source = lane;
                    else in |= 1 << lane;
                    // What comes from a lane that takes no part is undefined.
                    if ((lanes >>> source & 1) == 0 || (valid >>> source & 1) == 0) missing |= 1 << lane;
                    w.regs[d][lane] = from[source];
                }
                if (p >= 0) w.preds[p] = w.preds[p] & ~lanes | in;
                w.undefined(d, missing);
            }
        };
    }

    private static Step vote(WarpOp.Vote i, Names n) {
        Names.Predicate a = n.predicate(i.p());
        int members = n.value(i.mask(), PtxType.B32);
        int d = i.vote() == WarpOp.Vote.Mode.BALLOT ? n.result(i.d()) : -1;
        int p = i.vote() == WarpOp.Vote.Mode.BALLOT ? -1 : n.predicateResult(i.d());
        return new Gathered(members) {
            @Override
            void execute(Warp w, int lanes) {
                int holds = a.lanes(w) & lanes;
                boolean result =
                        switch (i.vote()) {
                            case ALL -> holds == lanes;
                            case ANY -> holds != 0;
                            case UNI -> holds == lanes || holds == 0;
                            case BALLOT -> false;
                        };
                if (p >= 0) w.preds[p] = w.preds[p] & ~lanes | (result ? lanes : 0);
                for (int m = lanes; d >= 0 && m != 0; m &= m - 1) {
                    w.regs[d][Integer.numberOfTrailingZeros(m)] = holds & 0xffff_ffffL;
                }
            }
        };
    }
}
