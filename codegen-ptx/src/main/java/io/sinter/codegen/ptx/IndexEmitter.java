// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Writes indices and addresses, in 64 bits. A sum is split by loop depth: each loop adds its own terms to what the loops around it have
 * summed.
 */
final class IndexEmitter {
    private final BodyEmitter c;
    private final Map<Integer, Object> slotKeys = new HashMap<>();

    IndexEmitter(BodyEmitter c) {
        this.c = c;
    }

    /** How an index depends on the variable of the shared loop. */
    enum Access {
        /** Not at all. */
        UNIFORM,
        /** {@code variable + uniform}. */
        UNIT,
        /** In any other way. */
        OTHER
    }

    Access access(Index i) {
        Access result = Access.UNIFORM;
        for (Index.Term t : i.terms()) {
            if (!c.varies(c.facts.of(t.atom()))) continue;
            boolean isVariable =
                    t.atom() instanceof Index.VarAtom v && v.var() == c.step().variable();
            if (!isVariable || !t.coef().is(1)) return Access.OTHER;
            result = Access.UNIT;
        }
        return result;
    }

    /** The number that a coefficient stands for. */
    Operand coef(Coef coef) {
        return switch (coef) {
            case Coef.Lit l -> c.out.constant(l.value());
            case Coef.Slot s ->
                c.once(slotKey(s), "slot", Facts.Fact.NONE, () -> Value.of(DType.I64, slot(s.slot(), PtxType.B64)))
                        .lane(0);
        };
    }

    /** What stands in a slot of the parameter block. */
    Operand.Reg slot(int slot, PtxType type) {
        Operand.Reg d = c.out.register(type);
        c.out.add(Memory.Load.of(Space.GLOBAL, type, d, c.out.at(c.frame.block(), 8L * slot))
                .nonCoherent());
        return d;
    }

    private Object slotKey(Coef.Slot s) {
        return slotKeys.computeIfAbsent(s.slot(), _ -> new Object());
    }

    /** {@code coef * bytes}. */
    Operand scaled(Coef coef, int bytes) {
        if (bytes == 1) return coef(coef);
        return switch (coef) {
            case Coef.Lit l -> c.out.constant(l.value() * bytes);
            case Coef.Slot s ->
                c.once(
                                slotKey(s),
                                bytes,
                                Facts.Fact.NONE,
                                () -> Value.of(DType.I64, c.scalars.mulLong(coef(s), c.out.constant(bytes))))
                        .lane(0);
        };
    }

    /** A summand that is the same in all lanes: what it depends on, and its value. */
    private record Part(Facts.Fact fact, Supplier<Operand> code) {}

    /** The value of an index as i64. */
    Value value(Index i) {
        return sum(i, "value", parts(i, 1, null), i, 1);
    }

    /** Byte addresses of an element, or of one for each lane. */
    List<Operand.Address> addresses(Buf b, Index i) {
        int bytes = b.dtype().bytes();
        if (access(i) == Access.UNIT) {
            // One register for all lanes, which differ in the offset that the instruction holds.
            Operand first = first(b, i);
            List<Operand.Address> all = new ArrayList<>();
            for (int k = 0; k < c.step().width(); k++)
                all.add(c.out.at(first, (c.step().ahead() + k) * bytes));
            return all;
        }
        Value v = sum(i, b, parts(i, bytes, b), i, bytes);
        return v.lanes().stream().map(c.out::at).toList();
    }

    /** Byte address of the first lane's element where the step's base is the variable, for an index of {@link Access#UNIT}. */
    private Operand first(Buf b, Index i) {
        int bytes = b.dtype().bytes();
        List<Part> parts = parts(i, bytes, b);
        Var base = c.step().base();
        Facts.Fact fact = c.facts.of(new Index.VarAtom(base));
        parts.add(new Part(fact, () -> c.once(base, bytes, fact, () -> {
                    Operand v = c.binding(base).lane(0);
                    return Value.of(DType.I64, c.scalars.mulLong(v, c.out.constant(bytes)));
                })
                .lane(0)));
        return uniform(i, b, parts);
    }

    /**
     * A number whose low bits say how the elements of an access are aligned at every multiple of its step: those of the base, the offset and
     * all strides but the first, together.
     */
    Operand alignment(Buf b, Index i, Var unit) {
        int bytes = b.dtype().bytes();
        Operand sum = base(b);
        if (!i.offset().is(0)) sum = c.scalars.addLong(sum, scaled(i.offset(), bytes));
        for (Index.Term t : i.terms()) {
            if (t.atom() instanceof Index.VarAtom v && v.var() == unit) continue;
            sum = c.out.or(PtxType.B64, sum, scaled(t.coef(), bytes));
        }
        return sum;
    }

    /** Address of a buffer's first element. */
    Operand base(Buf b) {
        Operand slot = coef(new Coef.Slot(b.slot()));
        if (b.kind() != Buf.Kind.SCRATCH) return slot;
        if (c.frame.scratch() == null) throw new IllegalStateException(b + " is no memory here");
        return c.once(
                        slotKey(new Coef.Slot(b.slot())),
                        "scratch",
                        Facts.Fact.NONE,
                        () -> Value.of(DType.I64, c.scalars.addLong(c.frame.scratch(), slot)))
                .lane(0);
    }

    /** The base, the offset and the terms that are the same in all lanes. */
    private List<Part> parts(Index i, int bytes, Buf b) {
        List<Part> parts = new ArrayList<>();
        if (b != null) parts.add(new Part(Facts.Fact.NONE, () -> base(b)));
        if (!i.offset().is(0)) parts.add(new Part(Facts.Fact.NONE, () -> scaled(i.offset(), bytes)));
        for (Index.Term t : i.terms()) {
            Facts.Fact f = c.facts.of(t.atom());
            if (c.varies(f)) continue;
            parts.add(new Part(f, () -> c.scalars.mulLong(atom(t.atom()).lane(0), scaled(t.coef(), bytes))));
        }
        return parts;
    }

    /** The sum of the parts, and of the index's terms that differ between lanes. */
    private Value sum(Object what, Object form, List<Part> parts, Index i, int bytes) {
        Operand same = uniform(what, form, parts);
        List<Operand> lanes = new ArrayList<>(List.of(same));
        for (Index.Term t : i.terms()) {
            if (!c.varies(c.facts.of(t.atom()))) continue;
            Value a = atom(t.atom());
            Operand coef = scaled(t.coef(), bytes);
            List<Operand> before = List.copyOf(lanes);
            int n = Math.max(before.size(), a.width());
            lanes.clear();
            for (int k = 0; k < n; k++) {
                Operand s = before.size() == 1 ? before.getFirst() : before.get(k);
                lanes.add(c.scalars.addLong(s, c.scalars.mulLong(a.lane(k), coef)));
            }
        }
        return new Value(DType.I64, lanes);
    }

    /** The sum of the parts; each loop's partial sum is computed there, and shared by what has the same {@code what} and form. */
    private Operand uniform(Object what, Object form, List<Part> parts) {
        List<Part> sorted = new ArrayList<>(parts);
        sorted.sort(Comparator.comparingInt(p -> c.place(p.fact).depth()));
        Operand acc = c.out.constant(0);
        Facts.Fact f = Facts.Fact.NONE;
        // Which parts are in the sum so far: a checked index is summed further in where a branch guards it than where
        // none does.
        BitSet summed = new BitSet();
        for (int k = 0; k < sorted.size(); ) {
            int depth = c.place(sorted.get(k).fact).depth();
            int end = k;
            while (end < sorted.size() && c.place(sorted.get(end).fact).depth() == depth)
                f = f.with(sorted.get(end++).fact);
            List<Part> level = sorted.subList(k, end);
            for (Part p : level) summed.set(parts.indexOf(p));
            Operand before = acc;
            record Level(Object form, int depth, BitSet parts) {}
            Level key = new Level(form, depth, (BitSet) summed.clone());
            acc = c.once(what, key, f, () -> {
                        Operand s = before;
                        for (Part p : level) s = c.scalars.addLong(s, p.code.get());
                        return Value.of(DType.I64, s);
                    })
                    .lane(0);
            k = end;
        }
        return acc;
    }

    private Value atom(Index.Atom atom) {
        return switch (atom) {
            case Index.VarAtom v -> variable(v);
            case Index.DivAtom d -> quotient(d.a(), d.by(), c.facts.of(atom));
            case Index.ModAtom m ->
                c.once(atom, "atom", c.facts.of(atom), () -> {
                    Value a = value(m.a());
                    Value q = quotient(m.a(), m.by(), c.facts.of(atom));
                    ScalarEmitter.Divisor by = divisor(m.by());
                    return Value.of(DType.I64, a.width(), k -> c.scalars.rest(a.lane(k), q.lane(k), by));
                });
            case Index.DataAtom d -> c.value(d.value());
        };
    }

    private Value quotient(Index a, Coef by, Facts.Fact f) {
        record Quotient(Coef by) {}
        return c.once(a, new Quotient(by), f, () -> {
            Value v = value(a);
            ScalarEmitter.Divisor d = divisor(by);
            return Value.of(DType.I64, v.width(), k -> c.scalars.quotient(v.lane(k), d));
        });
    }

    /** The number that a coefficient stands for, to divide by. */
    ScalarEmitter.Divisor divisor(Coef by) {
        return switch (by) {
            case Coef.Lit l -> c.scalars.divisor(c.out.constant(l.value()));
            case Coef.Slot s -> {
                Operand value = coef(by);
                Value inverse = c.once(
                        slotKey(s),
                        "inverse",
                        Facts.Fact.NONE,
                        () -> Value.of(DType.F64, c.scalars.divisor(value).inverse()));
                yield new ScalarEmitter.Divisor(value, inverse.lane(0));
            }
        };
    }

    private Value variable(Index.VarAtom v) {
        Value first = c.binding(v.var());
        if (c.step() == null || v.var() != c.step().variable() || c.step().width() == 1) return first;
        return c.once(
                v.var(),
                "lanes",
                c.facts.of(v),
                () -> Value.of(DType.I64, c.step().width(), k -> c.scalars.addLong(first.lane(0), c.out.constant(k))));
    }
}
