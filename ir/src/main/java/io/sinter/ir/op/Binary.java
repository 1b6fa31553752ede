// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Minimal first landing. */
public final class Binary implements Elementwise {
    private static final java.util.List<Binary> ALL = new java.util.ArrayList<>();
    public static final Binary ADD = new Binary("add");
    public static final Binary SUB = new Binary("sub");
    public static final Binary MUL = new Binary("mul");
    public static final Binary DIV = new Binary("div");
    public static final Binary POW = new Binary("pow");
    public static final Binary REMAINDER = new Binary("remainder");
    public static final Binary FMOD = new Binary("fmod");
    public static final Binary FLOORDIV = new Binary("floordiv");
    public static final Binary ATAN2 = new Binary("atan2");
    public static final Binary MAX = new Binary("maximum");
    public static final Binary MIN = new Binary("minimum");
    public static final Binary AND = new Binary("and");
    public static final Binary OR = new Binary("or");
    public static final Binary XOR = new Binary("xor");
    public static final Binary SHL = new Binary("shl");
    public static final Binary SHR = new Binary("shr");
    public static final Binary EQ = new Binary("eq");
    public static final Binary NE = new Binary("ne");
    public static final Binary LT = new Binary("lt");
    public static final Binary LE = new Binary("le");
    public static final Binary GT = new Binary("gt");
    public static final Binary GE = new Binary("ge");
    public static List<Binary> values() { return List.copyOf(ALL); }
    private final String name;
    private Binary(String name) { this.name = name; ALL.add(this); }
    @Override public String name() { return name; }
    @Override public void attributes(Attrs out) {}
    @Override public Expr scalar(List<Expr> operands, DType in, DType out) { throw new UnsupportedOperationException(name()); }
    @Override public List<Type> infer(List<Type> in) { throw new UnsupportedOperationException(name()); }
    @Override public <V> List<V> gradient(GradCall<V> call) { throw new UnsupportedOperationException(name()); }
    @Override public List<RefArray> evaluate(List<RefArray> in) { throw new UnsupportedOperationException(name()); }
    @Override public List<Sample> samples() { return List.of(); }
}
