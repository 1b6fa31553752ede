// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.op.MaxPool;
import java.util.ArrayList;
import java.util.List;

/** The kernel of max-pooling: a window is one thread's, which goes through its taps in order and keeps the first greatest element. */
final class MaxPoolEmitter {
    private final RoutineCode g;
    private final KernelBuilder out;
    private final DType dtype;
    private final Reg input;
    private final Reg values;
    private final Reg places;
    private final Reg count;
    private final Reg windows;
    private final Reg plane;
    private final List<Axis> axes = new ArrayList<>();

    /** The numbers of one pooled axis, and its extents before and after. */
    private record Axis(Reg in, Reg out, Reg kernel, Reg stride, Reg pad, Reg dilation, ScalarEmitter.Divisor byOut) {}

    MaxPoolEmitter(KernelBuilder out, DType dtype, int axes) {
        this.out = out;
        this.dtype = dtype;
        g = new RoutineCode(out);
        input = out.pointer();
        values = out.pointer();
        places = out.pointer();
        count = g.number();
        windows = g.number();
        plane = g.number();
        for (int a = 0; a < axes; a++) {
            Reg in = g.number();
            Reg after = g.number();
            this.axes.add(new Axis(
                    in,
                    after,
                    g.number(),
                    g.number(),
                    g.number(),
                    g.number(),
                    a == 0 ? null : g.scalars.divisor(after)));
        }
    }

    void emit() {
        ScalarEmitter.Divisor byWindows = g.scalars.divisor(windows);
        Reg threads = g.wideSpecial(Operand.Special.NTID_X);
        Reg first = out.mad(
                PtxType.S64, g.wideSpecial(Operand.Special.CTAID_X), threads, g.wideSpecial(Operand.Special.TID_X));
        Reg all = out.mul(PtxType.S64, g.wideSpecial(Operand.Special.NCTAID_X), threads);
        g.loop(PtxType.S64, first, count, all, number -> {
            Operand image = g.scalars.quotient(number, byWindows);
            Operand rest = g.scalars.rest(number, image, byWindows);
            Operand base = g.scalars.mulLong(image, plane);
            // Where the window begins along each axis.
            List<Operand> starts = new ArrayList<>();
            for (int a = axes.size() - 1; a >= 0; a--) {
                Axis x = axes.get(a);
                Operand at = rest;
                if (a > 0) {
                    rest = g.scalars.quotient(at, x.byOut);
                    at = g.scalars.rest(at, rest, x.byOut);
                }
                starts.addFirst(out.sub(PtxType.S64, out.mul(PtxType.S64, at, x.stride), x.pad));
            }
            Reg place = out.mov(PtxType.B64, out.constant(-1));
            Reg key = out.mov(PtxRoutine.hasWideKeys(dtype) ? PtxType.B64 : PtxType.B32, out.constant(0));
            Reg value = MemoryEmitter.element(out, dtype);
            out.assign(value.type(), value, lowest());
            taps(0, starts, out.constant(0), base, new Greatest(place, key, value));
            g.store(dtype, g.address(values, number, dtype.bytes()), value);
            Reg shown = out.max(PtxType.S64, place, out.constant(0));
            out.store(Space.GLOBAL, PtxType.B64, out.at(g.address(places, number, Long.BYTES)), shown);
        });
    }

    /** The greatest element so far: its place in the plane (−1 if there is none), its key and its bits. */
    private record Greatest(Reg place, Reg key, Reg value) {}

    /** Bits of the lowest value. */
    private Operand lowest() {
        double v = MaxPool.lowest(dtype);
        return switch (dtype) {
            case F64, F32, I64, I32 -> g.scalars.constant(Expr.Const.of(dtype, v));
            case F16 -> out.constant(0xfc00);
            case BF16 -> out.constant(0xff80);
            case I16, I8, U8, BOOL -> out.constant((long) v);
        };
    }

    /** Goes through the taps of the axes from {@code a} on; {@code at} is the row-major number of those before. */
    private void taps(int a, List<Operand> starts, Operand at, Operand base, Greatest best) {
        Axis x = axes.get(a);
        g.loop(PtxType.S64, out.constant(0), x.kernel, out.constant(1), k -> {
            Reg position = out.mad(PtxType.S64, k, x.dilation, starts.get(a));
            // As unsigned numbers those below 0 are beyond the end, too.
            g.when(out.setp(Relation.LT, PtxType.U64, position, x.in), () -> {
                Operand place = g.scalars.addLong(g.scalars.mulLong(at, x.in), position);
                if (a + 1 < axes.size()) taps(a + 1, starts, place, base, best);
                else compare(place, base, best);
            });
        });
    }

    private void compare(Operand place, Operand base, Greatest best) {
        Reg value = g.load(dtype, g.address(input, g.scalars.addLong(base, place), dtype.bytes()));
        Operand key = g.key(dtype, value);
        boolean isWide = PtxRoutine.hasWideKeys(dtype);
        Reg isFirst = out.setp(Relation.LT, PtxType.S64, best.place, out.constant(0));
        Reg isGreater = out.setp(Relation.GT, isWide ? PtxType.U64 : PtxType.U32, key, best.key);
        g.when(out.or(PtxType.PRED, isFirst, isGreater), () -> {
            out.assign(PtxType.B64, best.place, place);
            out.assign(isWide ? PtxType.B64 : PtxType.B32, best.key, key);
            out.assign(best.value.type(), best.value, value);
        });
    }
}
