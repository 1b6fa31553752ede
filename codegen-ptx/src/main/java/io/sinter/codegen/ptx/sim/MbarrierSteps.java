// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Mbarrier;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;

/** The operations on mbarriers. The state that an arrival returns is the number of its phase. */
final class MbarrierSteps {
    private MbarrierSteps() {}

    static Step of(Mbarrier instruction, Names n) {
        return switch (instruction) {
            case Mbarrier.Init i -> {
                Names.Place at = n.place(Space.SHARED, i.barrier());
                int count = n.value(i.count(), PtxType.U32);
                yield CopySteps.each((w, lane) -> Mbarriers.init(w, at.at(w, lane), lane, w.regs[count][lane]));
            }
            case Mbarrier.Invalidate i -> {
                Names.Place at = n.place(Space.SHARED, i.barrier());
                yield CopySteps.each((w, lane) -> Mbarriers.invalidate(w, at.at(w, lane), lane));
            }
            case Mbarrier.Arrive i -> {
                Names.Place at = n.place(i.space(), i.barrier());
                int operand = i.operand() == null ? -1 : n.value(i.operand(), PtxType.U32);
                int state = i.state() == null || i.state() instanceof Operand.Sink ? -1 : n.result(i.state());
                yield CopySteps.each((w, lane) -> {
                    Mbarriers.Barrier b = Mbarriers.find(w, i.space(), at.at(w, lane), lane);
                    long phase = b.phase();
                    long value = operand < 0 ? 1 : w.regs[operand][lane];
                    if (i.expectBytes()) b.expectBytes(value);
                    int count = i.expectBytes() ? 1 : (int) value;
                    b.arrive(w, lane, count, i.drop() ? count : 0);
                    if (state >= 0) w.regs[state][lane] = phase;
                });
            }
            case Mbarrier.Transaction i -> {
                Names.Place at = n.place(i.space(), i.barrier());
                int bytes = n.value(i.bytes(), PtxType.U32);
                yield CopySteps.each((w, lane) -> {
                    Mbarriers.Barrier b = Mbarriers.find(w, i.space(), at.at(w, lane), lane);
                    if (i.complete()) b.completeBytes(w.regs[bytes][lane]);
                    else b.expectBytes(w.regs[bytes][lane]);
                });
            }
            case Mbarrier.Test i -> {
                Names.Place at = n.place(i.space(), i.barrier());
                int phase = n.value(i.phase(), i.parity() ? PtxType.U32 : PtxType.U64);
                yield new Test(i, at, phase, n.predicateResult(i.done()));
            }
        };
    }

    private static final class Test extends Step.Flow {
        private final Mbarrier.Test i;
        private final Names.Place at;
        private final int phase;
        private final int done;

        Test(Mbarrier.Test i, Names.Place at, int phase, int done) {
            this.i = i;
            this.at = at;
            this.phase = phase;
            this.done = done;
        }

        @Override
        boolean run(Warp w, Split s, int mask) {
            int holds = 0;
            Mbarriers.Barrier known = null;
            int lanes = 0;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                Mbarriers.Barrier b = Mbarriers.find(w, i.space(), at.at(w, lane), lane);
                long p = w.regs[phase][lane];
                if (i.parity() ? (b.phase() & 1) != (p & 1) : b.phase() > p) {
                    holds |= 1 << lane;
                    if (known != null && known != b) {
                        known.acquire(w, lanes);
                        lanes = 0;
                    }
                    known = b;
                    lanes |= 1 << lane;
                }
            }
            if (known != null) known.acquire(w, lanes);
            // Who may sleep does so while no lane has anything to do.
            if (mask != 0 && holds == 0 && i.suspend()) {
                s.state = Split.State.POLLING;
                return false;
            }
            if (done >= 0) w.preds[done] = w.preds[done] & ~mask | holds;
            w.outputs(this, mask);
            s.pc++;
            return true;
        }
    }
}
