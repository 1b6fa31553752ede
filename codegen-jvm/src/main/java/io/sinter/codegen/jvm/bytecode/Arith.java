// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A binary JVM instruction on operands of one primitive type (shift counts are ints). */
record Arith(Op op, Code a, Code b) implements Code {
    enum Op {
        ADD(Opcodes.IADD, "+"),
        SUB(Opcodes.ISUB, "-"),
        MUL(Opcodes.IMUL, "*"),
        DIV(Opcodes.IDIV, "/"),
        REM(Opcodes.IREM, "%"),
        AND(Opcodes.IAND, "&"),
        OR(Opcodes.IOR, "|"),
        XOR(Opcodes.IXOR, "^"),
        SHL(Opcodes.ISHL, "<<"),
        SHR(Opcodes.ISHR, ">>"),
        USHR(Opcodes.IUSHR, ">>>");

        private final int opcode;
        private final String symbol;

        Op(int opcode, String symbol) {
            this.opcode = opcode;
            this.symbol = symbol;
        }

        boolean isShift() {
            return this == SHL || this == SHR || this == USHR;
        }
    }

    Arith {
        Type right = op.isShift() ? Type.INT_TYPE : a.type();
        if (!b.type().equals(right)) {
            throw new IllegalArgumentException(a.type() + " " + op.symbol + " " + b.type() + ": " + a + ", " + b);
        }
    }

    @Override
    public Type type() {
        return a.type();
    }

    @Override
    public void emit(MethodVisitor mv) {
        a.emit(mv);
        b.emit(mv);
        mv.visitInsn(a.type().getOpcode(op.opcode));
    }

    @Override
    public String toString() {
        return "(" + a + " " + op.symbol + " " + b + ")";
    }
}
