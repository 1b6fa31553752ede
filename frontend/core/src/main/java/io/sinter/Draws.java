// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.RandomBits;
import io.sinter.random.Generator;

/**
 * Random tensors: drawn by the host from the session's generator, or inside programs from its Philox stream.
 */
final class Draws {
    private Draws() {}

    static Tensor uniform(Shape s, DType dtype) {
        Trace.outsideLoops("drawing random numbers");
        int n = Math.toIntExact(s.numel());
        if (dtype == DType.F64) {
            double[] v = new double[n];
            Sinter.generator().uniform(v, 0, 1);
            return Tensor.from(v, s.toArray());
        }
        float[] v = new float[n];
        Sinter.generator().uniform(v, 0, 1);
        return Operators.cast(Tensor.from(v, s.toArray()), floating("rand", dtype));
    }

    static Tensor normal(Shape s, DType dtype) {
        Trace.outsideLoops("drawing random numbers");
        int n = Math.toIntExact(s.numel());
        if (dtype == DType.F64) {
            double[] v = new double[n];
            Sinter.generator().normal(v, 0, 1);
            return Tensor.from(v, s.toArray());
        }
        float[] v = new float[n];
        Sinter.generator().normal(v, 0, 1);
        return Operators.cast(Tensor.from(v, s.toArray()), floating("randn", dtype));
    }

    private static DType floating(String name, DType d) {
        if (!d.isFloat()) throw Errors.argument(name + ": needs a floating-point dtype, not " + d);
        return d;
    }

    /**
     * True with probability {@code 1 - p}, drawn where the program runs. The generator's counter advances
     * now, by a function of the shape, and again at each replay of a compiled function.
     */
    static Tensor keep(Shape s, double p) {
        Generator g = Sinter.generator();
        long n = s.numel();
        Tensor key = Trace.liveLong(g::seed);
        Tensor offset = Trace.liveLong(() -> g.reservePhilox(n));
        Tensor bits = Dispatch.emit(new RandomBits(s), key, offset);
        Tensor positive = Operators.binary(
                Binary.AND, bits, Dispatch.emit(Constant.ofLong(DType.I32, Integer.MAX_VALUE)), DType.I32);
        long threshold = Math.round(p * 0x1p31);
        Value bound =
                Value.scalar(Trace.current(), Type.scalar(DType.I32), Math.min(threshold, Integer.MAX_VALUE), null);
        return Operators.binary(Binary.GE, positive, new Tensor(bound), DType.I32);
    }
}
