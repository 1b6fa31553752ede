// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * A constant of shape [].
 *
 * @param dtype its dtype
 * @param bits raw bits: of the double for f64, of the float for f32, f16 and bf16 (whose constants
 *     are floats of fewer bits), the value itself for integers (sign- or zero-extended), 0 or 1 for
 *     bool
 * @param derived computed from extents (the 1/n of a mean): passed as an argument and no part of
 *     the program's key
 */
public record Constant(DType dtype, long bits, boolean derived) implements Leaf {
    /** The value rounded to {@code dtype} (integers truncate). */
    public static Constant of(DType dtype, double value) {
        return new Constant(dtype, bits(dtype, value), false);
    }

    /** The value wrapped (floats: rounded) to {@code dtype}. */
    public static Constant ofLong(DType dtype, long value) {
        return dtype.isFloat() ? of(dtype, (double) value) : new Constant(dtype, RefArray.wrap(dtype, value), false);
    }

    /** A constant that depends on extents, and so must not be in the key. */
    public static Constant derived(DType dtype, double value) {
        return new Constant(dtype, bits(dtype, value), true);
    }

    private static long bits(DType dtype, double value) {
        if (dtype == DType.F64) return Double.doubleToLongBits(value);
        if (dtype.isFloat()) return Float.floatToIntBits((float) RefArray.round(dtype, value)) & 0xffffffffL;
        return dtype.isBool() ? (value != 0 ? 1 : 0) : RefArray.wrap(dtype, (long) value);
    }

    /** The value as a double; exact but for integers beyond 2^53. */
    public double doubleValue() {
        if (dtype == DType.F64) return Double.longBitsToDouble(bits);
        return dtype.isFloat() ? Float.intBitsToFloat((int) bits) : bits;
    }

    @Override
    public String name() {
        return "constant";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("dtype", dtype.toString());
        if (dtype.isFloat()) out.put("value", doubleValue());
        else out.put("value", bits);
        out.put("derived", derived);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 0);
        return List.of(Type.scalar(dtype));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray r = RefArray.zeros(Type.scalar(dtype));
        if (dtype.isFloat()) r.set(0, doubleValue());
        else r.set(0, bits);
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.values(of(DType.F32, -0.0)),
                Sample.values(of(DType.F64, Double.NEGATIVE_INFINITY)),
                Sample.values(of(DType.F64, Double.NaN)),
                Sample.values(of(DType.F16, 1.0 / 3)),
                Sample.values(of(DType.BF16, 1.0 / 3)),
                Sample.values(ofLong(DType.I64, Long.MIN_VALUE)),
                Sample.values(ofLong(DType.U8, 200)),
                Sample.values(ofLong(DType.BOOL, 1)),
                Sample.values(derived(DType.F32, 1.0 / 7)));
    }
}
