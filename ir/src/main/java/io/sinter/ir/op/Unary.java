// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Minimal first landing. */
public final class Unary implements Elementwise {
    private static final java.util.List<Unary> ALL = new java.util.ArrayList<>();
    public static final Unary NEG = new Unary("neg");
    public static final Unary ABS = new Unary("abs");
    public static final Unary SIGN = new Unary("sign");
    public static final Unary EXP = new Unary("exp");
    public static final Unary EXP2 = new Unary("exp2");
    public static final Unary EXPM1 = new Unary("expm1");
    public static final Unary LOG = new Unary("log");
    public static final Unary LOG2 = new Unary("log2");
    public static final Unary LOG10 = new Unary("log10");
    public static final Unary LOG1P = new Unary("log1p");
    public static final Unary SQRT = new Unary("sqrt");
    public static final Unary RSQRT = new Unary("rsqrt");
    public static final Unary RECIPROCAL = new Unary("reciprocal");
    public static final Unary SIN = new Unary("sin");
    public static final Unary COS = new Unary("cos");
    public static final Unary TAN = new Unary("tan");
    public static final Unary ASIN = new Unary("asin");
    public static final Unary ACOS = new Unary("acos");
    public static final Unary ATAN = new Unary("atan");
    public static final Unary SINH = new Unary("sinh");
    public static final Unary COSH = new Unary("cosh");
    public static final Unary TANH = new Unary("tanh");
    public static final Unary ASINH = new Unary("asinh");
    public static final Unary ACOSH = new Unary("acosh");
    public static final Unary ATANH = new Unary("atanh");
    public static final Unary ERF = new Unary("erf");
    public static final Unary ERFC = new Unary("erfc");
    public static final Unary ERFINV = new Unary("erfinv");
    public static final Unary LGAMMA = new Unary("lgamma");
    public static final Unary DIGAMMA = new Unary("digamma");
    public static final Unary SIGMOID = new Unary("sigmoid");
    public static final Unary RELU = new Unary("relu");
    public static final Unary FLOOR = new Unary("floor");
    public static final Unary CEIL = new Unary("ceil");
    public static final Unary ROUND = new Unary("round");
    public static final Unary TRUNC = new Unary("trunc");
    public static final Unary NOT = new Unary("not");
    public static final Unary ISNAN = new Unary("isnan");
    public static final Unary ISINF = new Unary("isinf");
    public static final Unary ISFINITE = new Unary("isfinite");
    public static List<Unary> values() { return List.copyOf(ALL); }
    private final String name;
    private Unary(String name) { this.name = name; ALL.add(this); }
    @Override public String name() { return name; }
    @Override public void attributes(Attrs out) {}
    @Override public Expr scalar(List<Expr> operands, DType in, DType out) { throw new UnsupportedOperationException(name()); }
    @Override public List<Type> infer(List<Type> in) { throw new UnsupportedOperationException(name()); }
    @Override public <V> List<V> gradient(GradCall<V> call) { throw new UnsupportedOperationException(name()); }
    @Override public List<RefArray> evaluate(List<RefArray> in) { throw new UnsupportedOperationException(name()); }
    @Override public List<Sample> samples() { return List.of(); }
}
