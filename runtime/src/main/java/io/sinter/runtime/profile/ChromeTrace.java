// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A profile's time line in the Trace Event Format, which Perfetto ({@code ui.perfetto.dev}) and {@code chrome://tracing} show. Of each thread there is a track
 * with steps, ranges, compilations, runs of programs and launches, one within the other, and one with the user's lines as they were traced. Arrows lead from
 * a line to the launches that compute it; a counter shows memory. Of each worker there is a track with its part of every launch: worker 0 is the thread that
 * runs the program. Times are microseconds from the beginning of the profile.
 */
public final class ChromeTrace {
    private static final int PROCESS = 1;

    private final Report report;
    private final JsonGenerator out;
    private final List<Event> events;
    private final List<String> threads;
    private final long zero;
    private int arrows;
    private final int workers;

    private ChromeTrace(Profile profile, Report report, JsonGenerator out) {
        this.report = report;
        this.out = out;
        events = new ArrayList<>(profile.events());
        threads = profile.threadNames();
        // What begins together encloses what is shorter; a step encloses what fills it.
        events.sort(Comparator.comparingLong((Event e) -> e.start())
                .thenComparing(e -> -e.nanos())
                .thenComparing(e -> order(e.kind())));
        zero = events.isEmpty() ? 0 : events.getFirst().start();
        int most = 0;
        for (Event e : events)
            for (int i = 0; i < e.parts().length; i += Profile.PART) most = Math.max(most, 1 + (int) e.parts()[i]);
        workers = most;
    }

    private static int order(Event.Kind k) {
        return switch (k) {
            case STEP -> 0;
            case RANGE -> 1;
            case COMPILE, RUN -> 2;
            case LAUNCH -> 3;
            case LINE, MEMORY -> 4;
        };
    }

    /**
     * Writes the time line of {@code profile}.
     *
     * @param report of the same profile
     * @param to is not closed
     */
    public static void write(Profile profile, Report report, Writer to) throws IOException {
        JsonGenerator out = new JsonFactory().createGenerator(to);
        out.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        try (out) {
            new ChromeTrace(profile, report, out).write();
        }
    }

    private void write() throws IOException {
        out.writeStartObject();
        out.writeStringField("displayTimeUnit", "ms");
        out.writeObjectFieldStart("otherData");
        out.writeStringField("device", report.machine().device());
        out.writeNumberField("threads", report.machine().threads());
        if (!report.machine().clock().isEmpty())
            out.writeStringField("clock", report.machine().clock());
        out.writeEndObject();
        out.writeArrayFieldStart("traceEvents");
        names();
        lines();
        Map<String, Event> traced = new HashMap<>();
        for (Event e : events) {
            if (e.kind() == Event.Kind.LINE) traced.put(e.thread() + " " + ((Sources.Source) e.subject()).line(), e);
            else if (e.kind() == Event.Kind.MEMORY) memory(e);
            else complete(e, traced);
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private void names() throws IOException {
        metadata("process_name", 0, "Sinter on " + report.machine().device());
        for (int i = 0; i < threads.size(); i++) {
            metadata("thread_name", track(i), threads.get(i));
            metadata("thread_name", lineTrack(i), threads.get(i) + ": lines traced");
        }
        for (int w = 0; w < workers; w++)
            metadata("thread_name", workerTrack(w), "worker " + w + (w == 0 ? " (who runs the program)" : ""));
    }

    private void metadata(String what, int track, String name) throws IOException {
        begin(what, "M", track);
        out.writeObjectFieldStart("args");
        out.writeStringField("name", name);
        out.writeEndObject();
        out.writeEndObject();
    }

    private static int track(int thread) {
        return 2 * thread + 1;
    }

    private static int lineTrack(int thread) {
        return 2 * thread + 2;
    }

    private int workerTrack(long worker) {
        return Math.toIntExact(2L * threads.size() + 1 + worker);
    }

    /** What each worker did of a launch. */
    private void parts(Event launch) throws IOException {
        long[] p = launch.parts();
        for (int i = 0; i < p.length; i += Profile.PART) {
            complete(((Row) launch.subject()).name, "worker", workerTrack(p[i]), p[i + 1], p[i + 1] + p[i + 2]);
            out.writeObjectFieldStart("args");
            out.writeNumberField("tasks", p[i + 3]);
            out.writeEndObject();
            out.writeEndObject();
        }
    }

    /** Lines follow one another: one ends where the next begins, if not before. A single node is shown for a microsecond. */
    private void lines() throws IOException {
        Map<Integer, Event> open = new HashMap<>();
        for (Event e : events) {
            if (e.kind() != Event.Kind.LINE) continue;
            Event before = open.put(e.thread(), e);
            if (before != null) line(before, e.start());
        }
        for (Event e : events) if (open.get(e.thread()) == e) line(e, Long.MAX_VALUE);
    }

    private void line(Event e, long limit) throws IOException {
        Sources.Source s = (Sources.Source) e.subject();
        complete(
                s.line(),
                e.kind().category,
                lineTrack(e.thread()),
                e.start(),
                Math.min(e.start() + Math.max(1000, e.nanos()), limit));
        out.writeObjectFieldStart("args");
        if (!s.net().isEmpty()) out.writeStringField("net", s.net());
        if (!s.module().isEmpty()) out.writeStringField("module", s.module());
        out.writeEndObject();
        out.writeEndObject();
    }

    private void complete(Event e, Map<String, Event> traced) throws IOException {
        String name =
                switch (e.kind()) {
                    case LAUNCH -> ((Row) e.subject()).name;
                    case RUN -> "program " + e.value();
                    case COMPILE -> (String) e.subject();
                    case RANGE -> (String) e.subject();
                    case STEP -> "step " + e.value();
                    case LINE, MEMORY -> throw new IllegalArgumentException(e.kind() + " has no extent");
                };
        complete(name, e.kind().category, track(e.thread()), e.start(), e.end());
        out.writeObjectFieldStart("args");
        if (e.kind() == Event.Kind.COMPILE) out.writeNumberField("kernels", e.value());
        if (e.subject() instanceof Row r) launch(r, e.nanos());
        out.writeEndObject();
        out.writeEndObject();
        if (e.subject() instanceof Row r) {
            for (String line :
                    r.sources.stream().map(Sources.Source::line).distinct().toList()) {
                Event from = traced.get(e.thread() + " " + line);
                if (from != null) arrow(from, e);
            }
        }
        parts(e);
    }

    private void launch(Row r, long nanos) throws IOException {
        out.writeNumberField("program", r.program);
        if (r.number >= 0) out.writeNumberField("number", r.number);
        out.writeNumberField("bytes", r.work.bytes());
        out.writeNumberField("flops", r.work.flops());
        double least = report.machine().peaks().least(r.work);
        if (least > 0) out.writeNumberField("roofline", Math.round(1000 * least / Math.max(1, nanos)) / 1000.0);
        out.writeArrayFieldStart("lines");
        for (Sources.Source s : r.sources) out.writeString(s.toString());
        out.writeEndArray();
    }

    private void arrow(Event line, Event launch) throws IOException {
        int id = ++arrows;
        for (boolean from : new boolean[] {true, false}) {
            begin("computes", from ? "s" : "f", from ? lineTrack(line.thread()) : track(launch.thread()));
            out.writeStringField("cat", line.kind().category);
            out.writeNumberField("id", id);
            time("ts", (from ? line.start() : launch.start()) - zero);
            if (!from) out.writeStringField("bp", "e");
            out.writeEndObject();
        }
    }

    private void memory(Event e) throws IOException {
        begin("memory", "C", 0);
        time("ts", e.start() - zero);
        out.writeObjectFieldStart("args");
        out.writeNumberField("bytes in use", e.value());
        out.writeEndObject();
        out.writeEndObject();
    }

    /** An event from a time to another, but for its end. */
    private void complete(String name, String category, int track, long start, long end) throws IOException {
        begin(name, "X", track);
        out.writeStringField("cat", category);
        time("ts", start - zero);
        time("dur", end - start);
    }

    private void begin(String name, String phase, int track) throws IOException {
        out.writeRaw('\n');
        out.writeStartObject();
        out.writeStringField("name", name);
        out.writeStringField("ph", phase);
        out.writeNumberField("pid", PROCESS);
        out.writeNumberField("tid", track);
    }

    /** Nanoseconds as microseconds, exactly. */
    private void time(String name, long nanos) throws IOException {
        out.writeFieldName(name);
        out.writeNumber(BigDecimal.valueOf(nanos, 3).stripTrailingZeros().toPlainString());
    }
}
