// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Bitwise.LogicOp;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes loads, stores and index checks. Neighbouring elements of a step are loaded and stored by one instruction of up to 16 bytes;
 * the shared loop sees to their alignment.
 */
final class MemoryEmitter {
    private final BodyEmitter c;

    MemoryEmitter(BodyEmitter c) {
        this.c = c;
    }

    /** A scalar argument from its slot. */
    Value argument(Expr.Arg a) {
        DType t = a.dtype();
        if (t != DType.BOOL) return Value.of(t, c.indices.slot(a.slot(), ScalarEmitter.type(t)));
        Reg bits = c.indices.slot(a.slot(), PtxType.B32);
        return Value.of(t, c.out.setp(Relation.NE, PtxType.S32, bits, c.out.constant(0)));
    }

    /** Where a buffer lies: a team's own memory is global or shared, which a launch decides. */
    private static Space space(Buf b) {
        return b.kind() == Buf.Kind.SCRATCH ? Space.GENERIC : Space.GLOBAL;
    }

    /** Elements of one instruction: at most 4, at most 16 bytes. */
    static int elements(DType t, int width) {
        return Math.min(width, Math.min(4, 16 / t.bytes()));
    }

    /** The type of loads and stores of an element. */
    static PtxType memoryType(DType t) {
        return switch (t) {
            case F64 -> PtxType.F64;
            case F32 -> PtxType.F32;
            case I64 -> PtxType.B64;
            case I32 -> PtxType.B32;
            case F16, BF16 -> PtxType.B16;
            case I16 -> PtxType.S16;
            case I8 -> PtxType.S8;
            case U8, BOOL -> PtxType.U8;
        };
    }

    /** The register that an element is loaded into: extended by its sign where it is narrow. */
    static Reg element(KernelBuilder out, DType t) {
        return out.register(
                switch (t) {
                    case F64 -> PtxType.F64;
                    case F32 -> PtxType.F32;
                    case I64 -> PtxType.B64;
                    case F16, BF16 -> PtxType.B16;
                    case I32, I16, I8, U8, BOOL -> PtxType.B32;
                });
    }

    /** The register value of a loaded element. */
    private Operand widen(DType t, Reg r) {
        return switch (t) {
            case F16 -> c.scalars.fromHalf(r);
            case BF16 -> c.scalars.fromBf16(r);
            case BOOL -> c.out.setp(Relation.NE, PtxType.S32, r, c.out.constant(0));
            case F64, F32, I64, I32, I16, I8, U8 -> r;
        };
    }

    /** What is stored of a register value. */
    private Operand narrow(DType t, Operand v) {
        return switch (t) {
            case F16 -> c.scalars.toHalf(v);
            case BF16 -> c.scalars.toBf16(v);
            case BOOL -> c.out.selp(PtxType.B32, c.out.constant(1), c.out.constant(0), v);
            case I32, I16, I8, U8 -> c.scalars.register(DType.I32, v);
            case F64, F32, I64 -> c.scalars.register(t, v);
        };
    }

    Value load(Expr.Load l) {
        if (l.mask() != null) return masked(l);
        DType t = l.buffer().dtype();
        List<Operand.Address> at = c.indices.addresses(l.buffer(), l.index());
        int n = at.size();
        boolean neighbours = n > 1 && c.step().wide().contains(new BodyEmitter.Access(l.buffer(), l.index()));
        int chunk = neighbours ? elements(t, n) : 1;
        List<Operand> lanes = new ArrayList<>();
        for (int k = 0; k < n; k += chunk) {
            List<Operand> r = new ArrayList<>();
            for (int j = 0; j < chunk; j++) r.add(element(c.out, t));
            Operand d = chunk == 1 ? r.getFirst() : new Operand.Vector(r);
            c.out.add(Memory.Load.of(space(l.buffer()), memoryType(t), d, at.get(k)));
            for (Operand o : r) lanes.add(widen(t, (Reg) o));
        }
        return new Value(l.dtype(), lanes);
    }

    private Value masked(Expr.Load l) {
        DType t = l.buffer().dtype();
        Value mask = c.value(l.mask());
        Value otherwise = c.value(l.otherwise());
        boolean checks = Facts.hasData(l.index());
        boolean varies = c.varies(c.facts.of(l));
        int n = varies ? c.step().width() : 1;
        Reg[] result = new Reg[n];
        for (int k = 0; k < n; k++) {
            result[k] = c.out.register(ScalarEmitter.type(l.dtype()));
            c.scalars.assign(l.dtype(), result[k], otherwise.lane(k));
        }
        List<Operand.Address> at = checks ? null : c.indices.addresses(l.buffer(), l.index());
        for (int k = 0; k < n; k++) {
            int lane = k;
            Reg p = c.scalars.register(DType.BOOL, mask.lane(k));
            Runnable read = () -> {
                List<Operand.Address> all = checks ? c.indices.addresses(l.buffer(), l.index()) : at;
                Reg r = element(c.out, t);
                c.out.add(Memory.Load.of(space(l.buffer()), memoryType(t), r, all.get(all.size() == 1 ? 0 : lane)));
                c.scalars.assign(l.dtype(), result[lane], widen(t, r));
            };
            when(p, read);
        }
        return new Value(l.dtype(), List.of(result));
    }

    /** Runs code where a predicate holds. */
    void when(Reg p, Runnable code) {
        c.nested(true, () -> {
            String end = c.out.newLabel();
            c.out.branchUnless(p, end);
            code.run();
            c.out.label(end);
        });
    }

    /**
     * Stores a value, or one for each lane.
     *
     * @param only in which lanes the store is done at all; null for all
     */
    void store(Stmt.Store s, Value only) {
        if (c.anyOrder) {
            // Other threads may be at the same element: a read, and a write later, would lose what they do.
            Update update = only == null ? Update.of(s) : null;
            if (update == null) throw new IllegalStateException(s + " is no update by one instruction");
            update(update);
            return;
        }
        DType t = s.buffer().dtype();
        boolean varies = c.varies(c.facts.of(s.index()))
                || c.varies(c.facts.of(s.value()))
                || s.mask() != null && c.varies(c.facts.of(s.mask()))
                || only != null && only.width() > 1;
        int n = varies ? c.step().width() : 1;
        // Storing rounds to the buffer's type by itself.
        boolean rounds = s.value() instanceof Expr.Narrow x && x.to() == t && t.isFloat();
        Value v = c.value(rounds ? ((Expr.Narrow) s.value()).a() : s.value());
        Value mask = s.mask() == null ? null : c.value(s.mask());
        if (mask == null && only == null) {
            plain(s, t, n, v);
            return;
        }
        boolean checks = Facts.hasData(s.index());
        List<Operand.Address> at = checks ? null : c.indices.addresses(s.buffer(), s.index());
        for (int k = 0; k < n; k++) {
            int lane = k;
            Reg p = c.scalars.register(DType.BOOL, mask == null ? only.lane(k) : mask.lane(k));
            if (mask != null && only != null) p = c.out.and(PtxType.PRED, p, only.lane(k));
            Operand bits = narrow(t, v.lane(k));
            if (!checks) {
                c.out.add(
                        Guard.when(p),
                        Memory.Store.of(space(s.buffer()), memoryType(t), at.get(at.size() == 1 ? 0 : lane), bits));
                continue;
            }
            when(p, () -> {
                List<Operand.Address> all = c.indices.addresses(s.buffer(), s.index());
                c.out.add(Memory.Store.of(space(s.buffer()), memoryType(t), all.get(all.size() == 1 ? 0 : lane), bits));
            });
        }
    }

    /** An update by instructions that nothing comes between; two neighbours of 16 bits by one. */
    private void update(Update u) {
        Stmt.Store s = u.store();
        DType t = s.buffer().dtype();
        boolean varies = c.varies(c.facts.of(s.index())) || c.varies(c.facts.of(u.value()));
        int n = varies ? c.step().width() : 1;
        Value v = c.value(u.value());
        List<Operand.Address> at = c.indices.addresses(s.buffer(), s.index());
        List<Operand> bits = new ArrayList<>();
        for (int k = 0; k < n; k++) bits.add(narrow(t, v.lane(k)));
        if (n == 2 && u.pair() != null && c.step().wide().contains(new BodyEmitter.Access(s.buffer(), s.index()))) {
            Reg both = c.out.register(PtxType.B32);
            c.out.assign(PtxType.B32, both, new Operand.Vector(bits));
            atomic(u, u.pair(), at.getFirst(), both);
            return;
        }
        for (int k = 0; k < n; k++) atomic(u, u.type(), at.get(at.size() == 1 ? 0 : k), bits.get(k));
    }

    private void atomic(Update u, PtxType type, Operand.Address at, Operand value) {
        boolean isHalf = u.pair() != null;
        c.out.add(new Memory.Atomic(
                Memory.Order.NONE, Memory.Scope.NONE, Space.GLOBAL, u.op(), isHalf, type, null, at, value, null));
    }

    private void plain(Stmt.Store s, DType t, int n, Value v) {
        List<Operand.Address> at = c.indices.addresses(s.buffer(), s.index());
        boolean neighbours = n > 1 && c.step().wide().contains(new BodyEmitter.Access(s.buffer(), s.index()));
        int chunk = neighbours ? elements(t, n) : 1;
        for (int k = 0; k < n; k += chunk) {
            List<Operand> r = new ArrayList<>();
            for (int j = 0; j < chunk; j++) r.add(narrow(t, v.lane(k + j)));
            Operand value = chunk == 1 ? r.getFirst() : new Operand.Vector(r);
            c.out.add(Memory.Store.of(space(s.buffer()), memoryType(t), at.get(at.size() == 1 ? 0 : k), value));
        }
    }

    /** An index check: the value within its bound, or 0 with the error record set. */
    Value checked(Expr.Checked e) {
        Value v = c.value(e.value());
        Operand bound = c.indices.coef(e.bound());
        Operand least = least(e, bound);
        return Value.of(DType.I64, v.width(), k -> {
            Reg x = c.scalars.register(DType.I64, v.lane(k));
            Reg inside = inside(x, least, bound);
            when(c.out.not(PtxType.PRED, inside), () -> report(e, x, bound));
            return c.out.selp(PtxType.B64, wrapped(e, x, bound), c.out.constant(0), inside);
        });
    }

    /** The least number that is a right index. */
    Operand least(Expr.Checked e, Operand bound) {
        return e.wrap() ? c.out.neg(PtxType.S64, bound) : c.out.constant(0);
    }

    /** Whether a number is a right index: at least {@code least}, and below {@code bound}. */
    Reg inside(Reg x, Operand least, Operand bound) {
        Reg below = c.out.setp(Relation.LT, PtxType.S64, x, bound);
        return c.out.setp(Relation.GE, PtxType.S64, x, least, LogicOp.AND, below);
    }

    /** A right index counted from the start. */
    Reg wrapped(Expr.Checked e, Reg x, Operand bound) {
        if (!e.wrap()) return x;
        Reg negative = c.out.setp(Relation.LT, PtxType.S64, x, c.out.constant(0));
        return c.out.selp(PtxType.B64, c.out.add(PtxType.S64, x, bound), x, negative);
    }

    /** Sets the error record, unless somebody has: who finds the state 0 and makes it 1 writes the rest. */
    void report(Expr.Checked e, Operand x, Operand bound) {
        Reg record = c.indices.slot(0, PtxType.B64);
        Operand site = c.indices.coef(e.site());
        Reg before = c.out.register(PtxType.B64);
        c.out.add(new Memory.Atomic(
                Memory.Order.NONE,
                Memory.Scope.NONE,
                Space.GLOBAL,
                Memory.AtomicOp.CAS,
                false,
                PtxType.B64,
                before,
                c.out.at(record),
                c.out.constant(0),
                c.out.constant(1)));
        Reg first = c.out.setp(Relation.EQ, PtxType.S64, before, c.out.constant(0));
        Operand[] words = {site, x, bound};
        for (int i = 0; i < words.length; i++) {
            Operand w = c.scalars.register(DType.I64, words[i]);
            c.out.add(Guard.when(first), Memory.Store.of(Space.GLOBAL, PtxType.B64, c.out.at(record, 8L * (i + 1)), w));
        }
    }

    /** Bytes by which neighbouring elements that one instruction takes are to be aligned. */
    static int alignment(Buf b, int width) {
        return elements(b.dtype(), width) * b.dtype().bytes();
    }
}
