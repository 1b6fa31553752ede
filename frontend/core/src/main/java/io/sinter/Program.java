// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Run;
import io.sinter.runtime.Session;
import io.sinter.runtime.dump.Sources;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

/** A compiled program, found by its canonical form. */
final class Program {
    /** Characters of a program that are shown with an error. */
    private static final int MAX_TEXT = 20_000;

    private final Executable executable;

    private Program(Executable executable) {
        this.executable = executable;
    }

    /** The program of the form just written, or null if it must be compiled. */
    static Program find(Canonical form) {
        Executable known = Session.current().executables().find(form.lookup());
        return known == null ? null : new Program(known);
    }

    /**
     * @param sources where the graph's nodes come from
     * @param autotune how long forms of kernels may be measured; null for not at all
     */
    static Program compile(Canonical.Key key, Graph graph, Sources sources, Duration autotune) {
        Session session = Session.current();
        CompileContext context = CompileContext.of(session).withAutotune(autotune);
        return new Program(session.executables().get(key, () -> compile(key, graph, context, sources)));
    }

    /** A compiler error shows the program. */
    private static Executable compile(Canonical.Key key, Graph graph, CompileContext context, Sources sources) {
        try {
            return Executable.get(key, graph, context, sources);
        } catch (UncheckedIOException e) {
            throw e; // a dump that cannot be written is not the compiler's fault
        } catch (RuntimeException e) {
            String text = GraphPrinter.print(graph);
            int end = Math.min(text.length(), MAX_TEXT);
            throw new IllegalStateException(
                    "the compiler failed on this program: " + e.getMessage() + "\n" + text.substring(0, end)
                            + (end < text.length() ? "…" : ""),
                    e);
        }
    }

    /** Where entries come from in one run. */
    record Lines(IntFunction<SourceLine> entries) implements Sources {
        @Override
        public Source at(int origin) {
            SourceLine line = origin < 0 ? null : entries.apply(origin);
            return line == null ? null : line.source();
        }

        @Override
        public Object token(int origin) {
            SourceLine line = origin < 0 ? null : entries.apply(origin);
            return line == null ? null : line.isAgain() ? AGAIN : line;
        }

        @Override
        public String gradientOf(int origin) {
            SourceLine line = origin < 0 ? null : entries.apply(origin);
            return line == null || line.gradientOf().isEmpty() ? null : line.gradientOf();
        }
    }

    /**
     * Runs it.
     *
     * @param resultLines source line of a result, for messages about memory
     * @param entryLines source line of an entry of the canonical form; null if there is none
     */
    List<Buffer> run(List<Arg> args, IntFunction<SourceLine> resultLines, IntFunction<SourceLine> entryLines) {
        return located(entryLines, sources -> executable.run(args, resultLines, sources));
    }

    /**
     * As {@link #run(List, IntFunction, IntFunction)}, of a program that was cut out of {@code trace}, with {@code values} as its arguments: it may have begun
     * already.
     */
    List<Buffer> run(
            Trace trace,
            List<Arg> args,
            List<Value> values,
            IntFunction<SourceLine> resultLines,
            IntFunction<SourceLine> entryLines) {
        return located(entryLines, sources -> trace.work.run(executable, args, values, resultLines, sources));
    }

    private static List<Buffer> located(IntFunction<SourceLine> entryLines, Function<Sources, Run> run) {
        try {
            return run.apply(new Lines(entryLines)).results();
        } catch (IndexError e) {
            SourceLine line = e.origin() < 0 ? null : entryLines.apply(e.origin());
            throw line == null ? e : e.at(line.toString());
        }
    }
}
