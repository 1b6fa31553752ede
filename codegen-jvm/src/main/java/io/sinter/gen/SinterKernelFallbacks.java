// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import static io.sinter.codegen.jvm.VectorFallback.of;

import jdk.incubator.vector.VectorOperators;

/**
 * What vector intrinsics do where C2 has not compiled the kernel that calls them, for each operator by its name in {@link VectorOperators}. The JDK's types for these objects cannot be named here; for an
 * interface the JVM's verifier takes any object.
 */
public final class SinterKernelFallbacks {
    public static final Object ABS = of(VectorOperators.ABS);
    public static final Object NEG = of(VectorOperators.NEG);
    public static final Object SQRT = of(VectorOperators.SQRT);
    public static final Object ADD = of(VectorOperators.ADD);
    public static final Object SUB = of(VectorOperators.SUB);
    public static final Object MUL = of(VectorOperators.MUL);
    public static final Object DIV = of(VectorOperators.DIV);
    public static final Object MIN = of(VectorOperators.MIN);
    public static final Object MAX = of(VectorOperators.MAX);
    public static final Object UMIN = of(VectorOperators.UMIN);
    public static final Object UMAX = of(VectorOperators.UMAX);
    public static final Object AND = of(VectorOperators.AND);
    public static final Object OR = of(VectorOperators.OR);
    public static final Object XOR = of(VectorOperators.XOR);
    public static final Object FMA = of(VectorOperators.FMA);
    public static final Object LSHL = of(VectorOperators.LSHL);
    public static final Object ASHR = of(VectorOperators.ASHR);
    public static final Object LSHR = of(VectorOperators.LSHR);
    public static final Object EQ = of(VectorOperators.EQ);
    public static final Object NE = of(VectorOperators.NE);
    public static final Object LT = of(VectorOperators.LT);
    public static final Object LE = of(VectorOperators.LE);
    public static final Object GT = of(VectorOperators.GT);
    public static final Object GE = of(VectorOperators.GE);
    public static final Object ULT = of(VectorOperators.ULT);
    public static final Object ULE = of(VectorOperators.ULE);
    public static final Object UGT = of(VectorOperators.UGT);
    public static final Object UGE = of(VectorOperators.UGE);
    public static final Object S2I = of(VectorOperators.S2I);
    public static final Object B2I = of(VectorOperators.B2I);
    public static final Object I2S = of(VectorOperators.I2S);
    public static final Object I2B = of(VectorOperators.I2B);
    public static final Object I2F = of(VectorOperators.I2F);
    public static final Object ZERO_EXTEND_B2I = of(VectorOperators.ZERO_EXTEND_B2I);
    public static final Object ZERO_EXTEND_S2I = of(VectorOperators.ZERO_EXTEND_S2I);

    private SinterKernelFallbacks() {}
}
