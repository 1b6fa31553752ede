// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.List;

/**
 * An element index: a sum of terms plus an offset, {@code Σ coef · atom + offset}. Built and simplified by {@link IndexMath} while all numbers
 * are concrete; at most one term per atom; no zero coefficients; terms ordered by first appearance of their variables in the nest.
 */
public record Index(List<Term> terms, Coef offset) {
    public static final Index ZERO = new Index(List.of(), Coef.of(0));

    /** {@code coef · atom}. */
    public record Term(Coef coef, Atom atom) {}

    /** What a coefficient multiplies. */
    public sealed interface Atom permits VarAtom, DivAtom, ModAtom, DataAtom {}

    /** A loop variable. */
    public record VarAtom(Var var) implements Atom {}

    /** Floor division of a non-negative index. */
    public record DivAtom(Index a, Coef by) implements Atom {}

    /** Remainder of a non-negative index: in [0, by). */
    public record ModAtom(Index a, Coef by) implements Atom {}

    /** A data-dependent i64 value in {@code [0, bound)}: usually a {@link Expr.Checked}. */
    public record DataAtom(Expr value, Coef bound) implements Atom {}
}
