// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;

/** Steps for what computes lane by lane. A null step: there is no such instruction, or it is not simulated. */
final class ComputeTranslator {
    private final Names n;

    ComputeTranslator(Names names) {
        n = names;
    }

    Step arithmetic(Arithmetic instruction) {
        return switch (instruction) {
            case Arithmetic.Binary i -> {
                LaneOp.Two op = i.type().isFloat()
                        ? FloatOps.binary(i.op(), i.mode(), i.type())
                        : IntOps.binary(i.op(), i.type(), i.mode().sat());
                if (!i.type().isFloat() && i.type().isPair()) op = halves(i.op(), i.type());
                yield two(op, i.type(), i.d(), i.a(), i.b());
            }
            case Arithmetic.Carry i ->
                ComputeSteps.carry(
                        i.op() == Arithmetic.BinaryOp.SUB,
                        i.in(),
                        i.out(),
                        i.type().bits(),
                        n.result(i.d()),
                        n.value(i.a(), i.type()),
                        n.value(i.b(), i.type()));
            case Arithmetic.Multiply i -> two(IntOps.multiply(i.part(), i.type()), i.type(), i.d(), i.a(), i.b());
            case Arithmetic.MultiplyAdd i -> {
                PtxType sum = i.part() == Arithmetic.Part.WIDE ? wide(i.type()) : i.type();
                LaneOp.Three op = IntOps.multiplyAdd(i.part(), i.type(), i.sat());
                yield op == null
                        ? null
                        : ComputeSteps.three(
                                op,
                                n.result(i.d()),
                                n.value(i.a(), i.type()),
                                n.value(i.b(), i.type()),
                                n.value(i.c(), sum));
            }
            case Arithmetic.Fma i -> three(FloatOps.fma(i.mode(), i.type()), i.type(), i.d(), i.a(), i.b(), i.c());
            case Arithmetic.Unary i ->
                one(
                        i.type().isFloat()
                                ? FloatOps.unary(i.op(), i.mode(), i.type())
                                : IntOps.unary(i.op(), i.type()),
                        i.type(),
                        i.d(),
                        i.a());
            case Arithmetic.Apply i -> one(FloatOps.apply(i.function(), i.mode(), i.type()), i.type(), i.d(), i.a());
            case Arithmetic.AbsoluteDifference i ->
                three(IntOps.absoluteDifference(i.type()), i.type(), i.d(), i.a(), i.b(), i.c());
            case Arithmetic.DotBytes i ->
                three(IntOps.dot(i.aType(), i.bType()), PtxType.B32, i.d(), i.a(), i.b(), i.c());
        };
    }

    private static PtxType wide(PtxType t) {
        return t.bits() == 16 ? PtxType.B32 : PtxType.B64;
    }

    /** An operation on both halves of a pair of integers. */
    private static LaneOp.Two halves(Arithmetic.BinaryOp op, PtxType pair) {
        LaneOp.Two half = IntOps.binary(op, pair == PtxType.S16X2 ? PtxType.S16 : PtxType.U16, false);
        if (half == null) return null;
        return (d, a, b) -> {
            long[][] x = new long[4][Warp.LANES];
            for (int i = 0; i < Warp.LANES; i++) {
                x[0][i] = a[i] & 0xffff;
                x[1][i] = b[i] & 0xffff;
                x[2][i] = a[i] >>> 16;
                x[3][i] = b[i] >>> 16;
            }
            half.run(x[0], x[0], x[1]);
            half.run(x[2], x[2], x[3]);
            for (int i = 0; i < Warp.LANES; i++) d[i] = x[2][i] << 16 | x[0][i];
        };
    }

    Step bitwise(Bitwise instruction) {
        return switch (instruction) {
            case Bitwise.Logic i
            when i.type() == PtxType.PRED -> {
                Names.Predicate a = n.predicate(i.a());
                Names.Predicate b = n.predicate(i.b());
                yield ComputeSteps.predicate(
                        n.predicateResult(i.d()), -1, ComputeSteps.combined(a::lanes, i.op(), b), null);
            }
            case Bitwise.Logic i -> two(IntOps.logic(i.op()), i.type(), i.d(), i.a(), i.b());
            case Bitwise.Invert i
            when i.type() == PtxType.PRED -> {
                Names.Predicate a = n.predicate(i.a());
                yield ComputeSteps.predicate(n.predicateResult(i.d()), -1, w -> ~a.lanes(w), null);
            }
            case Bitwise.Invert i -> one(IntOps.invert(i.logical(), i.type()), i.type(), i.d(), i.a());
            case Bitwise.Lookup3 i -> three(IntOps.lookup(i.lut()), PtxType.B32, i.d(), i.a(), i.b(), i.c());
            case Bitwise.Shift i ->
                ComputeSteps.two(
                        IntOps.shift(i.left(), i.type()),
                        n.result(i.d()),
                        n.value(i.a(), i.type()),
                        n.value(i.b(), PtxType.U32));
            case Bitwise.FunnelShift i ->
                three(IntOps.funnel(i.left(), i.wrap()), PtxType.B32, i.d(), i.a(), i.b(), i.c());
            case Bitwise.Extract i ->
                ComputeSteps.three(
                        IntOps.extract(i.type()),
                        n.result(i.d()),
                        n.value(i.a(), i.type()),
                        n.value(i.b(), PtxType.U32),
                        n.value(i.c(), PtxType.U32));
            case Bitwise.Insert i ->
                ComputeSteps.insert(
                        i.type(),
                        n.result(i.f()),
                        n.value(i.a(), i.type()),
                        n.value(i.b(), i.type()),
                        n.value(i.pos(), PtxType.U32),
                        n.value(i.len(), PtxType.U32));
            case Bitwise.Permute i -> three(IntOps.permute(i.mode()), PtxType.B32, i.d(), i.a(), i.b(), i.c());
        };
    }

    Step comparison(Comparison instruction) {
        return switch (instruction) {
            case Comparison.SetPredicate i -> {
                ComputeSteps.Lanes r = relation(i.relation(), i.type(), i.ftz(), i.a(), i.b());
                if (r == null) yield null;
                Names.Predicate c = i.c() == null ? null : n.predicate(i.c());
                Operand p = i.d() instanceof Operand.Pair two ? two.first() : i.d();
                int q = i.d() instanceof Operand.Pair two ? n.predicateResult(two.second()) : -1;
                yield ComputeSteps.predicate(
                        n.predicateResult(p),
                        q,
                        ComputeSteps.combined(r, i.combine(), c),
                        q < 0 ? null : ComputeSteps.combined(w -> ~r.of(w), i.combine(), c));
            }
            case Comparison.SetValue i -> {
                ComputeSteps.Lanes r = relation(i.relation(), i.type(), i.ftz(), i.a(), i.b());
                if (r == null) yield null;
                Names.Predicate c = i.c() == null ? null : n.predicate(i.c());
                long yes = i.dType() == PtxType.F32
                        ? Float.floatToRawIntBits(1)
                        : IntOps.mask(i.dType().bits());
                yield ComputeSteps.value(n.result(i.d()), ComputeSteps.combined(r, i.combine(), c), yes);
            }
            case Comparison.Select i -> {
                int a = n.value(i.a(), i.type());
                int b = n.value(i.b(), i.type());
                yield ComputeSteps.select(n.result(i.d()), a, b, n.predicate(i.p()));
            }
            case Comparison.SelectBySign i -> {
                int c = n.value(i.c(), i.signType());
                PtxType t = i.signType();
                LaneOp.Relation r = t == PtxType.F32
                        ? FloatOps.relation(Comparison.Relation.GE, t, i.ftz())
                        : IntOps.relation(Comparison.Relation.GE, t);
                long[] zero = new long[Warp.LANES];
                int a = n.value(i.a(), i.type());
                int b = n.value(i.b(), i.type());
                int d = n.result(i.d());
                yield new ComputeSteps.Lanewise(d) {
                    @Override
                    void compute(Warp w, long[] to) {
                        int m = r.run(w.regs[c], zero);
                        long[] x = w.regs[a];
                        long[] y = w.regs[b];
                        for (int k = 0; k < Warp.LANES; k++) to[k] = (m >>> k & 1) != 0 ? x[k] : y[k];
                    }
                };
            }
            case Comparison.TestFloat i ->
                ComputeSteps.test(n.predicateResult(i.p()), i.kind(), i.type(), n.value(i.a(), i.type()));
        };
    }

    private ComputeSteps.Lanes relation(Comparison.Relation r, PtxType t, boolean ftz, Operand a, Operand b) {
        LaneOp.Relation op = t.isFloat() ? FloatOps.relation(r, t, ftz) : IntOps.relation(r, t);
        if (op == null) return null;
        int x = n.value(a, t);
        int y = n.value(b, t);
        return w -> op.run(w.regs[x], w.regs[y]);
    }

    Step movement(Movement instruction) {
        return switch (instruction) {
            case Movement.Move i -> move(i);
            case Movement.Convert i -> convert(i);
            case Movement.ConvertAddress i -> {
                // A symbol's address lies in its space already, a register's in the space or among generic addresses.
                long window = Window.of(i.space());
                LaneOp.One op = i.toSpace()
                        ? (d, a) -> {
                            for (int k = 0; k < Warp.LANES; k++)
                                d[k] = window == 0 || !Window.inside(a[k], window) ? a[k] : a[k] - window;
                        }
                        : (d, a) -> {
                            for (int k = 0; k < Warp.LANES; k++) d[k] = a[k] + window;
                        };
                yield one(op, i.type(), i.d(), i.a());
            }
            case Movement.IsSpace i -> {
                int a = n.value(i.a(), PtxType.U64);
                Space space = i.space().isShared() ? Space.SHARED : i.space();
                yield ComputeSteps.predicate(
                        n.predicateResult(i.p()),
                        -1,
                        w -> {
                            int m = 0;
                            for (int k = 0; k < Warp.LANES; k++) if (Window.space(w.regs[a][k]) == space) m |= 1 << k;
                            return m;
                        },
                        null);
            }
            case Movement.MapAddress i -> {
                boolean generic = i.space() == Space.GENERIC;
                int a = n.value(i.a(), i.type());
                int rank = n.value(i.rank(), PtxType.U32);
                LaneOp.Two op = (d, x, r) -> {
                    for (int k = 0; k < Warp.LANES; k++) {
                        long offset = x[k] & Window.OFFSET_MASK;
                        d[k] = (generic ? Window.SHARED : 0) + (r[k] + 1 << Window.RANK_SHIFT | offset);
                    }
                };
                yield ComputeSteps.two(op, n.result(i.d()), a, rank);
            }
        };
    }

    private Step move(Movement.Move i) {
        if (i.type() == PtxType.PRED) {
            if (i.a() == Operand.Special.IS_EXPLICIT_CLUSTER) {
                int s = Operand.Special.IS_EXPLICIT_CLUSTER.ordinal();
                return ComputeSteps.predicate(n.predicateResult(i.d()), -1, w -> w.regs[s][0] == 0 ? 0 : -1, null);
            }
            Names.Predicate a = n.predicate(i.a());
            return ComputeSteps.predicate(n.predicateResult(i.d()), -1, a::lanes, null);
        }
        if (i.a() instanceof Operand.Vector v) {
            int bits = i.type().bits() / v.elements().size();
            int[] parts = v.elements().stream()
                    .mapToInt(e -> n.value(e, bits == 8 ? PtxType.B8 : bits == 16 ? PtxType.B16 : PtxType.B32))
                    .toArray();
            return ComputeSteps.pack(bits, n.result(i.d()), parts);
        }
        if (i.d() instanceof Operand.Vector v) {
            int a = n.value(i.a(), i.type());
            return ComputeSteps.unpack(i.type().bits() / v.elements().size(), n.results(v), a);
        }
        if (i.a() instanceof Operand.Special s) {
            switch (s) {
                case CLOCK, CLOCK64, GLOBALTIMER -> {
                    return ComputeSteps.clock(n.result(i.d()), 0);
                }
                case CLOCK_HI -> {
                    return ComputeSteps.clock(n.result(i.d()), 32);
                }
                default -> {}
            }
        }
        return one((d, a) -> System.arraycopy(a, 0, d, 0, Warp.LANES), i.type(), i.d(), i.a());
    }

    private Step convert(Movement.Convert i) {
        if (i.b() != null) {
            if (!i.dType().isPair()) return null;
            return two(Conversions.pair(i.mode(), i.dType(), i.aType()), i.aType(), i.d(), i.a(), i.b());
        }
        FloatMode mode = i.mode();
        LaneOp.One op = Conversions.one(mode, i.dType(), i.aType());
        int bits = Names.bits(i.d(), i.dType().bits());
        if (i.dType().isSigned() && bits > i.dType().bits()) {
            // A register that is wider than the result is filled with its sign.
            LaneOp.One narrow = op;
            op = (d, a) -> {
                narrow.run(d, a);
                for (int k = 0; k < Warp.LANES; k++) d[k] = IntOps.extend(i.dType(), d[k]) & IntOps.mask(bits);
            };
        }
        return one(op, i.aType(), i.d(), i.a());
    }

    private Step one(LaneOp.One op, PtxType t, Operand d, Operand a) {
        if (op == null) return null;
        int x = n.value(a, t);
        return ComputeSteps.one(op, n.result(d), x);
    }

    private Step two(LaneOp.Two op, PtxType t, Operand d, Operand a, Operand b) {
        if (op == null) return null;
        int x = n.value(a, t);
        int y = n.value(b, t);
        return ComputeSteps.two(op, n.result(d), x, y);
    }

    private Step three(LaneOp.Three op, PtxType t, Operand d, Operand a, Operand b, Operand c) {
        if (op == null) return null;
        int x = n.value(a, t);
        int y = n.value(b, t);
        int z = n.value(c, t);
        return ComputeSteps.three(op, n.result(d), x, y, z);
    }
}
