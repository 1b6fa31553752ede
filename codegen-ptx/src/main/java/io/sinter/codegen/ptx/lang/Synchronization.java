// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Barriers of CTAs and clusters, and fences. */
public sealed interface Synchronization extends Instruction {
    /**
     * A barrier of the CTA.
     *
     * @param aligned all threads of a warp execute it together; {@code bar} always is
     * @param barrier its number, 0 … 15
     * @param threads how many threads take part; null for all of the CTA
     */
    record Barrier(Action action, boolean aligned, Operand barrier, Operand threads) implements Synchronization {
        /** Whether a thread waits for the others. */
        public enum Action {
            SYNC,
            ARRIVE;

            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        public static Barrier all() {
            return new Barrier(Action.SYNC, true, new Operand.Int(0), null);
        }

        @Override
        public String opcode() {
            return (aligned ? "bar." : "barrier.") + action;
        }

        @Override
        public List<Operand> operands() {
            return threads == null ? List.of(barrier) : List.of(barrier, threads);
        }
    }

    /**
     * A barrier of the CTA that counts predicates, or tells whether all or any hold.
     *
     * @param op null to count; AND or OR
     * @param threads null for all of the CTA
     */
    record BarrierReduce(Bitwise.LogicOp op, boolean aligned, Operand d, Operand barrier, Operand threads, Operand p)
            implements Synchronization {
        @Override
        public String opcode() {
            return (aligned ? "bar.red." : "barrier.red.") + (op == null ? "popc.u32" : op + ".pred");
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>(List.of(d, barrier));
            if (threads != null) o.add(threads);
            o.add(p);
            return o;
        }
    }

    /** A barrier of all threads of the cluster: arrive, or wait for what has arrived. */
    record ClusterBarrier(boolean waiting, Memory.Order order, boolean aligned) implements Synchronization {
        @Override
        public String opcode() {
            return "barrier.cluster." + (waiting ? "wait" : "arrive") + order.modifier()
                    + Instruction.flag(aligned, "aligned");
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Orders the memory accesses of the executing thread. */
    record Fence(Kind kind) implements Synchronization {
        /** The forms that there are. */
        public enum Kind {
            MEMBAR_CTA,
            MEMBAR_GL,
            MEMBAR_SYS,
            FENCE_ACQ_REL_CTA,
            FENCE_ACQ_REL_CLUSTER,
            FENCE_ACQ_REL_GPU,
            FENCE_ACQ_REL_SYS,
            FENCE_SC_CTA,
            FENCE_SC_CLUSTER,
            FENCE_SC_GPU,
            FENCE_SC_SYS,
            /** Between accesses by threads and those by bulk copies and matrix products. */
            FENCE_PROXY_ASYNC("fence.proxy.async"),
            FENCE_PROXY_ASYNC_GLOBAL("fence.proxy.async.global"),
            FENCE_PROXY_ASYNC_SHARED_CTA("fence.proxy.async.shared::cta"),
            FENCE_PROXY_ASYNC_SHARED_CLUSTER("fence.proxy.async.shared::cluster"),
            FENCE_PROXY_ALIAS("fence.proxy.alias"),
            /** Makes the initialisation of mbarriers visible to the cluster. */
            FENCE_MBARRIER_INIT("fence.mbarrier_init.release.cluster");

            private final String text;

            Kind() {
                text = name().toLowerCase(Locale.ROOT).replace('_', '.').replace("acq.rel", "acq_rel");
            }

            Kind(String text) {
                this.text = text;
            }

            /** The kind of an opcode; null if there is none. */
            public static Kind find(String opcode) {
                for (Kind k : values()) if (k.text.equals(opcode)) return k;
                return null;
            }

            @Override
            public String toString() {
                return text;
            }
        }

        @Override
        public String opcode() {
            return kind.toString();
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }
}
