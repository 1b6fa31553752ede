// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import java.util.List;
import org.objectweb.asm.Type;

/** The loop IR's expressions as vector code, where their value differs between lanes. */
final class VectorOps {
    private final BodyCompiler c;
    private final VectorMath math;

    VectorOps(BodyCompiler c) {
        this.c = c;
        this.math = new VectorMath(c);
    }

    Value compute(Expr e) {
        return switch (e) {
            case Expr.Const _, Expr.Arg _, Expr.Ref _ -> throw new AssertionError("does not vary: " + e);
            case Expr.IndexValue v -> indexValue(v);
            case Expr.Load l -> c.memory.load(l);
            case Expr.Un u -> unary(u);
            case Expr.Bin b -> binary(b);
            case Expr.Select s -> select(s);
            case Expr.Fma f -> Value.of(c.vec(f.a()).fma(c.vec(f.b()), c.vec(f.c())));
            case Expr.Convert v -> convert(v);
            case Expr.Narrow n -> Value.of(narrow(n));
            case Expr.Bits b -> Value.of(c.vec(b.a()).reinterpret(c.vector().species(b.dtype())));
            case Expr.Checked k -> checked(k, null);
        };
    }

    /** The species that masks about values of type {@code t} are for. */
    private Species species(DType t) {
        return c.vector().species(t.isBool() ? DType.I32 : t);
    }

    private Value indexValue(Expr.IndexValue v) {
        Species s = species(v.dtype());
        if (c.indices.access(v.index()) == IndexCompiler.Access.IRREGULAR)
            return Value.of(c.memory.laneIndices(v.index(), s));
        Code stride = Code.cast(s.laneType(), c.indices.coef(c.indices.stride(v.index())));
        Vec step = Vec.iota(s).mul(Vec.broadcast(s, stride));
        return Value.of(step.add(Vec.broadcast(s, Code.cast(s.laneType(), c.indices.first(v.index())))));
    }

    private Value select(Expr.Select s) {
        if (s.dtype().isBool()) {
            Species b = species(DType.BOOL);
            Code cond = c.held(c.mask(s.cond(), b));
            return Value.mask(b, Masks.or(Masks.and(c.mask(s.a(), b), cond), Masks.andNot(c.mask(s.b(), b), cond)));
        }
        Code cond = c.mask(s.cond(), species(s.dtype()));
        return Value.of(c.vec(s.b()).blend(c.vec(s.a()), cond));
    }

    private Value unary(Expr.Un u) {
        DType t = u.a().dtype();
        Species s = species(t);
        if (u.op() == Prim1.NOT && t.isBool()) return Value.mask(s, Masks.not(c.mask(u.a(), s)));
        if (u.op() == Prim1.ISNAN) {
            Vec a = c.held(c.vec(u.a()));
            return Value.mask(s, a.compare("NE", a));
        }
        Vec a = c.vec(u.a());
        Vec inline = math.unary(u.op(), a);
        if (inline != null) return Value.of(inline);
        return Value.of(c.memory.perLane(s, List.of(a), x -> ScalarOps.unary(u.op(), t, x.get(0))));
    }

    private Value binary(Expr.Bin b) {
        DType t = b.a().dtype();
        if (b.op().isComparison()) return comparison(b);
        Species s = species(t);
        if (t.isBool()) return Value.mask(s, logic(b.op(), c.mask(b.a(), s), c.mask(b.b(), s)));
        if (b.op() == Prim2.SHL || b.op() == Prim2.SHR || b.op() == Prim2.USHR) return Value.of(shift(b, s));
        Vec x = c.vec(b.a());
        Vec y = c.vec(b.b());
        Vec inline = arithmetic(b.op(), x, y);
        if (inline != null) return Value.of(inline);
        return Value.of(c.memory.perLane(s, List.of(x, y), v -> ScalarOps.binary(b.op(), t, v.get(0), v.get(1))));
    }

    /** One vector instruction or a few, or null where there is nothing better than lane by lane. */
    private Vec arithmetic(Prim2 op, Vec x, Vec y) {
        return switch (op) {
            case ADD -> x.add(y);
            case SUB -> x.sub(y);
            case MUL -> x.mul(y);
            case DIV -> x.species().element().isFloat() ? x.div(y) : null;
            case MAX -> x.binary("MAX", y);
            case MIN -> x.binary("MIN", y);
            case AND -> x.and(y);
            case OR -> x.or(y);
            case XOR -> x.xor(y);
            case UMULHI -> math.umulhi(x, y);
            case REM, POW, ATAN2 -> null;
            case SHL, SHR, USHR, EQ, NE, LT, LE, GT, GE -> throw new AssertionError(op);
        };
    }

    private static Code logic(Prim2 op, Code a, Code b) {
        return switch (op) {
            case AND, MIN, MUL -> Masks.and(a, b);
            case OR, MAX, ADD -> Masks.or(a, b);
            case XOR -> Masks.xor(a, b);
            case SUB, DIV, REM, POW, ATAN2, SHL, SHR, USHR, UMULHI, EQ, NE, LT, LE, GT, GE ->
                throw new IllegalArgumentException(op + " of bool");
        };
    }

    private Vec shift(Expr.Bin b, Species s) {
        String op = b.op() == Prim2.SHL ? "LSHL" : b.op() == Prim2.SHR ? "ASHR" : "LSHR";
        int width = s.element().bytes() * 8;
        if (b.b() instanceof Expr.Const k) {
            long n = s.element() == DType.I32 ? (int) k.bits() : k.bits();
            if (n >= 0 && n < width) return c.vec(b.a()).shift(op, Code.constant((int) n));
        }
        // The Vector API takes counts modulo the width; counts beyond it shift everything out.
        Vec x = c.held(c.vec(b.a()));
        Vec n = c.held(c.vec(b.b()));
        Vec out = b.op() == Prim2.SHR ? x.shift("ASHR", Code.constant(width - 1)) : Vec.constant(s, 0);
        Code tooFar = n.and(Vec.bits(s, -width)).compare("NE", Vec.constant(s, 0));
        return x.binary(op, n).blend(out, tooFar);
    }

    private Value comparison(Expr.Bin b) {
        DType t = b.a().dtype();
        Species s = species(t);
        if (t.isBool()) {
            Code x = c.mask(b.a(), s);
            Code y = c.mask(b.b(), s);
            return Value.mask(
                    s,
                    switch (b.op()) {
                        case EQ -> Masks.eq(x, y);
                        case NE -> Masks.xor(x, y);
                        case LT -> Masks.andNot(y, x);
                        case GT -> Masks.andNot(x, y);
                        case LE -> Masks.not(Masks.andNot(x, y));
                        case GE -> Masks.not(Masks.andNot(y, x));
                        case ADD, SUB, MUL, DIV, REM, MAX, MIN, POW, ATAN2, AND, OR, XOR, SHL, SHR, USHR, UMULHI ->
                            throw new AssertionError(b.op());
                    });
        }
        if (isRange(b)) return range(b);
        if (isRange(swapped(b))) return range(swapped(b));
        return Value.mask(s, c.vec(b.a()).compare(b.op().name(), c.vec(b.b())));
    }

    /** Whether this compares {@code loop variable + uniform} with something uniform. */
    private boolean isRange(Expr.Bin b) {
        return b.a() instanceof Expr.IndexValue v
                && c.indices.access(v.index()) == IndexCompiler.Access.UNIT
                && !c.varies(b.b());
    }

    /** The same comparison with its operands exchanged. */
    static Expr.Bin swapped(Expr.Bin b) {
        Prim2 op =
                switch (b.op()) {
                    case LT -> Prim2.GT;
                    case GT -> Prim2.LT;
                    case LE -> Prim2.GE;
                    case GE -> Prim2.LE;
                    case EQ, NE -> b.op();
                    case ADD, SUB, MUL, DIV, REM, MAX, MIN, POW, ATAN2, AND, OR, XOR, SHL, SHR, USHR, UMULHI ->
                        throw new IllegalArgumentException(b.op() + " is not a comparison");
                };
        return new Expr.Bin(op, b.b(), b.a());
    }

    /**
     * Such a comparison without index vectors: {@code first + lane op limit} is {@code lane op limit -
     * first}, and that fits an i32.
     */
    private Value range(Expr.Bin b) {
        Index i = ((Expr.IndexValue) b.a()).index();
        Species s = species(DType.I32);
        // Far outside any index, so that the difference cannot overflow; then just outside any lane.
        Code limit = clamp(Code.cast(Type.LONG_TYPE, c.scalar(b.b())), -1L << 62, 1L << 62);
        Code lane = clamp(Code.sub(limit, c.indices.first(i)), -1, s.lanes());
        return Value.mask(s, Vec.iota(s).compare(b.op().name(), Vec.broadcast(s, Code.cast(Type.INT_TYPE, lane))));
    }

    private static Code clamp(Code x, long low, long high) {
        Type math = Code.object("java/lang/Math");
        Code atLeast = Code.call(math, "max", Type.LONG_TYPE, x, Code.constant(low));
        return Code.call(math, "min", Type.LONG_TYPE, atLeast, Code.constant(high));
    }

    private Value convert(Expr.Convert v) {
        DType from = v.a().dtype();
        DType to = v.dtype();
        if (from == to)
            return from.isBool() ? Value.mask(species(from), c.mask(v.a(), species(from))) : Value.of(c.vec(v.a()));
        if (to.isBool()) {
            Species s = species(from);
            return Value.mask(s, c.vec(v.a()).compare("NE", Vec.constant(s, 0)));
        }
        Species target = species(to);
        if (from.isBool())
            return Value.of(Vec.constant(target, 0).blend(Vec.constant(target, 1), c.mask(v.a(), target)));
        return Value.of(c.vec(v.a()).convert(letter(from) + "2" + letter(to), target));
    }

    private static String letter(DType t) {
        return switch (t) {
            case F64 -> "D";
            case F32 -> "F";
            case I64 -> "L";
            case I32 -> "I";
            case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalArgumentException("conversion of " + t);
        };
    }

    private Vec narrow(Expr.Narrow n) {
        Vec a = c.vec(n.a());
        return switch (n.to()) {
            case F16 -> MemoryVectors.fromF16(c, MemoryVectors.toF16(c, a));
            case BF16 -> MemoryVectors.toBf16(c, a).shl(16).reinterpret(a.species());
            case I16 -> a.shl(16).shr(16);
            case I8 -> a.shl(24).shr(24);
            case U8 -> a.and(Vec.bits(a.species(), 0xff));
            case F64, F32, I64, I32, BOOL -> a;
        };
    }

    /** @param mask of the lanes that may report an error, of vectors of i64; null for all */
    Value checked(Expr.Checked k, Code mask) {
        Species s = species(DType.I64);
        Vec value = c.held(c.vec(k.value()));
        Code bound = c.indices.coef(k.bound());
        Vec limit = Vec.broadcast(s, bound);
        Vec zero = Vec.constant(s, 0);
        Vec wrapped = k.wrap() ? c.held(value.blend(value.add(limit), value.compare("LT", zero))) : value;
        Code bad = c.held(Masks.or(wrapped.compare("LT", zero), wrapped.compare("GE", limit)));
        Code asked = mask == null ? bad : Masks.and(bad, mask);
        Code reported = c.held(Masks.andNullable(asked, c.active(s)));
        Code first = Code.callVirtual(Species.MASK, "firstTrue", Type.INT_TYPE, List.of(), reported);
        Code errors = Memory.slot(c.frame.params(), 0);
        Code site = c.indices.coef(k.site());
        Code report = Code.call(Memory.SUPPORT, "fail", Type.VOID_TYPE, value.lane(first), bound, site, errors);
        c.block().ifThen(Masks.anyTrue(reported), report);
        return Value.of(wrapped.blend(zero, bad));
    }

    /** {@code acc op value}, in the lanes where {@code mask} (null: all) is true. */
    static Code combine(Stmt.Combine op, Value acc, Code value, Code mask) {
        if (acc.dtype().isBool()) {
            boolean or = op == Stmt.Combine.MAX || op == Stmt.Combine.SUM;
            if (mask == null) return or ? Masks.or(acc.code(), value) : Masks.and(acc.code(), value);
            return or
                    ? Masks.or(acc.code(), Masks.and(value, mask))
                    : Masks.andNot(acc.code(), Masks.andNot(mask, value));
        }
        String operator =
                switch (op) {
                    case SUM -> "ADD";
                    case PROD -> "MUL";
                    case MAX -> "MAX";
                    case MIN -> "MIN";
                };
        return new Vec(acc.species(), acc.code())
                .binary(operator, new Vec(acc.species(), value), mask)
                .code();
    }
}
