// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.sim.SimFault.Kind;

/** {@code cp.async}, and the bulk copies. */
final class CopySteps {
    private CopySteps() {}

    /** Does something for each lane. */
    interface PerLane {
        void run(Warp w, int lane);
    }

    static Step each(PerLane f) {
        return new Step.Plain() {
            @Override
            void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) f.run(w, Integer.numberOfTrailingZeros(m));
            }
        };
    }

    static Step of(AsyncCopy instruction, Names n) {
        return switch (instruction) {
            case AsyncCopy.Copy i -> {
                if (i.bytes() != 16 && (i.global() || (i.bytes() != 4 && i.bytes() != 8))) yield null;
                Names.Place to = n.place(Space.SHARED, i.target());
                Names.Place from = n.place(Space.GLOBAL, i.address());
                int source = i.source() == null ? -1 : n.value(i.source(), PtxType.U32);
                yield each((w, lane) -> copy(w, lane, to, from, i.bytes(), source));
            }
            case AsyncCopy.Commit _ -> each((w, lane) -> w.copies.commit(lane));
            case AsyncCopy.Wait i -> each((w, lane) -> w.copies.await(lane, i.pending()));
            case AsyncCopy.ArriveOnCopies i -> {
                Names.Place at = n.place(Space.SHARED, i.barrier());
                yield each((w, lane) -> {
                    Mbarriers.Barrier b = Mbarriers.find(w, Space.SHARED, at.at(w, lane), lane);
                    if (!i.noInc()) b.expectMore(1);
                    Runnable copies = w.copies.detach(lane);
                    Step at0 = w.step();
                    w.cta.cluster.later(() -> {
                        Step now = w.step();
                        w.resume(at0);
                        copies.run();
                        b.arrive(w, lane, 1, 0);
                        w.resume(now);
                    });
                });
            }
            case AsyncCopy.Bulk i -> BulkSteps.bulk(i, n);
            case AsyncCopy.BulkTensor i -> BulkSteps.tensor(i, n);
            case AsyncCopy.BulkCommit _ -> each((w, lane) -> w.bulk.commit(lane));
            case AsyncCopy.BulkWait i -> each((w, lane) -> w.bulk.await(lane, i.pending()));
            case AsyncCopy.PrefetchTensorMap _ -> new ControlSteps.Nothing();
        };
    }

    private static void copy(Warp w, int lane, Names.Place to, Names.Place from, int bytes, int source) {
        int n = bytes;
        if (source >= 0) {
            long s = w.regs[source][lane];
            if (s > bytes)
                throw w.fault(Kind.INVALID_OPERAND, lane, "a copy of " + bytes + " bytes from a source of " + s);
            n = (int) s;
        }
        long address = from.at(w, lane);
        if (address % bytes != 0) {
            throw w.fault(
                    Kind.MISALIGNED,
                    lane,
                    "global address " + DeviceMemory.hex(address) + " is no multiple of " + bytes);
        }
        if (n > 0) {
            w.access.locate(Space.GLOBAL, address, lane, n);
        }
        long target = to.at(w, lane);
        w.access.shared(Space.SHARED, target, lane, bytes);
        w.copies.issue(lane, w.access.at, address, bytes, n);
    }
}
