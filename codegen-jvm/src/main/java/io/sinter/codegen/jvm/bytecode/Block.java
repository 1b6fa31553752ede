// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/** A growing sequence of statements. */
public final class Block implements Code {
    private final List<Code> statements = new ArrayList<>();

    /** Appends statements; a value among them is evaluated and dropped. */
    public Block add(Code... code) {
        for (Code c : code) statements.add(c.type() == Type.VOID_TYPE ? c : Code.drop(c));
        return this;
    }

    public boolean isEmpty() {
        return statements.isEmpty();
    }

    /** The code that follows comes from line {@code line} of the kernel's listing (debugging). */
    public Block line(int line) {
        statements.add(new Line(line));
        return this;
    }

    /**
     * {@code for (variable = from; variable < to; variable += step) body}, an int loop that HotSpot knows as
     * counted.
     */
    public Block forLoop(LocalVar variable, Code from, Code to, int step, Code body) {
        return add(
                variable.set(from), new While(Code.lt(variable, to), new Block().add(body, variable.increment(step))));
    }

    /** {@code for (variable = from; variable < to; variable += step) body} over longs. */
    public Block forLong(LocalVar variable, Code from, Code to, long step, Code body) {
        Code next = variable.set(Code.add(variable, Code.constant(step)));
        return add(variable.set(from), new While(Code.lt(variable, to), new Block().add(body, next)));
    }

    public Block whileLoop(Code condition, Code body) {
        return add(new While(condition, body));
    }

    public Block ifThen(Code condition, Code body) {
        return add(new If(condition, body, null));
    }

    public Block ifElse(Code condition, Code body, Code otherwise) {
        return add(new If(condition, body, otherwise));
    }

    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        for (Code c : statements) c.emit(mv);
    }

    @Override
    public String toString() {
        StringBuilder s = new StringBuilder();
        for (Code c : statements) s.append(c).append(c instanceof Block ? "" : "\n");
        return s.toString();
    }

    /** A line number for the statements that follow. */
    private record Line(int line) implements Code {
        @Override
        public Type type() {
            return Type.VOID_TYPE;
        }

        @Override
        public void emit(MethodVisitor mv) {
            Label here = new Label();
            mv.visitLabel(here);
            mv.visitLineNumber(line, here);
        }

        @Override
        public String toString() {
            return "// line " + line;
        }
    }
}
