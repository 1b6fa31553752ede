// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/** The flow of control, and requests to the machine. */
public sealed interface Control extends Instruction {
    /** Goes to a label; {@code uniform}: all active threads of the warp do, or none. */
    record Branch(boolean uniform, String target) implements Control {
        @Override
        public String opcode() {
            return uniform ? "bra.uni" : "bra";
        }

        @Override
        public List<Operand> operands() {
            return List.of(new Operand.Symbol(target));
        }
    }

    /** Ends the thread, at the end of the kernel's code. */
    record Return() implements Control {
        @Override
        public String opcode() {
            return "ret";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Ends the thread. */
    record Exit() implements Control {
        @Override
        public String opcode() {
            return "exit";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Ends the launch with an error. */
    record Trap() implements Control {
        @Override
        public String opcode() {
            return "trap";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Sleeps for about so many nanoseconds. */
    record NanoSleep(Operand nanoseconds) implements Control {
        @Override
        public String opcode() {
            return "nanosleep.u32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(nanoseconds);
        }
    }

    /** Sets how many registers each thread of the warpgroup may use. */
    record SetMaxRegisters(boolean increase, int count) implements Control {
        @Override
        public String opcode() {
            return "setmaxnreg." + (increase ? "inc" : "dec") + ".sync.aligned.u32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(new Operand.Int(count));
        }
    }

    /** Lets the next kernel of the stream begin ({@code launch_dependents}), or waits for the one before ({@code wait}). */
    record GridDependency(boolean waiting) implements Control {
        @Override
        public String opcode() {
            return "griddepcontrol." + (waiting ? "wait" : "launch_dependents");
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }
}
