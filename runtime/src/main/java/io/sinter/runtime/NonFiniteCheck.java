// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Input;
import io.sinter.ir.ref.NonFinite;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.Sources;
import java.util.BitSet;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.IntFunction;

/** Finds out where a NaN or an infinity in a program's results came from, and says it. */
final class NonFiniteCheck {
    private final Graph graph;
    private final ProgramDump dump;
    private final Sources sources;

    private NonFiniteCheck(Graph graph, ProgramDump dump, Sources sources) {
        this.graph = graph;
        this.dump = dump;
        this.sources = sources;
    }

    /**
     * @param args the program's arguments
     * @param counting the results that must be finite
     * @param bad those of them that are not
     * @param result what the program gave
     * @throws NonFiniteException unless the program only hands on infinities that it was given
     */
    static void check(
            Graph graph,
            List<RefArray> args,
            BitSet counting,
            BitSet bad,
            IntFunction<RefArray> result,
            ProgramDump dump,
            Sources sources) {
        NonFiniteCheck c = new NonFiniteCheck(graph, dump, sources);
        NonFinite.Finding found = NonFinite.find(graph, args, counting);
        if (found != null) throw c.exception(found);
        List<RefArray> want = RefEvaluator.run(graph, args);
        for (int i = bad.nextSetBit(0); i >= 0; i = bad.nextSetBit(i + 1)) c.compare(i, result.apply(i), want.get(i));
    }

    private NonFiniteException exception(NonFinite.Finding f) {
        Node n = f.node();
        String op = f.op().name();
        String whole = n.op().name();
        String kernel = dump.kernelOf(n, op);
        StringBuilder what = new StringBuilder();
        switch (f.kind()) {
            case MADE -> what.append(op).append(" made ").append(f.value()).append(" out of finite numbers");
            case CLASHED -> what.append(op).append(" made NaN out of infinities that the program was given");
            case GIVEN -> what.append(given(n));
        }
        StringJoiner where = new StringJoiner(", ");
        if (!whole.equals(op) && f.kind() != NonFinite.Kind.GIVEN)
            where.add(f.steps().isEmpty() ? "as a part of " + whole : "in a " + whole);
        if (!f.steps().isEmpty()) where.add("step " + f.steps().getLast());
        String gradient = sources.gradientOf(n.origin());
        if (gradient != null) where.add("in the gradient of " + gradient);
        if (where.length() > 0) what.append(" (").append(where).append(')');
        line(what, sources.of(n));
        what.append("\n  element ").append(f.index()).append(" of ").append(f.type());
        if (f.kind() == NonFinite.Kind.GIVEN) what.append(" is NaN");
        else if (!f.operands().isEmpty()) what.append(", made of");
        for (String operand : f.operands()) what.append("\n    ").append(operand);
        if (kernel != null) what.append("\n  in kernel ").append(kernel);
        reached(what, f);
        return new NonFiniteException(what.toString(), n.origin(), op, sources.of(n), kernel, f.element(), f.value());
    }

    private String given(Node n) {
        return n.op() instanceof Input in
                ? "argument " + in.number() + " of the program had a NaN, which reached a result"
                : "a constant of the program is NaN, and reached a result";
    }

    /** A result that is not finite where the reference evaluator's is. */
    private void compare(int i, RefArray got, RefArray want) {
        for (int e = 0; e < got.size(); e++) {
            if (Double.isFinite(got.getDouble(e)) || !Double.isFinite(want.getDouble(e))) continue;
            Node n = graph.outputs().get(i);
            String kernel = dump.kernelOf(n, n.op().name());
            StringBuilder what = new StringBuilder(n.op().name() + " gave " + got.getDouble(e)
                    + ", where the reference evaluator finds nothing but finite numbers and gets " + want.getDouble(e)
                    + ": a sum overflowed on its way, or a kernel is wrong (-Dsinter.check=reference tells)");
            line(what, sources.of(n));
            what.append("\n  element ")
                    .append(RefArray.index(n.shape(), e))
                    .append(" of ")
                    .append(n.type());
            if (kernel != null) what.append("\n  in kernel ").append(kernel);
            throw new NonFiniteException(
                    what.toString(), n.origin(), n.op().name(), sources.of(n), kernel, e, got.getDouble(e));
        }
    }

    private void reached(StringBuilder what, NonFinite.Finding f) {
        Node n = graph.outputs().get(f.output());
        what.append("\n  it reached result ")
                .append(f.output())
                .append(" of the program, ")
                .append(n.type());
        what.append(", as ").append(f.outputValue());
        what.append(" in element ").append(RefArray.index(n.shape(), f.outputElement()));
        Sources.Source of = sources.of(n);
        if (of != null) what.append(" (").append(of).append(')');
    }

    private static void line(StringBuilder what, Sources.Source source) {
        if (source != null) what.append("\n  at ").append(source);
    }
}
