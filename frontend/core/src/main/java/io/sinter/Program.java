// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Session;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** A compiled program, found by its canonical form. */
final class Program {
    private final Executable executable;

    private Program(Executable executable) {
        this.executable = executable;
    }

    /** Programs of a session. */
    private static final class Cache {
        final ConcurrentHashMap<Canonical.Key, Program> programs = new ConcurrentHashMap<>();
    }

    /** The program of the form just written; {@code graph} is asked for only if it must be compiled. */
    static Program of(Canonical form, Supplier<Graph> graph) {
        Session session = Session.current();
        Cache cache = session.attached(Cache.class, _ -> new Cache());
        Program known = cache.programs.get(form.lookup());
        if (known != null) return known;
        Program made = new Program(Executable.compile(graph.get(), CompileContext.of(session)));
        cache.programs.put(form.key(), made);
        return made;
    }

    /**
     * Runs it.
     *
     * @param resultLines source line of a result, for messages about memory
     * @param entryLines source line of an entry of the canonical form
     */
    List<Buffer> run(List<Arg> args, IntFunction<SourceLine> resultLines, IntFunction<SourceLine> entryLines) {
        try {
            return executable.run(args, resultLines).results();
        } catch (IndexError e) {
            SourceLine line = e.origin() < 0 ? null : entryLines.apply(e.origin());
            throw line == null ? e : e.at(line.toString());
        }
    }
}
