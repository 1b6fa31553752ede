// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Rows that are gone over several times, tasks of a kernel or a loop within one, each with the next one's first pass in it: the loop of the last pass, which
 * writes, also reduces the next row. So the processor waits for the memory of both at once; a row that is a page is otherwise fetched without help, as
 * processors fetch ahead within a page only. The last of a range of rows reduces its own once more, from cache: a loop without that would be a method that
 * is seldom called.
 *
 * @param before what comes before the first pass: nothing that depends on the row
 * @param first the loop of the first pass, which reduces and stores nothing
 * @param between from there to the last loop
 * @param last the loop of the last pass with the next row's first pass in it
 * @param copies of the body in both loops: a row's bits must not depend on which of them has reduced it
 * @param after what comes after the last loop
 * @param next the variables that number the rows, and those of the next row
 * @param accumulators the first pass's, and those of the next row
 */
record RowOverlap(
        List<Stmt> before,
        Stmt.Loop first,
        List<Stmt> between,
        Stmt.Loop last,
        int copies,
        List<Stmt> after,
        Map<Var, Var> next,
        Map<Local, Local> accumulators) {

    /**
     * The parts of rows that may overlap, or null.
     *
     * @param rows the variables that number them
     * @param body of a row, canonical
     * @param budget as in {@link LoopFission}
     */
    static RowOverlap of(List<Var> rows, List<Stmt> body, Canon canon, Facts facts, Options options, int budget) {
        List<Integer> loops = new ArrayList<>();
        for (int i = 0; i < body.size(); i++) {
            switch (body.get(i)) {
                case Stmt.Loop l -> {
                    if (l.kind() != Kind.VECTOR || l.limit() != null) return null;
                    loops.add(i);
                }
                case Stmt.If _ -> {
                    return null;
                }
                case Stmt.Let _, Stmt.Declare _, Stmt.Set _, Stmt.Accumulate _, Stmt.Store _ -> {}
            }
        }
        if (rows.isEmpty() || loops.size() < 2) return null;
        List<Stmt> before = body.subList(0, loops.getFirst());
        Stmt.Loop first = (Stmt.Loop) body.get(loops.getFirst());
        Stmt.Loop last = (Stmt.Loop) body.get(loops.getLast());
        if (!before.stream().allMatch(RowOverlap::isConstant) || first.var() != last.var()) return null;
        VectorAnalysis pass = new VectorAnalysis(facts, first);
        boolean reduces =
                !pass.accumulators().isEmpty() && pass.accumulators().stream().noneMatch(a -> pass.isRead(a.local()));
        boolean plain = first.body().stream().allMatch(s -> s instanceof Stmt.Let || s instanceof Stmt.Accumulate)
                && last.body().stream().allMatch(s -> s instanceof Stmt.Let || s instanceof Stmt.Store)
                && pass.captured().stream().allMatch(o -> o instanceof Var);
        // Before the row's other passes have stored anything.
        Set<Buf> stored = new HashSet<>();
        Facts.walk(body, s -> {
            if (s instanceof Stmt.Store st) stored.add(st.buffer());
        });
        boolean ahead = true;
        for (Stmt s : first.body())
            for (Expr e : Facts.roots(s))
                ahead &= Collections.disjoint(facts.of(e).reads(), stored);
        if (!reduces || !plain || !ahead || pass.isLookup()) return null;

        Map<Var, Var> next = new LinkedHashMap<>();
        for (Var v : rows) next.put(v, new Var(v.name() + "_next", v.extent()));
        Map<Local, Local> accumulators = new LinkedHashMap<>();
        for (Stmt.Accumulate a : pass.accumulators())
            accumulators.put(
                    a.local(), new Local(a.local().name() + "_next", a.local().dtype()));
        Rewriter ofNext = new Rewriter() {
            @Override
            protected Index.Atom atom(Index.Atom a) {
                boolean ofRow = a instanceof Index.VarAtom v && next.containsKey(v.var());
                return ofRow ? new Index.VarAtom(next.get(((Index.VarAtom) a).var())) : super.atom(a);
            }
        };
        List<Stmt> both = new ArrayList<>();
        for (Stmt s : ofNext.stmts(first.body()))
            both.add(
                    s instanceof Stmt.Accumulate a
                            ? new Stmt.Accumulate(accumulators.get(a.local()), a.op(), a.value())
                            : s);
        both.addAll(last.body());
        Stmt.Loop joined = (Stmt.Loop) canon.statements(List.of(new Stmt.Loop(last.var(), last.kind(), both)))
                .getFirst();
        facts.add(List.of(joined));
        VectorAnalysis all = new VectorAnalysis(facts, joined);
        if (all.lanes(options) != pass.lanes(options)
                || all.isLookup()
                || new LoopFission(joined, facts, all, budget).parts().size() > 1) return null;
        return new RowOverlap(
                before,
                first,
                body.subList(loops.getFirst() + 1, loops.getLast()),
                joined,
                all.unroll(),
                body.subList(loops.getLast() + 1, body.size()),
                next,
                accumulators);
    }

    /** Whether a statement is the same for every row. */
    private static boolean isConstant(Stmt s) {
        return s instanceof Stmt.Declare d && (d.init() instanceof Expr.Const || d.init() instanceof Expr.Arg);
    }

    /** The declarations of the next row's accumulators. */
    List<Stmt> declareNext() {
        List<Stmt> out = new ArrayList<>();
        for (Stmt s : before) {
            Stmt.Declare d = (Stmt.Declare) s;
            if (accumulators.containsKey(d.local())) out.add(new Stmt.Declare(accumulators.get(d.local()), d.init()));
        }
        return out;
    }
}
