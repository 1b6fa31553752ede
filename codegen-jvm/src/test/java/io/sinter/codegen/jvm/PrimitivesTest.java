// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Accuracy of every float primitive: within 4 units in the last place of the reference (the exponential of f32: 1), special
 * values exactly.
 */
class PrimitivesTest {
    private static final double MAX_ULPS = 4;

    @TestFactory
    Stream<DynamicTest> unary() {
        return Stream.of(Prim1.values())
                .filter(op -> op != Prim1.NOT && op != Prim1.ISNAN)
                .flatMap(op -> Stream.of(DType.F32, DType.F64).map(t -> test(op, t)));
    }

    private static DynamicTest test(Prim1 op, DType t) {
        double most = op == Prim1.EXP && t == DType.F32 ? 1 : MAX_ULPS;
        return test(op + " " + t, t, x -> Expr.un(op, x.get(0)), 1, most);
    }

    @TestFactory
    Stream<DynamicTest> binary() {
        return Stream.of(
                        Prim2.ADD,
                        Prim2.SUB,
                        Prim2.MUL,
                        Prim2.DIV,
                        Prim2.REM,
                        Prim2.MAX,
                        Prim2.MIN,
                        Prim2.POW,
                        Prim2.ATAN2)
                .flatMap(op -> Stream.of(DType.F32, DType.F64)
                        .map(t -> test(op + " " + t, t, x -> Expr.bin(op, x.get(0), x.get(1)), 2, MAX_ULPS)));
    }

    /** An exponential's bits are its own, whether its neighbours in a vector are ordinary numbers or at the ends of the range, which are computed in another way. */
    @Test
    void exponentialsDoNotDependOnTheirNeighbours() {
        int n = 1 << 14;
        float[] ordinary = new float[n];
        for (int i = 0; i < n; i++) ordinary[i] = (float) (-87.25 + 174.5 * i / n);
        float[] ends = {Float.NaN, -1000, 1000, Float.NEGATIVE_INFINITY, -88, 88.5f, -103, Float.POSITIVE_INFINITY};
        long[] alone = exponentials(ordinary);
        for (int odd = 0; odd < 2; odd++) {
            float[] mixed = ordinary.clone();
            for (int i = odd; i < n; i += 2) mixed[i] = ends[i / 2 % ends.length];
            long[] beside = exponentials(mixed);
            for (int i = 1 - odd; i < n; i += 2) assertEquals(alone[i], beside[i], "e^" + ordinary[i]);
        }
    }

    private static long[] exponentials(float[] values) {
        int n = values.length;
        Var v = new Var("v", Coef.of(n));
        Buf in = new Buf(1, DType.F32, Buf.Kind.IN);
        Buf out = new Buf(2, DType.F32, Buf.Kind.OUT);
        Index at = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(v))), Coef.of(0));
        Stmt store = new Stmt.Store(out, at, Expr.un(Prim1.EXP, new Expr.Load(in, at)));
        List<Stmt> all = List.of(new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, List.of(store)));
        KernelHarness h = new KernelHarness(new LoopKernel("exponentials", List.of(), List.of(in, out), 3, 0, all));
        h.inputs.put(in, bytes(DType.F32, n, j -> values[j]));
        h.inputs.put(out, new byte[n * 4]);
        return KernelHarness.values(
                out, h.generated(Options.preferred(), 1).memory().get(out));
    }

    /**
     * What a function gives does not depend on whether HotSpot has compiled it yet: training must give the
     * same weights each time.
     */
    @Test
    void compiledCodeGivesTheSameBits() {
        List<Prim1> functions = List.of(
                Prim1.EXP,
                Prim1.EXPM1,
                Prim1.TANH,
                Prim1.LOG,
                Prim1.LOG1P,
                Prim1.ERF,
                Prim1.SIN,
                Prim1.TAN,
                Prim1.RINT);
        double[] values = values(960, 1);
        int n = values.length;
        Var v = new Var("v", Coef.of(n));
        Buf in = new Buf(1, DType.F32, Buf.Kind.IN);
        Buf out = new Buf(2, DType.F32, Buf.Kind.OUT);
        Local sum = new Local("sum", DType.F32);
        Index at = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(v))), Coef.of(0));
        List<Stmt> body = new ArrayList<>();
        for (int i = 0; i < functions.size(); i++) {
            Expr y = Expr.un(functions.get(i), new Expr.Load(in, at));
            body.add(new Stmt.Store(out, new Index(at.terms(), Coef.of((long) i * n)), y));
        }
        Expr bounded = Expr.un(Prim1.TANH, new Expr.Load(in, at));
        Expr number = new Expr.Select(Expr.un(Prim1.ISNAN, bounded), Expr.Const.of(DType.F32, 0), bounded);
        body.add(new Stmt.Accumulate(sum, Stmt.Combine.SUM, number));
        Index last = new Index(List.of(), Coef.of((long) functions.size() * n));
        List<Stmt> all = List.of(
                new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, body),
                new Stmt.Store(out, last, new Expr.Ref(sum)));
        KernelHarness h = new KernelHarness(new LoopKernel("functions", List.of(), List.of(in, out), 3, 0, all));
        h.inputs.put(in, bytes(DType.F32, n, j -> values[j]));
        h.inputs.put(out, new byte[(functions.size() * n + 1) * 4]);
        Options options = Options.preferred();
        long[] first =
                KernelHarness.values(out, h.generated(options, 1).memory().get(out));
        h.repeats = 80;
        assertArrayEquals(
                first,
                KernelHarness.values(out, h.generated(options, 1).memory().get(out)));
    }

    private interface Code {
        Expr of(List<Expr> operands);
    }

    private static DynamicTest test(String name, DType t, Code code, int operands, double most) {
        return DynamicTest.dynamicTest(name, () -> {
            double[] values = values(operands == 1 ? 600 : 40, operands);
            int n = operands == 1 ? values.length : values.length * values.length;
            Var v = new Var("v", Coef.of(n));
            Index index = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(v))), Coef.of(0));
            List<Buf> buffers = new ArrayList<>();
            List<Expr> loads = new ArrayList<>();
            for (int i = 0; i < operands; i++) {
                buffers.add(new Buf(1 + i, t, Buf.Kind.IN));
                loads.add(new Expr.Load(buffers.get(i), index));
            }
            Buf out = new Buf(1 + operands, t, Buf.Kind.OUT);
            buffers.add(out);
            Stmt store = new Stmt.Store(out, index, code.of(loads));
            LoopKernel kernel = new LoopKernel(
                    "primitive",
                    List.of(),
                    buffers,
                    2 + operands,
                    0,
                    List.of(new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, List.of(store))));
            KernelHarness h = new KernelHarness(kernel);
            for (int i = 0; i < operands; i++) {
                int operand = i;
                h.inputs.put(
                        buffers.get(i),
                        bytes(
                                t,
                                n,
                                j -> values[operands == 1 ? j : operand == 0 ? j / values.length : j % values.length]));
            }
            h.inputs.put(out, new byte[n * t.bytes()]);
            double[] expected = decode(t, h.interpret().memory().get(out));
            for (Options o : KernelHarness.ALL) {
                double[] actual = decode(t, h.generated(o, 1).memory().get(out));
                for (int j = 0; j < n; j++) {
                    double error = ulps(t, expected[j], actual[j]);
                    int at = j;
                    assertTrue(
                            error <= most,
                            () -> o + " element " + at + ": " + actual[at] + " instead of " + expected[at] + ", off by "
                                    + error + " ulp; operands " + operandText(h, buffers, at));
                }
            }
        });
    }

    private static String operandText(KernelHarness h, List<Buf> buffers, int j) {
        StringBuilder s = new StringBuilder();
        for (Buf b : buffers.subList(0, buffers.size() - 1))
            s.append(decode(b.dtype(), h.inputs.get(b))[j]).append(' ');
        return s.toString();
    }

    /** Distance in units of the last place of the expected value; signs of zeros and NaN must agree. */
    private static double ulps(DType t, double expected, double actual) {
        if (Double.isNaN(expected) || Double.isNaN(actual))
            return Double.isNaN(expected) == Double.isNaN(actual) ? 0 : 1e300;
        if (expected == actual) return expected == 0 && 1 / expected != 1 / actual ? 1e300 : 0;
        double unit = t == DType.F32 ? Math.ulp((float) expected) : Math.ulp(expected);
        if (Double.isInfinite(expected)) unit = t == DType.F32 ? Math.ulp(Float.MAX_VALUE) : Math.ulp(Double.MAX_VALUE);
        return Math.abs(actual - expected) / unit;
    }

    private static double[] values(int random, int operands) {
        Random r = new Random(42);
        double[] special = {
            0.0,
            -0.0,
            1,
            -1,
            0.5,
            -0.5,
            1.5,
            -1.5,
            2.5,
            2,
            -2,
            3,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            1e-45,
            -1e-45,
            1e-40,
            Float.MIN_NORMAL,
            1e-10,
            -1e-10,
            1e-4,
            0x1p23,
            0x1p23 + 1,
            -0x1p22 - 0.5,
            0x1p31,
            0x1p52,
            0x1p53,
            1e10,
            -1e10,
            3e38,
            -3e38,
            88,
            88.7,
            89,
            -87,
            -88,
            -103,
            -104,
            9,
            -9,
            20,
            100,
            0.9999999,
            1.0000001,
            -0.9999999,
            47999,
            48001,
            1e5,
            1e-7,
            3.9,
            4.1,
            709.7,
            -745
        };
        double[] out = new double[special.length + random];
        System.arraycopy(special, 0, out, 0, special.length);
        for (int i = special.length; i < out.length; i++) {
            out[i] = switch (i % 4) {
                case 0 -> r.nextDouble() * 2 - 1;
                case 1 -> r.nextGaussian() * 5;
                case 2 -> r.nextGaussian() * 60;
                default -> Math.scalb(r.nextDouble() + 0.5, r.nextInt(200) - 100) * (r.nextBoolean() ? 1 : -1);
            };
        }
        return out;
    }

    private interface Element {
        double at(int i);
    }

    private static byte[] bytes(DType t, int n, Element e) {
        ByteBuffer m = ByteBuffer.allocate(n * t.bytes()).order(ByteOrder.nativeOrder());
        for (int i = 0; i < n; i++) {
            if (t == DType.F32) m.putFloat((float) e.at(i));
            else m.putDouble(e.at(i));
        }
        return m.array();
    }

    private static double[] decode(DType t, byte[] bytes) {
        ByteBuffer m = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        double[] out = new double[bytes.length / t.bytes()];
        for (int i = 0; i < out.length; i++) out[i] = t == DType.F32 ? m.getFloat() : m.getDouble();
        return out;
    }
}
