// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Rewriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * A generator for the JVM that is wrong on purpose: where a kernel asks for one function, its code computes another. Plans, dumps and the interpreter keep the
 * right one, and a cache on disk knows the wrong code under a name of its own. For tests, and for whoever wants to see what finds such a fault ({@code -Dsinter.test.fault=exp:sin} with {@code --check reference}).
 *
 * @param right what kernels ask for
 * @param wrong what their code computes
 */
record SeededFault(Prim1 right, Prim1 wrong) implements UnaryOperator<Kernel> {
    /**
     * What {@code sinter.test.fault} asks for, {@code right:wrong}; null if it is not set.
     *
     * @throws IllegalArgumentException if it names no two functions
     */
    static UnaryOperator<Kernel> fromProperties() {
        String text = System.getProperty("sinter.test.fault");
        if (text == null) return null;
        List<String> names = Arrays.stream(Prim1.values())
                .map(p -> p.name().toLowerCase(Locale.ROOT))
                .toList();
        List<String> two = Arrays.asList(text.split(":", -1));
        if (two.size() != 2 || !names.containsAll(two))
            throw new IllegalArgumentException(
                    "sinter.test.fault is '" + text + "'; it must be two of " + names + " with a colon between");
        return new SeededFault(Prim1.values()[names.indexOf(two.get(0))], Prim1.values()[names.indexOf(two.get(1))]);
    }

    @Override
    public Kernel apply(Kernel kernel) {
        Rewriter change = new Rewriter() {
            @Override
            protected Expr replacement(Expr e) {
                return e instanceof Expr.Un u && u.op() == right ? new Expr.Un(wrong, expr(u.a())) : null;
            }
        };
        return switch (kernel) {
            case LoopKernel l ->
                new LoopKernel(l.name(), l.grid(), l.buffers(), l.slots(), l.scratchBytes(), change.stmts(l.body()));
            case GemmKernel g ->
                new GemmKernel(
                        g.name(),
                        g.batch(),
                        g.m(),
                        g.n(),
                        g.k(),
                        change.expr(g.a()),
                        change.expr(g.b()),
                        g.acc(),
                        g.result(),
                        change.stmts(g.epilogue()),
                        g.stencil(),
                        g.buffers(),
                        g.slots());
            case AttentionKernel a -> a;
        };
    }
}
