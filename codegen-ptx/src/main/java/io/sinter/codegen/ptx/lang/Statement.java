// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/** A line of a kernel's body. */
public sealed interface Statement {
    /** An instruction; {@code guard} may be null. */
    record Perform(Guard guard, Instruction instruction) implements Statement {
        @Override
        public String toString() {
            return (guard == null ? "" : guard + " ") + instruction.text() + ";";
        }
    }

    /** Where branches go to. */
    record Label(String name) implements Statement {
        @Override
        public String toString() {
            return name + ":";
        }
    }

    /**
     * Declares registers.
     *
     * @param count declares {@code name0 … name(count-1)}; −1: the one register {@code name}
     */
    record Registers(PtxType type, String name, int count) implements Statement {
        @Override
        public String toString() {
            return ".reg ." + type + " " + name + (count < 0 ? "" : "<" + count + ">") + ";";
        }
    }

    /** Declares a variable in shared or local memory. */
    record Declare(Variable variable) implements Statement {
        @Override
        public String toString() {
            return PtxPrinter.print(variable) + ";";
        }
    }

    /**
     * The source of what follows.
     *
     * @param inlinedAt where the function that this line is in was inlined; may be null
     */
    record Location(int file, int line, int column, Inlined inlinedAt) implements Statement {
        /** The name of an inlined function, as a label of debug strings and an offset, and the place of its call. */
        public record Inlined(Operand.Symbol function, int file, int line, int column) {}

        public Location(int file, int line, int column) {
            this(file, line, column, null);
        }

        @Override
        public String toString() {
            String at = ".loc " + file + " " + line + " " + column;
            return inlinedAt == null
                    ? at
                    : at + ", function_name " + inlinedAt.function + ", inlined_at " + inlinedAt.file + " "
                            + inlinedAt.line + " " + inlinedAt.column;
        }
    }

    /** A hint to the assembler, such as {@code nounroll}. */
    record Pragma(String text) implements Statement {
        @Override
        public String toString() {
            return ".pragma \"" + text + "\";";
        }
    }

    /** Statements with names of their own. */
    record Block(List<Statement> statements) implements Statement {
        public Block {
            statements = List.copyOf(statements);
        }
    }
}
