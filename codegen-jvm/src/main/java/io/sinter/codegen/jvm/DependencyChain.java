// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** How many operations of some code wait for each other. */
final class DependencyChain {
    /** Of a function that is a polynomial: some of its operations do not wait for each other. */
    private static final int TRANSCENDENTAL = 10;

    private final Map<Expr, Integer> values = new IdentityHashMap<>();
    private final Map<Local, Integer> locals = new HashMap<>();
    private int longest;

    private DependencyChain() {}

    /** Operations of the longest chain of those that need each other's results, in one run of each loop's body. */
    static int longest(List<Stmt> body) {
        DependencyChain chain = new DependencyChain();
        Facts.walk(body, chain::add);
        return chain.longest;
    }

    private void add(Stmt s) {
        int length = 0;
        for (Expr e : Facts.roots(s)) length = Math.max(length, of(e));
        switch (s) {
            case Stmt.Let l -> locals.put(l.local(), length);
            case Stmt.Declare d -> locals.put(d.local(), length);
            case Stmt.Set d -> locals.put(d.local(), length);
            case Stmt.Accumulate d ->
                locals.put(d.local(), length = 1 + Math.max(length, locals.getOrDefault(d.local(), 0)));
            case Stmt.Loop _, Stmt.Store _, Stmt.If _ -> {}
        }
        longest = Math.max(longest, length);
    }

    private int of(Expr e) {
        Integer known = values.get(e);
        if (known != null) return known;
        int length = 0;
        for (Expr c : Facts.children(e)) length = Math.max(length, of(c));
        length += switch (e) {
            case Expr.Ref r -> locals.getOrDefault(r.local(), 0);
            case Expr.Const _, Expr.Arg _, Expr.IndexValue _, Expr.Load _ -> 0;
            case Expr.Un u -> u.op().isTranscendental() ? TRANSCENDENTAL : 1;
            case Expr.Bin _, Expr.Fma _, Expr.Select _, Expr.Convert _, Expr.Narrow _, Expr.Bits _, Expr.Checked _ -> 1;
        };
        // A local that is set again is another value; what is made of it is taken for as long as it was at first.
        if (!(e instanceof Expr.Ref)) values.put(e, length);
        return length;
    }
}
