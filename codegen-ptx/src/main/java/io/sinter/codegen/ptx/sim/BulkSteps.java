// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.sim.SimFault.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Bulk copies and bulk tensor copies. Each is announced when it is issued, and happens at any time until it is waited for. */
final class BulkSteps {
    private static final int UNIT = 16;

    private BulkSteps() {}

    /** A copy as an agent of its own, with what its issuer had seen. */
    private static final class Copier extends Agent {
        private final Warp warp;
        private final Step step;
        private final int lane;
        private final int clock;
        /** What the issuing lane knew, and had done. */
        private final int[] known;

        Copier(Warp warp, int lane) {
            super(warp.cta, warp.agents - 1, warp.options, warp.agents);
            known = warp.clock.handOver(lane);
            this.warp = warp;
            this.lane = lane;
            step = warp.step();
            clock = warp.cta.asyncClock++;
        }

        @Override
        int clock() {
            return clock;
        }

        @Override
        int known(int unused, int agent) {
            return known[agent];
        }

        @Override
        boolean knows(int unused, int agent, int other, int at) {
            return agent == id || warp.clock.holds(known, agent, other, at);
        }

        @Override
        SimFault fault(Kind kind, int unused, String message) {
            Step now = warp.step();
            warp.resume(step);
            SimFault f = warp.fault(kind, lane, message);
            warp.resume(now);
            return f;
        }
    }

    static Step bulk(AsyncCopy.Bulk i, Names n) {
        Space target = i.toShared() ? Space.SHARED_CLUSTER : Space.GLOBAL;
        Names.Place to = n.place(i.toShared() ? Space.SHARED : Space.GLOBAL, i.target());
        Names.Place from = n.place(i.toShared() ? Space.GLOBAL : Space.SHARED, i.address());
        Names.Place barrier = i.barrier() == null ? null : n.place(Space.SHARED, i.barrier());
        int size = n.value(i.bytes(), PtxType.U32);
        int multicast = i.multicast() == null ? -1 : n.value(i.multicast(), PtxType.U16);
        return CopySteps.each((w, lane) -> {
            int bytes = (int) w.regs[size][lane];
            long t = to.at(w, lane);
            long f = from.at(w, lane);
            if (bytes % UNIT != 0 || t % UNIT != 0 || f % UNIT != 0) {
                throw w.fault(
                        Kind.MISALIGNED,
                        lane,
                        "addresses and size of a bulk copy are multiples of 16: " + bytes + " bytes from "
                                + DeviceMemory.hex(f) + " to " + DeviceMemory.hex(t));
            }
            long global = i.toShared() ? f : t;
            if (w.cta.grid.memory.find(global, bytes) == null) {
                w.access.locate(Space.GLOBAL, global, lane, bytes);
            }
            if (i.toShared()) {
                toShared(
                        w,
                        lane,
                        target,
                        t,
                        barrier.at(w, lane),
                        bytes,
                        multicast < 0 ? 0 : (int) w.regs[multicast][lane],
                        (data, written) -> {
                            DeviceMemory.Allocation a = w.cta.grid.memory.find(f, bytes);
                            if (a == null) throw w.fault(Kind.OUT_OF_BOUNDS, lane, "the source of a copy was freed");
                            int at = (int) (f - a.base);
                            System.arraycopy(a.store.data, at, data, 0, bytes);
                            for (int k = 0; k < bytes; k++) written[k] = a.store.written.get(at + k);
                        });
            } else {
                toGlobal(w, lane, f, bytes, (data, written) -> {
                    DeviceMemory.Allocation a = w.cta.grid.memory.find(t, bytes);
                    if (a == null) throw w.fault(Kind.OUT_OF_BOUNDS, lane, "the target of a copy was freed");
                    int at = (int) (t - a.base);
                    System.arraycopy(data, 0, a.store.data, at, bytes);
                    a.store.written.fill(at, bytes, true);
                });
            }
        });
    }

    /** Moves bytes between a box and memory; {@code written} tells which bytes hold values. */
    private interface Transfer {
        void move(byte[] data, boolean[] written);
    }

    private static void toShared(
            Warp w, int lane, Space space, long target, long barrier, int bytes, int multicast, Transfer source) {
        w.access.shared(space, target, lane, UNIT);
        int at = w.access.at;
        List<Cta> ctas = new ArrayList<>();
        if (multicast == 0) {
            ctas.add(cta(w, w.access.shared(space, target, lane, UNIT)));
        } else {
            for (Cta c : w.cta.cluster.ctas) if ((multicast >> c.rank & 1) != 0) ctas.add(c);
        }
        for (Cta c : ctas) {
            for (int k = 0; k < bytes; k += UNIT) {
                c.shared.check(w, lane, at + k, UNIT);
                c.shared.announce(w, lane, at + k, UNIT);
            }
        }
        List<Mbarriers.Barrier> barriers = new ArrayList<>();
        if (multicast == 0) {
            barriers.add(Mbarriers.find(w, space, barrier, lane));
        } else {
            for (Cta c : ctas) {
                long there = (long) c.rank + 1 << Window.RANK_SHIFT | barrier & Window.OFFSET_MASK;
                barriers.add(Mbarriers.find(w, Space.SHARED_CLUSTER, there, lane));
            }
        }
        Copier agent = new Copier(w, lane);
        w.cta.cluster.later(() -> {
            byte[] data = new byte[bytes];
            boolean[] written = new boolean[bytes];
            source.move(data, written);
            for (int x = 0; x < ctas.size(); x++) {
                SharedMemory s = ctas.get(x).shared;
                s.arrived(at, bytes);
                for (int k = 0; k < bytes; k += UNIT) s.writing(agent, 0, at + k, UNIT, false);
                System.arraycopy(data, 0, s.store.data, at, bytes);
                for (int k = 0; k < bytes; k++) s.store.written.put(at + k, 1, written[k]);
                barriers.get(x).arrived(bytes, agent.id, agent.clock);
            }
        });
    }

    private static Cta cta(Warp w, SharedMemory s) {
        for (Cta c : w.cta.cluster.ctas) if (c.shared == s) return c;
        throw new IllegalStateException("shared memory of no CTA");
    }

    private static void toGlobal(Warp w, int lane, long source, int bytes, Transfer target) {
        w.access.shared(Space.SHARED, source, lane, UNIT);
        SharedMemory s = w.cta.shared;
        int at = w.access.at;
        for (int k = 0; k < bytes; k += UNIT) s.check(w, lane, at + k, UNIT);
        for (int k = 0; k < bytes; k += UNIT) s.reading(w, lane, at + k, UNIT, false);
        Copier agent = new Copier(w, lane);
        BulkGroups.Copy copy = new BulkGroups.Copy() {
            @Override
            void copy() {
                for (int k = 0; k < bytes; k += UNIT) s.reading(agent, 0, at + k, UNIT, false);
                byte[] data = Arrays.copyOfRange(s.store.data, at, at + bytes);
                target.move(data, null);
            }
        };
        copy.clock = agent.clock;
        w.bulk.add(lane, copy);
        w.cta.cluster.later(copy);
    }

    static Step tensor(AsyncCopy.BulkTensor i, Names n) {
        int rank = i.tensor().coordinates().size();
        int map = n.value(i.tensor().map(), PtxType.U64);
        int[] coordinates = i.tensor().coordinates().stream()
                .mapToInt(c -> n.value(c, PtxType.S32))
                .toArray();
        Names.Place shared = n.place(Space.SHARED, i.shared());
        Names.Place barrier = i.barrier() == null ? null : n.place(Space.SHARED, i.barrier());
        int multicast = i.multicast() == null ? -1 : n.value(i.multicast(), PtxType.U16);
        if (i.reduction() == Memory.AtomicOp.EXCH || i.reduction() == Memory.AtomicOp.CAS) return null;
        return CopySteps.each((w, lane) -> {
            long address = w.regs[map][lane];
            w.access.locate(Space.GENERIC, address, lane, 64);
            if (w.access.at + TensorMap.BYTES > w.access.store.data.length) {
                throw w.fault(Kind.OUT_OF_BOUNDS, lane, "no tensor map at " + DeviceMemory.hex(address));
            }
            TensorMap m = TensorMap.decode(w.access.store.data, w.access.at);
            if (m == null) throw w.fault(Kind.INVALID_OPERAND, lane, "no tensor map at " + DeviceMemory.hex(address));
            if (m.rank() != rank)
                throw w.fault(Kind.INVALID_OPERAND, lane, rank + " coordinates in a tensor of rank " + m.rank());
            int[] first = new int[rank];
            for (int d = 0; d < rank; d++) first[d] = (int) w.regs[coordinates[d]][lane];
            long at = shared.at(w, lane);
            int alignment = m.swizzle == Swizzle.NONE ? 128 : m.swizzle.width() * 8;
            if (at % 128 != 0) {
                throw w.fault(
                        Kind.MISALIGNED, lane, "shared address " + at + " of a tensor copy is no multiple of 128");
            }
            if (at % alignment != 0) {
                throw w.fault(
                        Kind.MISALIGNED,
                        lane,
                        "shared address " + at + " is no multiple of " + alignment + ", as the swizzle asks");
            }
            int base = (int) (at & Window.OFFSET_MASK);
            if (i.toShared()) {
                toShared(
                        w,
                        lane,
                        Space.SHARED_CLUSTER,
                        at,
                        barrier.at(w, lane),
                        m.boxBytes(),
                        multicast < 0 ? 0 : (int) w.regs[multicast][lane],
                        (data, written) -> box(
                                w,
                                lane,
                                m,
                                first,
                                base,
                                (offset, global) -> load(w, m, data, written, offset, global)));
            } else {
                toGlobal(
                        w,
                        lane,
                        at,
                        m.boxBytes(),
                        (data, _) -> box(
                                w,
                                lane,
                                m,
                                first,
                                base,
                                (offset, global) -> store(w, lane, i, m, data, offset, global)));
            }
        });
    }

    /** An element of a box: its place in shared memory, from the box's beginning, and its address; −1 if it is out of bounds. */
    private interface Element {
        void at(int offset, long global);
    }

    private static void box(Warp w, int lane, TensorMap m, int[] first, int base, Element f) {
        int[] index = new int[m.rank()];
        int count = m.boxBytes() / m.elementBytes;
        for (int e = 0; e < count; e++) {
            long address = m.address;
            boolean in = true;
            for (int d = 0; d < index.length; d++) {
                long c = (long) first[d] + index[d];
                in &= c >= 0 && c < m.extents[d];
                address += c * m.strides[d];
            }
            int offset = m.swizzle.apply(base + e * m.elementBytes) - base;
            if (in && w.cta.grid.memory.find(address, m.elementBytes) == null) {
                throw w.fault(Kind.OUT_OF_BOUNDS, lane, "a tensor map reaches " + w.cta.grid.memory.describe(address));
            }
            f.at(offset, in ? address : -1);
            for (int d = 0; d < index.length && ++index[d] == m.box[d]; d++) index[d] = 0;
        }
    }

    private static void load(Warp w, TensorMap m, byte[] data, boolean[] written, int offset, long global) {
        if (global < 0) {
            Arrays.fill(written, offset, offset + m.elementBytes, true);
            return;
        }
        DeviceMemory.Allocation a = w.cta.grid.memory.find(global, m.elementBytes);
        int at = (int) (global - a.base);
        for (int k = 0; k < m.elementBytes; k++) {
            data[offset + k] = a.store.data[at + k];
            written[offset + k] = a.store.written.get(at + k);
        }
    }

    private static void store(
            Warp w, int lane, AsyncCopy.BulkTensor i, TensorMap m, byte[] data, int offset, long global) {
        if (global < 0) return;
        DeviceMemory.Allocation a = w.cta.grid.memory.find(global, m.elementBytes);
        int at = (int) (global - a.base);
        if (i.reduction() == null) {
            for (int k = 0; k < m.elementBytes; k++) a.store.data[at + k] = data[offset + k];
            a.store.written.put(at, m.elementBytes, true);
            return;
        }
        // The type is in a driver's map, which the simulator's lacks: sums of f32 are what kernels ask for.
        if (m.elementBytes != 4 || i.reduction() != Memory.AtomicOp.ADD) {
            throw w.fault(Kind.INVALID_OPERAND, lane, "a tensor reduction other than the sum of f32 is not simulated");
        }
        Store box = new Store(4);
        System.arraycopy(data, offset, box.data, 0, 4);
        a.store.put(at, 4, Atomics.next(Memory.AtomicOp.ADD, PtxType.F32, a.store.get(at, 4), box.get(0, 4), 0, true));
    }
}
