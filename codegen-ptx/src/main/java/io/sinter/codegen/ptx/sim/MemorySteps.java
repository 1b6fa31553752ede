// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;

/** Loads, stores and atomic operations. */
final class MemorySteps {
    private MemorySteps() {}

    static Step of(Memory instruction, Names n) {
        return switch (instruction) {
            case Memory.Load i -> {
                Names.Place from = n.place(i.space(), i.address());
                int[] d = n.results(i.d());
                yield new Load(from, i.type(), d, registerBits(i.d()), isStrong(i.order()));
            }
            case Memory.Store i -> {
                Names.Place to = n.place(i.space(), i.address());
                yield new Store(to, i.type(), n.values(i.value(), i.type()), isStrong(i.order()));
            }
            case Memory.Prefetch _ -> new ControlSteps.Nothing();
            case Memory.Atomic i -> {
                if (i.b() instanceof Operand.Vector || i.type().bits() > 64) yield null;
                Names.Place at = n.place(i.space(), i.address());
                int b = n.value(i.b(), i.type());
                int c = i.c() == null ? -1 : n.value(i.c(), i.type());
                yield new Atomic(at, i, i.d() == null ? -1 : n.result(i.d()), b, c);
            }
        };
    }

    /** Volatile and ordered accesses may meet others of their kind. */
    private static boolean isStrong(Memory.Order o) {
        return o != Memory.Order.NONE && o != Memory.Order.WEAK;
    }

    private static int[] registerBits(Operand d) {
        if (d instanceof Operand.Vector v)
            return v.elements().stream().mapToInt(e -> Names.bits(e, 64)).toArray();
        return new int[] {Names.bits(d, 64)};
    }

    private static final class Load extends Step.Plain {
        private final Names.Place from;
        private final PtxType type;
        private final int[] d;
        private final long[] keep;
        private final boolean strong;

        Load(Names.Place from, PtxType type, int[] d, int[] bits, boolean strong) {
            this.from = from;
            this.type = type;
            this.d = d;
            this.strong = strong;
            keep = new long[bits.length];
            for (int k = 0; k < bits.length; k++) keep[k] = IntOps.mask(bits[k]);
        }

        @Override
        void run(Warp w, int mask) {
            int bytes = type.bytes();
            Access access = w.access;
            boolean signed = type.isSigned();
            // Lane by lane: a result may be the register of the address.
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                access.read(from.space(), from.at(w, lane), lane, bytes * d.length, strong);
                for (int k = 0; k < d.length; k++) {
                    long v = access.store.get(access.at + k * bytes, bytes);
                    w.regs[d[k]][lane] = signed ? IntOps.extend(type, v) & keep[k] : v;
                }
            }
        }
    }

    private static final class Store extends Step.Plain {
        private final Names.Place to;
        private final int bytes;
        private final int[] values;
        private final boolean strong;

        Store(Names.Place to, PtxType type, int[] values, boolean strong) {
            this.to = to;
            this.bytes = type.bytes();
            this.values = values;
            this.strong = strong;
        }

        @Override
        void run(Warp w, int mask) {
            Access access = w.access;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                access.write(to.space(), to.at(w, lane), lane, bytes * values.length, strong);
                for (int k = 0; k < values.length; k++)
                    access.store.put(access.at + k * bytes, bytes, w.regs[values[k]][lane]);
            }
        }
    }

    private static final class Atomic extends Step.Plain {
        private final Names.Place at;
        private final Memory.Atomic i;
        private final int bytes;
        private final int d;
        private final int b;
        private final int c;

        Atomic(Names.Place at, Memory.Atomic i, int d, int b, int c) {
            this.at = at;
            this.i = i;
            this.bytes = i.type().bytes();
            this.d = d;
            this.b = b;
            this.c = c;
        }

        @Override
        void run(Warp w, int mask) {
            Access access = w.access;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                Space s = access.update(at.space(), at.at(w, lane), lane, bytes);
                long old = access.store.get(access.at, bytes);
                long next = Atomics.next(
                        i.op(), i.type(), old, w.regs[b][lane], c < 0 ? 0 : w.regs[c][lane], s == Space.GLOBAL);
                access.store.put(access.at, bytes, next);
                if (d >= 0) w.regs[d][lane] = old;
            }
        }
    }
}
