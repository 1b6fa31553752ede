// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Exprs;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * The same bits under another dtype of the same width: f64–i64, f32–i32, bf16–i16, i8–u8. NaN
 * payloads may change.
 */
public record Bitcast(DType to) implements Elementwise {
    @Override
    public String name() {
        return "bitcast";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("to", to.toString());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        DType from = in.get(0).dtype();
        if (from != to && !pairs(from, to) && !pairs(to, from)) {
            throw OpException.of(
                    name(),
                    in,
                    "no bitcast from " + from + " to " + to + "; there are f64-i64, f32-i32, bf16-i16 and i8-u8");
        }
        return List.of(in.get(0).with(to));
    }

    private static boolean pairs(DType a, DType b) {
        return switch (a) {
            case F64 -> b == DType.I64;
            case F32 -> b == DType.I32;
            case BF16 -> b == DType.I16;
            case I8 -> b == DType.U8;
            case F16, I64, I32, I16, U8, BOOL -> false;
        };
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray y = RefArray.zeros(x.type().with(to));
        for (int i = 0; i < y.size(); i++) {
            if (to == x.dtype() && to.isFloat()) y.copy(i, x, i);
            else if (to.isFloat()) y.set(i, fromBits(x.getLong(i)));
            else y.set(i, x.dtype().isFloat() ? toBits(x.dtype(), x.getDouble(i)) : x.getLong(i));
        }
        return List.of(y);
    }

    private static long toBits(DType from, double v) {
        if (from == DType.F64) return Double.doubleToLongBits(v);
        int bits = Float.floatToIntBits((float) v);
        return from == DType.BF16 ? bits >> 16 : bits;
    }

    private double fromBits(long bits) {
        if (to == DType.F64) return Double.longBitsToDouble(bits);
        return Float.intBitsToFloat(to == DType.BF16 ? (int) bits << 16 : (int) bits);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        Expr x = operands.get(0);
        if (in == out) return x;
        Expr sixteen = Expr.Const.ofLong(DType.I32, 16);
        if (in == DType.BF16) return Expr.bin(Prim2.SHR, Exprs.bits(new Expr.Narrow(DType.BF16, x)), sixteen);
        if (out == DType.BF16) return Exprs.unbits(Expr.bin(Prim2.SHL, x, sixteen));
        return in.isFloat() ? Exprs.bits(x) : out.isFloat() ? Exprs.unbits(x) : Exprs.wrap(out, x);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType from : DType.values()) {
            for (DType t : DType.values()) {
                if (from != t && !pairs(from, t) && !pairs(t, from)) continue;
                if (from.isFloat())
                    samples.add(Sample.values(new Bitcast(t), Sample.uniform(Type.of(from, 7), -3, 3, 41)));
                else
                    samples.add(
                            Sample.values(new Bitcast(t), RefArray.ofLongs(Type.of(from, 9), i -> (i - 4) * 0x3a5L)));
            }
        }
        return samples;
    }
}
