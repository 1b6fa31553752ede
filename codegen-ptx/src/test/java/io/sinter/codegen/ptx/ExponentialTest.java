// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.ref.KernelCase;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** e^x of f32 as the simulator computes it, whose 2^r is correctly rounded: what the instructions around that lose. */
class ExponentialTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);

    /** What is left for the hardware's 2^r of 4 units in the last place: it is within 2⁻²², two of them at a result of 1, four just below 2. */
    private static final double MAX_ULPS = 1.2;

    private static float[] exp(double... values) {
        Var v = new Var("v", new Coef.Slot(3));
        Index at = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(v))), Coef.of(0));
        KernelCase k = new KernelCase(new LoopKernel(
                "exp",
                List.of(),
                List.of(IN, OUT),
                4,
                0,
                List.of(new Stmt.Loop(
                        v,
                        Stmt.Loop.Kind.VECTOR,
                        List.of(new Stmt.Store(OUT, at, Expr.un(Prim1.EXP, new Expr.Load(IN, at))))))));
        k.slots[3] = values.length;
        ByteBuffer in = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double x : values) in.putFloat((float) x);
        k.inputs.put(IN, in.array());
        k.inputs.put(OUT, new byte[4 * values.length]);
        float[] out = new float[values.length];
        ByteBuffer.wrap(SimRun.run(k, 1, 0).memory().get(OUT))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(out);
        return out;
    }

    /** Down to the last subnormal and up to the first infinity, and random numbers of all magnitudes. */
    @Test
    void isAccurate() {
        double[] values = DoubleStream.concat(
                        DoubleStream.of(MathCodeTest.values(4000)),
                        DoubleStream.iterate(-104.5, x -> x < 89.5, x -> x + 0.0137))
                .toArray();
        float[] got = exp(values);
        for (int i = 0; i < values.length; i++) {
            double want = Math.exp((float) values[i]);
            double x = values[i];
            float rounded = (float) want;
            double error = MathCodeTest.ulps(Prim1.EXP, DType.F32, Float.isInfinite(rounded) ? rounded : want, got[i]);
            assertTrue(
                    rounded == got[i] || error <= MAX_ULPS,
                    () -> "exp(" + (float) x + ") is " + error + " ulp away from " + want);
        }
    }

    @Test
    void specialValues() {
        float[] got = exp(
                0,
                -0.0,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                Double.NaN,
                3e38,
                -3e38,
                1e-45,
                88.8,
                -104);
        float[] want = {
            1, 1, Float.POSITIVE_INFINITY, 0, Float.NaN, Float.POSITIVE_INFINITY, 0, 1, Float.POSITIVE_INFINITY, 0
        };
        for (int i = 0; i < want.length; i++) assertEquals(want[i], got[i], "number " + i);
    }
}
