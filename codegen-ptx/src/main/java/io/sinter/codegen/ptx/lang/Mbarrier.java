// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;

/** Barriers in shared memory that count arrivals of threads and bytes of asynchronous copies, phase after phase. */
public sealed interface Mbarrier extends Instruction {
    Operand.Address barrier();

    /** Makes a barrier that expects {@code count} arrivals in each phase. */
    record Init(Operand.Address barrier, Operand count) implements Mbarrier {
        @Override
        public String opcode() {
            return "mbarrier.init.shared.b64";
        }

        @Override
        public List<Operand> operands() {
            return List.of(barrier, count);
        }
    }

    /** Ends a barrier, so that its memory can be used otherwise. */
    record Invalidate(Operand.Address barrier) implements Mbarrier {
        @Override
        public String opcode() {
            return "mbarrier.inval.shared.b64";
        }

        @Override
        public List<Operand> operands() {
            return List.of(barrier);
        }
    }

    /**
     * Arrives.
     *
     * @param drop the thread leaves: later phases expect one fewer
     * @param expectBytes first raises the bytes that the phase waits for, by {@code operand}
     * @param noComplete the caller knows that the phase does not end
     * @param space SHARED, SHARED_CTA, or SHARED_CLUSTER for a barrier of another CTA
     * @param state the phase that was arrived at; {@link Operand.Sink}, or null where the form has none
     * @param operand count of arrivals or bytes; null for one arrival
     */
    record Arrive(
            boolean drop,
            boolean expectBytes,
            boolean noComplete,
            Memory.Order order,
            Memory.Scope scope,
            Space space,
            Operand state,
            Operand.Address barrier,
            Operand operand)
            implements Mbarrier {
        @Override
        public String opcode() {
            return (drop ? "mbarrier.arrive_drop" : "mbarrier.arrive")
                    + Instruction.flag(expectBytes, "expect_tx")
                    + Instruction.flag(noComplete, "noComplete")
                    + order.modifier() + scope.modifier() + space.modifier() + ".b64";
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>();
            if (state != null) o.add(state);
            o.add(barrier);
            if (operand != null) o.add(operand);
            return o;
        }
    }

    /** Raises or (complete) lowers the bytes that the current phase waits for, without arriving. */
    record Transaction(
            boolean complete,
            Memory.Order order,
            Memory.Scope scope,
            Space space,
            Operand.Address barrier,
            Operand bytes)
            implements Mbarrier {
        @Override
        public String opcode() {
            return "mbarrier." + (complete ? "complete_tx" : "expect_tx") + order.modifier() + scope.modifier()
                    + space.modifier() + ".b64";
        }

        @Override
        public List<Operand> operands() {
            return List.of(barrier, bytes);
        }
    }

    /**
     * {@code done} = whether a phase is complete.
     *
     * @param suspend the thread may sleep for a while before it answers ({@code try_wait})
     * @param parity the phase is named by its parity, 0 or 1; else by the state of an arrival
     * @param hint how long to sleep, in nanoseconds; may be null
     */
    record Test(
            boolean suspend,
            boolean parity,
            Memory.Order order,
            Memory.Scope scope,
            Space space,
            Operand done,
            Operand.Address barrier,
            Operand phase,
            Operand hint)
            implements Mbarrier {
        @Override
        public String opcode() {
            return "mbarrier." + (suspend ? "try_wait" : "test_wait") + Instruction.flag(parity, "parity")
                    + order.modifier() + scope.modifier() + space.modifier() + ".b64";
        }

        @Override
        public List<Operand> operands() {
            return hint == null ? List.of(done, barrier, phase) : List.of(done, barrier, phase, hint);
        }
    }
}
