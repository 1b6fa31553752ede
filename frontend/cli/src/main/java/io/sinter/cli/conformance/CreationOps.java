// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.List;

/** New tensors and conversions. */
final class CreationOps {
    private CreationOps() {}

    static void register(Registry r) {
        r.add("zeros", a -> Tensor.zeros(a.rest(0, "size"), a.dtype(DType.F32)));
        r.add("ones", a -> Tensor.ones(a.rest(0, "size"), a.dtype(DType.F32)));
        r.add("full", a -> full(a, a.rest(0, "size"), a.dtype()));
        r.add("eye", a -> Tensor.eye(a.integer(0, "n"), a.integer(1, "m", a.integer(0, "n")), a.dtype(DType.F32)));
        r.add("scalar_tensor", a -> Tensor.full(new long[0], a.number(0, "s"), a.dtype(DType.F32)));
        r.add("zeros_like", a -> Tensor.zeros(a.x().shape(), a.dtype(a.x().dtype())));
        r.add("ones_like", a -> Tensor.ones(a.x().shape(), a.dtype(a.x().dtype())));
        r.add("full_like", a -> full(a, a.x().shape(), a.dtype(a.x().dtype())));
        r.add("new_zeros", a -> Tensor.zeros(a.rest(1, "size"), a.dtype(a.x().dtype())));
        r.add("new_ones", a -> Tensor.ones(a.rest(1, "size"), a.dtype(a.x().dtype())));
        r.add("new_full", a -> Tensor.full(a.longs(1, "size"), a.number(2, "fill_value"), a.dtype(a.x().dtype())));
        r.add("fill", a -> a.x().clone().fill_(a.number(1, "value")));
        ranges(r);
        casts(r);
    }

    private static Tensor full(Args a, long[] shape, DType d) {
        Object v = a.value(1, "fill_value");
        DType dtype = d != null ? d : v instanceof Boolean ? DType.BOOL : v instanceof Long ? DType.I64 : DType.F32;
        return v instanceof Long l
                ? Tensor.full(shape, l, dtype)
                : Tensor.full(shape, a.number(1, "fill_value"), dtype);
    }

    private static void ranges(Registry r) {
        r.add("arange", a -> {
            boolean one = a.count() == 1;
            double start = one ? 0 : a.number(0, "start");
            double end = a.number(one ? 0 : 1, "end");
            double step = one ? 1 : a.number(2, "step", 1);
            boolean whole = start == Math.rint(start) && end == Math.rint(end) && step == Math.rint(step);
            DType d = a.dtype(whole ? DType.I64 : DType.F32);
            if (!whole || d.isFloat()) return Tensor.arange(start, end, step, d);
            return Tensor.arange((long) start, (long) end, (long) step).to(d);
        });
        r.add(
                "linspace",
                a -> Tensor.linspace(a.number(0, "start"), a.number(1, "end"), a.axis(2, "steps"), a.dtype(DType.F32)));
        r.add(
                "logspace",
                a -> Tensor.logspace(
                        a.number(0, "start"),
                        a.number(1, "end"),
                        a.axis(2, "steps"),
                        a.number(3, "base", 10),
                        a.dtype(DType.F32)));
        r.add("tril_indices", a -> Tensor.trilIndices(
                        a.integer(0, "row"), a.integer(1, "col"), a.integer(2, "offset", 0))
                .to(a.dtype(DType.I64)));
        r.add("triu_indices", a -> Tensor.triuIndices(
                        a.integer(0, "row"), a.integer(1, "col"), a.integer(2, "offset", 0))
                .to(a.dtype(DType.I64)));
        r.add("linalg.vander", a -> F.vander(a.x(), a.given(-1, "N") ? a.integer(-1, "N") : a.x().size(-1)));
    }

    private static void casts(Registry r) {
        r.unary("bfloat16", Tensor::toBfloat16);
        r.unary("half", Tensor::toHalf);
        r.unary("float", Tensor::toFloat);
        r.unary("double", Tensor::toDouble);
        r.unary("long", Tensor::toLong);
        r.unary("int", Tensor::toInt);
        r.unary("short", x -> x.to(DType.I16));
        r.unary("char", x -> x.to(DType.I8));
        r.unary("byte", x -> x.to(DType.U8));
        r.unary("bool", Tensor::toBool);
        r.add(List.of("clone", "contiguous"), a -> a.x().clone());
        r.add("zero_", a -> a.x().clone().zero_());
    }
}
