// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Where the threads of a team have to wait for each other: between shared loops (or the statements around them) of which one writes what the
 * other reads or writes. Two loops may give an element to different threads; within one loop, iterations are independent.
 */
final class Hazards {
    private final Set<Stmt> before = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Stmt.Loop> afterEachStep = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Memory that a stretch of code touches, inputs apart. */
    private record Touched(Set<Buf> reads, Set<Buf> writes, boolean[] dataDependent) {
        Touched() {
            this(new HashSet<>(), new HashSet<>(), new boolean[1]);
        }

        boolean conflicts(Touched later) {
            return !Collections.disjoint(writes, later.reads)
                    || !Collections.disjoint(writes, later.writes)
                    || !Collections.disjoint(reads, later.writes);
        }

        void add(Touched t) {
            reads.addAll(t.reads);
            writes.addAll(t.writes);
            dataDependent[0] |= t.dataDependent[0];
        }

        void clear() {
            reads.clear();
            writes.clear();
        }
    }

    Hazards(List<Stmt> body) {
        list(body, new Touched());
    }

    /** Whether all threads must have come here before the statement begins. */
    boolean before(Stmt s) {
        return before.contains(s);
    }

    /** Whether all threads must have done each step of a sequential loop before the next. */
    boolean afterEachStep(Stmt.Loop l) {
        return afterEachStep.contains(l);
    }

    boolean any() {
        return !before.isEmpty() || !afterEachStep.isEmpty();
    }

    private void list(List<Stmt> body, Touched since) {
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Loop l
                when l.kind() != Stmt.Loop.Kind.VECTOR && hasShared(l.body()) -> {
                    list(l.body(), since);
                    Touched all = touched(List.of(s));
                    boolean again = !Collections.disjoint(all.writes, all.reads)
                            || all.dataDependent[0] && !all.writes.isEmpty();
                    if (again) {
                        afterEachStep.add(l);
                        since.clear();
                    }
                }
                case Stmt.If i when hasShared(i.body()) -> list(i.body(), since);
                case Stmt.Loop _,
                        Stmt.If _,
                        Stmt.Let _,
                        Stmt.Declare _,
                        Stmt.Accumulate _,
                        Stmt.Set _,
                        Stmt.Store _ -> {
                    Touched t = touched(List.of(s));
                    if (since.conflicts(t)) {
                        before.add(s);
                        since.clear();
                    }
                    since.add(t);
                }
            }
        }
    }

    static boolean hasShared(List<Stmt> body) {
        boolean[] found = new boolean[1];
        Facts.walk(body, s -> found[0] |= s instanceof Stmt.Loop l && l.kind() == Stmt.Loop.Kind.VECTOR);
        return found[0];
    }

    private static Touched touched(List<Stmt> body) {
        Touched t = new Touched();
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Facts.walk(body, s -> {
            Facts.roots(s).forEach(e -> reads(e, t, seen));
            if (s instanceof Stmt.Store st) {
                t.writes.add(st.buffer());
                List<Expr> data = new ArrayList<>();
                Facts.data(st.index(), data);
                t.dataDependent[0] |= !data.isEmpty();
            }
        });
        return t;
    }

    private static void reads(Expr e, Touched t, Set<Expr> seen) {
        if (!seen.add(e)) return;
        if (e instanceof Expr.Load l && l.buffer().kind() != Buf.Kind.IN) t.reads.add(l.buffer());
        Facts.children(e).forEach(x -> reads(x, t, seen));
    }
}
