// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A comparison of two primitives of one type. IEEE for floats: only {@code NE} is true on NaN. */
public record Compare(Op op, Code a, Code b) implements Code {
    /** The six comparisons. */
    public enum Op {
        EQ(Opcodes.IFEQ, "=="),
        NE(Opcodes.IFNE, "!="),
        LT(Opcodes.IFLT, "<"),
        GE(Opcodes.IFGE, ">="),
        GT(Opcodes.IFGT, ">"),
        LE(Opcodes.IFLE, "<=");

        private final int ifOpcode;
        private final String symbol;

        Op(int ifOpcode, String symbol) {
            this.ifOpcode = ifOpcode;
            this.symbol = symbol;
        }

        private Op negated() {
            return switch (this) {
                case EQ -> NE;
                case NE -> EQ;
                case LT -> GE;
                case GE -> LT;
                case GT -> LE;
                case LE -> GT;
            };
        }
    }

    public Compare {
        if (!a.type().equals(b.type())) throw new IllegalArgumentException(a.type() + " " + op.symbol + " " + b.type());
    }

    @Override
    public Type type() {
        return Type.BOOLEAN_TYPE;
    }

    @Override
    public void emitJump(MethodVisitor mv, boolean when, Label target) {
        a.emit(mv);
        b.emit(mv);
        Op jump = when ? op : op.negated();
        switch (a.type().getSort()) {
            case Type.INT, Type.BOOLEAN, Type.BYTE, Type.SHORT -> {
                // if_icmpXX follow ifXX by a fixed distance.
                mv.visitJumpInsn(jump.ifOpcode + (Opcodes.IF_ICMPEQ - Opcodes.IFEQ), target);
                return;
            }
            case Type.LONG -> mv.visitInsn(Opcodes.LCMP);
            // The NaN result of fcmpg is 1 and of fcmpl is -1: chosen so that op itself is false on NaN.
            case Type.FLOAT -> mv.visitInsn(op == Op.LT || op == Op.LE ? Opcodes.FCMPG : Opcodes.FCMPL);
            case Type.DOUBLE -> mv.visitInsn(op == Op.LT || op == Op.LE ? Opcodes.DCMPG : Opcodes.DCMPL);
            default -> throw new IllegalStateException("comparison of " + a.type());
        }
        mv.visitJumpInsn(jump.ifOpcode, target);
    }

    @Override
    public void emit(MethodVisitor mv) {
        Label yes = new Label();
        Label end = new Label();
        emitJump(mv, true, yes);
        mv.visitInsn(Opcodes.ICONST_0);
        mv.visitJumpInsn(Opcodes.GOTO, end);
        mv.visitLabel(yes);
        mv.visitInsn(Opcodes.ICONST_1);
        mv.visitLabel(end);
    }

    @Override
    public String toString() {
        return "(" + a + " " + op.symbol + " " + b + ")";
    }
}
