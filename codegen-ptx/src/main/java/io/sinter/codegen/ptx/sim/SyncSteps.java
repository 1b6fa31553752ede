// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Synchronization;
import io.sinter.codegen.ptx.sim.SimFault.Kind;

/** Barriers of CTAs and clusters. Fences order nothing that the simulator would otherwise reorder. */
final class SyncSteps {
    private SyncSteps() {}

    static Step of(Synchronization instruction, Names n) {
        return switch (instruction) {
            case Synchronization.Barrier i ->
                new Barrier(
                        i.action() == Synchronization.Barrier.Action.SYNC,
                        i.aligned(),
                        n.value(i.barrier(), PtxType.U32),
                        i.threads() == null ? -1 : n.value(i.threads(), PtxType.U32),
                        null,
                        null);
            case Synchronization.BarrierReduce i -> {
                Names.Predicate p = n.predicate(i.p());
                int number = n.value(i.barrier(), PtxType.U32);
                int threads = i.threads() == null ? -1 : n.value(i.threads(), PtxType.U32);
                CtaBarriers.Result result;
                if (i.op() == null) {
                    int d = n.result(i.d());
                    result = (w, s, holds, _) -> {
                        for (int m = s.mask; m != 0; m &= m - 1) w.regs[d][Integer.numberOfTrailingZeros(m)] = holds;
                        w.written[d] |= s.mask;
                    };
                } else if (i.op() == Bitwise.LogicOp.XOR) {
                    yield null;
                } else {
                    int d = n.predicateResult(i.d());
                    result = (w, s, holds, arrived) -> {
                        boolean r = i.op() == Bitwise.LogicOp.OR ? holds > 0 : holds == arrived;
                        w.preds[d] = w.preds[d] & ~s.mask | (r ? s.mask : 0);
                        w.predicateWritten[d] |= s.mask;
                    };
                }
                yield new Barrier(true, i.aligned(), number, threads, p, result);
            }
            case Synchronization.ClusterBarrier i ->
                new Step.Flow() {
                    @Override
                    boolean run(Warp w, Split s, int mask) {
                        if (mask != 0) {
                            if (i.aligned() && mask != w.live) throw divergent(w, this, mask);
                            if (!i.waiting()) {
                                w.clusterPhase = w.cta.cluster.arrive(mask);
                            } else if (!w.cta.cluster.isComplete(w.clusterPhase)) {
                                s.state = Split.State.POLLING;
                                return false;
                            }
                        }
                        s.pc++;
                        return true;
                    }
                };
            case Synchronization.Fence _ -> new ControlSteps.Nothing();
        };
    }

    private static SimFault divergent(Warp w, Step s, int mask) {
        return w.fault(
                Kind.DIVERGENT,
                Integer.numberOfTrailingZeros(mask),
                "`" + s.text + "` is executed by lanes " + Warp.hex(mask) + " of " + Warp.hex(w.live));
    }

    private static final class Barrier extends Step.Flow {
        private final boolean waits;
        private final boolean aligned;
        private final int number;
        private final int threads;
        private final Names.Predicate p;
        private final CtaBarriers.Result result;

        Barrier(boolean waits, boolean aligned, int number, int threads, Names.Predicate p, CtaBarriers.Result result) {
            this.waits = waits;
            this.aligned = aligned;
            this.number = number;
            this.threads = threads;
            this.p = p;
            this.result = result;
        }

        @Override
        boolean run(Warp w, Split s, int mask) {
            if (mask == 0) {
                s.pc++;
                return true;
            }
            int lane = Integer.numberOfTrailingZeros(mask);
            if (mask != s.mask || (aligned && mask != w.live)) throw divergent(w, this, mask);
            long b = w.regs[number][lane];
            long t = threads < 0 ? 0 : w.regs[threads][lane];
            for (int m = mask; m != 0; m &= m - 1) {
                int x = Integer.numberOfTrailingZeros(m);
                if (w.regs[number][x] != b || (threads >= 0 && w.regs[threads][x] != t)) {
                    throw w.fault(Kind.DIVERGENT, x, "the lanes of a warp name different barriers");
                }
            }
            if (b >= CtaBarriers.COUNT) throw w.fault(Kind.INVALID_OPERAND, lane, "there is no barrier " + b);
            if (threads >= 0 && (t == 0 || t % Warp.LANES != 0)) {
                throw w.fault(Kind.INVALID_OPERAND, lane, t + " threads at a barrier: a multiple of 32 is asked for");
            }
            if (waits) s.state = Split.State.BARRIER;
            int holds = p == null ? 0 : Integer.bitCount(p.lanes(w) & mask);
            int count = aligned ? Warp.LANES : Integer.bitCount(mask);
            int here = s.pc;
            w.cta.barriers.arrive(
                    (int) b,
                    w,
                    waits ? s : null,
                    mask,
                    (int) t,
                    p == null ? count : Integer.bitCount(mask),
                    holds,
                    result);
            if (!waits) {
                s.pc++;
                return true;
            }
            // The last to arrive goes on at once.
            return s.state == Split.State.RUNNING && s.pc != here;
        }
    }
}
