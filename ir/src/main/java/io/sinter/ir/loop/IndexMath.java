// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.loop.Index.Atom;
import io.sinter.ir.loop.Index.DataAtom;
import io.sinter.ir.loop.Index.DivAtom;
import io.sinter.ir.loop.Index.ModAtom;
import io.sinter.ir.loop.Index.Term;
import io.sinter.ir.loop.Index.VarAtom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Arithmetic on index expressions whose numbers are all concrete, always in normal form, so that equal indices are {@code equals}. Views vanish
 * here: a chain of reshapes and permutations becomes one expression, and the divisions that a reshape asks for cancel wherever the
 * extents allow.
 */
public final class IndexMath {
    private IndexMath() {}

    /** Least and greatest value over all iterations. */
    public record Range(long min, long max) {
        boolean within(long low, long high) {
            return min >= low && max < high;
        }
    }

    public static Index constant(long c) {
        return c == 0 ? Index.ZERO : new Index(List.of(), Coef.of(c));
    }

    /** The variable; 0 if its extent is 1. */
    public static Index var(Var v) {
        return v.extent().is(1) ? Index.ZERO : new Index(List.of(new Term(Coef.of(1), new VarAtom(v))), Coef.of(0));
    }

    public static Index data(Expr value, long bound) {
        return new Index(List.of(new Term(Coef.of(1), new DataAtom(value, Coef.of(bound)))), Coef.of(0));
    }

    public static Index add(Index a, Index b) {
        List<Term> t = new ArrayList<>(a.terms());
        t.addAll(b.terms());
        return normal(t, a.offset().lit() + b.offset().lit());
    }

    public static Index add(Index a, long c) {
        return c == 0 ? a : new Index(a.terms(), Coef.of(a.offset().lit() + c));
    }

    public static Index mul(Index a, long c) {
        if (c == 1) return a;
        if (c == 0) return Index.ZERO;
        List<Term> t = new ArrayList<>(a.terms().size());
        for (Term x : a.terms()) t.add(new Term(Coef.of(x.coef().lit() * c), x.atom()));
        return new Index(t, Coef.of(a.offset().lit() * c));
    }

    /** Row-major linear index of {@code idx} in an array of these extents. */
    public static Index linear(List<Index> idx, long[] dims) {
        List<Term> t = new ArrayList<>();
        long offset = 0;
        long stride = 1;
        for (int k = dims.length - 1; k >= 0; k--) {
            for (Term x : idx.get(k).terms()) t.add(new Term(Coef.of(x.coef().lit() * stride), x.atom()));
            offset += idx.get(k).offset().lit() * stride;
            stride *= dims[k];
        }
        return normal(t, offset);
    }

    /** Floor division by a positive number. */
    public static Index div(Index a, long by) {
        if (by == 1) return a;
        Split s = split(a, by);
        return add(s.quotient, divRest(s.rest, by));
    }

    /** Remainder of the floor division: in [0, by). */
    public static Index mod(Index a, long by) {
        if (by == 1) return Index.ZERO;
        return modRest(split(a, by).rest, by);
    }

    /** {@code a = by · quotient + rest}, with as much as can be seen in the quotient and a rest whose least value is in [0, by). */
    private record Split(Index quotient, Index rest) {}

    private static Split split(Index a, long by) {
        List<Term> q = new ArrayList<>();
        List<Term> r = new ArrayList<>();
        for (Term t : a.terms()) {
            long c = t.coef().lit();
            if (c % by == 0) q.add(new Term(Coef.of(c / by), t.atom()));
            else r.add(t);
        }
        long offset = a.offset().lit();
        long low = range(new Index(r, Coef.of(0))).min;
        // Floor division is invariant under whole multiples: (by·k + r) / by = k + r / by.
        long k = Math.floorDiv(low + offset, by);
        return new Split(normal(q, k), new Index(List.copyOf(r), Coef.of(offset - k * by)));
    }

    private static Index divRest(Index rest, long by) {
        Range range = range(rest);
        if (range.within(0, by)) return Index.ZERO;
        long g = commonFactor(rest, by);
        // (g·x + s) / (g·c) = x / c where 0 <= s < g
        if (g > 1) return div(coarse(rest, g), by / g);
        return new Index(List.of(new Term(Coef.of(1), new DivAtom(rest, Coef.of(by)))), Coef.of(0));
    }

    private static Index modRest(Index rest, long by) {
        Range range = range(rest);
        if (range.within(0, by)) return rest;
        long g = commonFactor(rest, by);
        // (g·x + s) mod (g·c) = g·(x mod c) + s where 0 <= s < g
        if (g > 1) return add(mul(mod(coarse(rest, g), by / g), g), fine(rest, g));
        return new Index(List.of(new Term(Coef.of(1), new ModAtom(rest, Coef.of(by)))), Coef.of(0));
    }

    /** The largest g > 1 that divides {@code by} such that the part of {@code a} not divisible by g stays in [0, g); 1 if there is none. */
    private static long commonFactor(Index a, long by) {
        long best = 1;
        for (Term t : a.terms()) {
            long g = gcd(Math.abs(t.coef().lit()), by);
            if (g > best && g < by && range(fine(a, g)).within(0, g)) best = g;
        }
        return best;
    }

    /** The terms divisible by g, divided. */
    private static Index coarse(Index a, long g) {
        List<Term> r = new ArrayList<>();
        for (Term t : a.terms())
            if (t.coef().lit() % g == 0) r.add(new Term(Coef.of(t.coef().lit() / g), t.atom()));
        return normal(r, Math.floorDiv(a.offset().lit(), g));
    }

    /** The terms not divisible by g. */
    private static Index fine(Index a, long g) {
        List<Term> r = new ArrayList<>();
        for (Term t : a.terms()) if (t.coef().lit() % g != 0) r.add(t);
        return normal(r, Math.floorMod(a.offset().lit(), g));
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /** Bounds from the extents (not always tight). */
    public static Range range(Index a) {
        long min = a.offset().lit();
        long max = min;
        for (Term t : a.terms()) {
            Range r = range(t.atom());
            long c = t.coef().lit();
            min += c >= 0 ? c * r.min : c * r.max;
            max += c >= 0 ? c * r.max : c * r.min;
        }
        return new Range(min, max);
    }

    private static Range range(Atom atom) {
        return switch (atom) {
            case VarAtom v -> new Range(0, Math.max(0, v.var().extent().lit() - 1));
            case DivAtom d -> {
                Range r = range(d.a());
                yield new Range(Math.floorDiv(r.min, d.by().lit()), Math.floorDiv(r.max, d.by().lit()));
            }
            case ModAtom m -> {
                Range r = range(m.a());
                yield new Range(0, r.min >= 0 ? Math.min(r.max, m.by().lit() - 1) : m.by().lit() - 1);
            }
            case DataAtom d -> new Range(0, Math.max(0, d.bound().lit() - 1));
        };
    }

    private static Index normal(List<Term> terms, long offset) {
        List<Term> out = new ArrayList<>(terms.size());
        for (Term t : terms) {
            if (t.coef().is(0)) continue;
            int i = find(out, t.atom());
            if (i < 0) {
                out.add(t);
            } else {
                long c = out.get(i).coef().lit() + t.coef().lit();
                if (c == 0) out.remove(i);
                else out.set(i, new Term(Coef.of(c), t.atom()));
            }
        }
        // c·by·(a / by) + c·(a mod by) => c·a
        for (int i = 0; i < out.size(); i++) {
            if (!(out.get(i).atom() instanceof ModAtom m)) continue;
            long c = out.get(i).coef().lit();
            int d = find(out, new DivAtom(m.a(), m.by()));
            if (d >= 0 && out.get(d).coef().lit() == c * m.by().lit()) {
                List<Term> rest = new ArrayList<>(out);
                rest.remove(Math.max(i, d));
                rest.remove(Math.min(i, d));
                Index whole = mul(m.a(), c);
                rest.addAll(whole.terms());
                return normal(rest, offset + whole.offset().lit());
            }
        }
        if (out.size() > 1) out.sort(IndexMath::order);
        return new Index(List.copyOf(out), Coef.of(offset));
    }

    private static int find(List<Term> terms, Atom atom) {
        for (int i = 0; i < terms.size(); i++) if (terms.get(i).atom().equals(atom)) return i;
        return -1;
    }

    /** Variables by name (unique within a kernel), then quotients, remainders and data; equal ranks keep their order of appearance. */
    private static int order(Term s, Term t) {
        return order(s.atom(), t.atom());
    }

    private static int order(Atom x, Atom y) {
        int r = Integer.compare(rank(x), rank(y));
        if (r != 0) return r;
        return switch (x) {
            case VarAtom v -> compareNames(v.var().name(), ((VarAtom) y).var().name());
            case DivAtom d -> {
                int c = order(d.a(), ((DivAtom) y).a());
                yield c != 0 ? c : Long.compare(d.by().lit(), ((DivAtom) y).by().lit());
            }
            case ModAtom m -> {
                int c = order(m.a(), ((ModAtom) y).a());
                yield c != 0 ? c : Long.compare(m.by().lit(), ((ModAtom) y).by().lit());
            }
            case DataAtom _ -> 0;
        };
    }

    /** {@code i2} before {@code i10}. */
    private static int compareNames(String a, String b) {
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }

    private static int order(Index a, Index b) {
        int n = Math.min(a.terms().size(), b.terms().size());
        for (int i = 0; i < n; i++) {
            int c = order(a.terms().get(i), b.terms().get(i));
            if (c == 0)
                c = Long.compare(
                        a.terms().get(i).coef().lit(), b.terms().get(i).coef().lit());
            if (c != 0) return c;
        }
        int c = Integer.compare(a.terms().size(), b.terms().size());
        return c != 0 ? c : Long.compare(a.offset().lit(), b.offset().lit());
    }

    private static int rank(Atom a) {
        return switch (a) {
            case VarAtom _ -> 0;
            case DivAtom _ -> 1;
            case ModAtom _ -> 2;
            case DataAtom _ -> 3;
        };
    }

    /** Replaces variables; {@code with} gives null for a variable that stays. */
    public static Index substitute(Index a, java.util.function.Function<Var, Index> with) {
        Index r = constant(a.offset().lit());
        for (Term t : a.terms()) {
            Index x =
                    switch (t.atom()) {
                        case VarAtom v -> {
                            Index s = with.apply(v.var());
                            yield s == null ? var(v.var()) : s;
                        }
                        case DivAtom d -> div(substitute(d.a(), with), d.by().lit());
                        case ModAtom m -> mod(substitute(m.a(), with), m.by().lit());
                        case DataAtom _ -> new Index(List.of(new Term(Coef.of(1), t.atom())), Coef.of(0));
                    };
            r = add(r, mul(x, t.coef().lit()));
        }
        return r;
    }

    /** True if {@code v} occurs anywhere in {@code a}, data-dependent values apart. */
    public static boolean mentions(Index a, Var v) {
        for (Term t : a.terms()) {
            boolean m =
                    switch (t.atom()) {
                        case VarAtom x -> x.var() == v;
                        case DivAtom d -> mentions(d.a(), v);
                        case ModAtom x -> mentions(x.a(), v);
                        case DataAtom _ -> false;
                    };
            if (m) return true;
        }
        return false;
    }

    /** True if any part of {@code a} depends on data. */
    public static boolean dependsOnData(Index a) {
        for (Term t : a.terms()) {
            boolean d =
                    switch (t.atom()) {
                        case VarAtom _ -> false;
                        case DivAtom x -> dependsOnData(x.a());
                        case ModAtom x -> dependsOnData(x.a());
                        case DataAtom _ -> true;
                    };
            if (d) return true;
        }
        return false;
    }

    /** The coefficient of {@code v} where the index is linear in it, or {@link Long#MIN_VALUE} if v sits inside a quotient or remainder. */
    public static long stride(Index a, Var v) {
        long s = 0;
        for (Term t : a.terms()) {
            if (t.atom() instanceof VarAtom x) {
                if (x.var() == v) s = t.coef().lit();
            } else if (!(t.atom() instanceof DataAtom) && mentions(new Index(List.of(t), Coef.of(0)), v)) {
                return Long.MIN_VALUE;
            }
        }
        return s;
    }

    /** For messages and dumps. */
    public static String text(Index a) {
        StringBuilder b = new StringBuilder();
        for (Term t : a.terms()) {
            if (!b.isEmpty()) b.append(" + ");
            if (!t.coef().is(1)) b.append(t.coef()).append('*');
            b.append(
                    switch (t.atom()) {
                        case VarAtom v -> v.var().name();
                        case DivAtom d -> "(" + text(d.a()) + ")/" + d.by();
                        case ModAtom m -> "(" + text(m.a()) + ")%" + m.by();
                        case DataAtom _ -> "data";
                    });
        }
        if (b.isEmpty()) return a.offset().toString();
        return a.offset().is(0) ? b.toString() : b + " + " + a.offset();
    }

    /** Index of every axis from the row-major linear index. */
    public static List<Index> unflatten(Index linear, long[] dims) {
        Index[] idx = new Index[dims.length];
        long inner = 1;
        for (int k = dims.length - 1; k >= 0; k--) {
            Index q = div(linear, inner);
            // The outermost quotient is below its extent already: an index never leaves its array.
            idx[k] = dims[k] == 1 ? Index.ZERO : isOutermost(dims, k) ? q : mod(q, dims[k]);
            inner *= dims[k];
        }
        return Arrays.asList(idx);
    }

    private static boolean isOutermost(long[] dims, int k) {
        for (int i = 0; i < k; i++) if (dims[i] != 1) return false;
        return true;
    }
}
