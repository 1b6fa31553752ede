// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.objectweb.asm.Type;

/**
 * Compiles indices and addresses. A sum is split by loop depth: each loop level adds its own terms to what
 * the levels outside have summed, so that an inner loop only adds what changes in it.
 */
final class IndexCompiler {
    private static final Type LONG = Type.LONG_TYPE;
    private final BodyCompiler c;

    IndexCompiler(BodyCompiler c) {
        this.c = c;
    }

    /** How an index depends on the vector loop's variable. */
    enum Access {
        /** Not at all. */
        UNIFORM,
        /** {@code variable + uniform}. */
        UNIT,
        /** {@code coef * variable + uniform}. */
        LINEAR,
        /** In any other way. */
        IRREGULAR
    }

    Access access(Index i) {
        Access result = Access.UNIFORM;
        for (Index.Term t : i.terms()) {
            if (!c.varies(c.facts.of(t.atom()))) continue;
            boolean isVariable =
                    t.atom() instanceof Index.VarAtom v && v.var() == c.vector().variable();
            if (!isVariable) return Access.IRREGULAR;
            result = t.coef().is(1) ? Access.UNIT : Access.LINEAR;
        }
        return result;
    }

    /** The number that a coefficient stands for. */
    Code coef(Coef coef) {
        return switch (coef) {
            case Coef.Lit l -> Code.constant(l.value());
            case Coef.Slot s ->
                c.once(
                                slotKey(s),
                                "slot",
                                Facts.Fact.NONE,
                                () -> Value.scalar(DType.I64, Memory.slot(c.frame.params(), s.slot())))
                        .code();
        };
    }

    private final java.util.Map<Integer, Object> slotKeys = new java.util.HashMap<>();

    private Object slotKey(Coef.Slot s) {
        return slotKeys.computeIfAbsent(s.slot(), _ -> new Object());
    }

    /** {@code coef * bytes}. */
    private Code scaled(Coef coef, int bytes) {
        if (bytes == 1) return coef(coef);
        return switch (coef) {
            case Coef.Lit l -> Code.constant(l.value() * bytes);
            case Coef.Slot s ->
                c.once(
                                slotKey(s),
                                bytes,
                                Facts.Fact.NONE,
                                () -> Value.scalar(DType.I64, Code.mul(coef(s), Code.constant((long) bytes))))
                        .code();
        };
    }

    /** The form of a partial sum; of one that is within memory, the depth is -1. */
    private record Level(Object form, int depth, BitSet parts) {}

    /** A summand: what it depends on, and its code. */
    private record Part(Facts.Fact fact, Supplier<Code> code) {}

    /** The value of an index that is the same in all lanes. */
    Code value(Index i) {
        return sum(i, "value", parts(i, 1), Facts.Fact.NONE, false);
    }

    /** The index without its terms in the vector loop's variable. */
    Code uniformPart(Index i) {
        return sum(i, "uniform", parts(i, 1), Facts.Fact.NONE, false);
    }

    /**
     * Byte address of an element; inside a vector loop, of lane 0 (the index's access is not {@link
     * Access#IRREGULAR}).
     */
    Code address(Buf b, Index i) {
        int bytes = b.dtype().bytes();
        List<Part> parts = parts(i, bytes);
        parts.add(0, new Part(Facts.Fact.NONE, () -> base(b)));
        long constant = 0;
        if (c.vector() != null) {
            for (Index.Term t : i.terms()) {
                if (!(t.atom() instanceof Index.VarAtom v)
                        || v.var() != c.vector().variable()) continue;
                VectorLoop loop = c.vector();
                parts.add(new Part(Facts.Fact.NONE, () -> Code.mul(loop.from(), scaled(t.coef(), bytes))));
                Facts.Fact inLoop = new Facts.Fact(Set.of(loop.variable()), Set.of(), Facts.Motion.FREE);
                parts.add(new Part(inLoop, () -> Code.mul(unsigned(loop.counter()), scaled(t.coef(), bytes))));
                if (loop.offset() != 0) {
                    if (t.coef() instanceof Coef.Lit l) constant += l.value() * bytes * loop.offset();
                    else
                        parts.add(new Part(
                                inLoop, () -> Code.mul(Code.constant((long) loop.offset()), scaled(t.coef(), bytes))));
                }
            }
        }
        return Code.add(sum(i, b, parts, Facts.Fact.NONE, c.vector() != null), Code.constant(constant));
    }

    /** A counter that is never negative, as a long of which C2 sees that it is not. */
    private static Code unsigned(Code counter) {
        return Code.and(Code.cast(LONG, counter), Code.constant(0xffff_ffffL));
    }

    /** Address of a buffer's first element. */
    Code base(Buf b) {
        if (LoopFission.isChunkArray(b)) return c.chunkArray(b);
        Code slot = coef(new Coef.Slot(b.slot()));
        return b.kind() == Buf.Kind.SCRATCH ? Code.add(c.frame.scratch(), slot) : slot;
    }

    /** The offset and the terms that are the same in all lanes. */
    private List<Part> parts(Index i, int bytes) {
        List<Part> parts = new ArrayList<>();
        if (!i.offset().is(0)) parts.add(new Part(Facts.Fact.NONE, () -> scaled(i.offset(), bytes)));
        for (Index.Term t : i.terms()) {
            Facts.Fact f = c.facts.of(t.atom());
            if (c.varies(f)) continue;
            parts.add(new Part(f, () -> Code.mul(atom(t.atom()), scaled(t.coef(), bytes))));
        }
        return parts;
    }

    /**
     * The sum of the parts; each loop level's partial sum is computed there, and shared by what has the same
     * {@code what} and form.
     *
     * @param address whether this is an address in a vector loop: what the loop adds to it is then added to a number {@linkplain Memory#base
     *     within memory}, so that C2 sees the sum to be there, and checks no access
     */
    private Code sum(Object what, Object form, List<Part> parts, Facts.Fact start, boolean address) {
        if (parts.isEmpty()) return Code.constant(0L);
        List<Part> sorted = new ArrayList<>(parts);
        sorted.sort(Comparator.comparingInt(p -> c.place(p.fact).depth()));
        Code acc = null;
        Facts.Fact f = start;
        // Which parts are in the sum so far: a checked index is summed further in where a branch guards it than where
        // none does.
        BitSet summed = new BitSet();
        int i = 0;
        while (i < sorted.size()) {
            int depth = c.place(sorted.get(i).fact).depth();
            if (address && acc != null && depth >= c.depth(c.vector().variable())) {
                Code outside = acc;
                acc = c.once(
                                what,
                                new Level(form, -1, (BitSet) summed.clone()),
                                f,
                                () -> Value.scalar(DType.I64, Memory.base(outside)))
                        .code();
                address = false;
            }
            int end = i;
            while (end < sorted.size() && c.place(sorted.get(end).fact).depth() == depth)
                f = f.with(sorted.get(end++).fact);
            List<Part> level = sorted.subList(i, end);
            for (Part p : level) summed.set(parts.indexOf(p));
            Code before = acc;
            Supplier<Code> add = () -> {
                Code s = before;
                for (Part p : level) s = s == null ? p.code.get() : Code.add(s, p.code.get());
                return s;
            };
            if (depth == c.scope().depth() && end == sorted.size()) acc = add.get();
            else
                acc = c.once(
                                what,
                                new Level(form, depth, (BitSet) summed.clone()),
                                f,
                                () -> Value.scalar(DType.I64, add.get()))
                        .code();
            i = end;
        }
        return acc;
    }

    /** The value of an atom that is the same in all lanes. */
    private Code atom(Index.Atom atom) {
        return switch (atom) {
            case Index.VarAtom v -> c.binding(v.var()).code();
            case Index.DivAtom d ->
                c.once(atom, "atom", c.facts.of(atom), () -> {
                            return Value.scalar(DType.I64, Code.div(value(d.a()), coef(d.by())));
                        })
                        .code();
            case Index.ModAtom m ->
                c.once(atom, "atom", c.facts.of(atom), () -> {
                            return Value.scalar(DType.I64, Code.rem(value(m.a()), coef(m.by())));
                        })
                        .code();
            case Index.DataAtom d -> c.scalar(d.value());
        };
    }

    /**
     * An index for one lane.
     *
     * @param variable the loop variable's value in this lane
     * @param data code of a data-dependent value in this lane
     * @param counted quotients that are known
     */
    Code lane(Index i, Code variable, Function<Expr, Code> data, LaneQuotients counted) {
        Code sum = uniformPart(i);
        for (Index.Term t : i.terms()) {
            if (!c.varies(c.facts.of(t.atom()))) continue;
            Code a =
                    switch (t.atom()) {
                        case Index.VarAtom _ -> variable;
                        case Index.DivAtom d -> {
                            Code known = counted.quotient(d);
                            yield known != null ? known : Code.div(lane(d.a(), variable, data, counted), coef(d.by()));
                        }
                        case Index.ModAtom m -> {
                            Code known = counted.remainder(m);
                            yield known != null ? known : Code.rem(lane(m.a(), variable, data, counted), coef(m.by()));
                        }
                        case Index.DataAtom d -> data.apply(d.value());
                    };
            sum = Code.add(sum, Code.mul(a, coef(t.coef())));
        }
        return sum;
    }

    /** The vector loop's variable in lane 0: {@code from + counter + offset}. */
    Code firstLane() {
        VectorLoop loop = c.vector();
        Code i = Code.cast(
                LONG, loop.offset() == 0 ? loop.counter() : Code.add(loop.counter(), Code.constant(loop.offset())));
        return Code.add(loop.from(), i);
    }

    /** A linear index as i64 in lane 0. */
    Code first(Index i) {
        Code sum = uniformPart(i);
        for (Index.Term t : i.terms()) {
            if (c.varies(c.facts.of(t.atom()))) sum = Code.add(sum, Code.mul(firstLane(), coef(t.coef())));
        }
        return sum;
    }

    /** The coefficient of the vector loop's variable in a linear index. */
    Coef stride(Index i) {
        for (Index.Term t : i.terms()) {
            if (c.varies(c.facts.of(t.atom()))) return t.coef();
        }
        return Coef.of(0);
    }

    /** The data-dependent values in an index that differ between lanes, each once: of one row number there are several quotients and remainders. */
    List<Expr> laneData(Index i) {
        List<Expr> out = new ArrayList<>();
        Facts.data(i, out);
        Set<Expr> known = Collections.newSetFromMap(new IdentityHashMap<>());
        out.removeIf(e -> !c.varies(e) || !known.add(e));
        return out;
    }
}
