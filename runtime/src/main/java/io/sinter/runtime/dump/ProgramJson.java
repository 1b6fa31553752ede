// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Report;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** {@code program.json}, whose schema is {@code docs/dump-schema.json}: one entry of a list to a line, so that two dumps compare line by line. */
final class ProgramJson {
    private final JsonGenerator out;
    private final Map<Integer, KernelTime> times;
    private final Report.Machine machine;

    private ProgramJson(JsonGenerator out, Map<Integer, KernelTime> times, Report.Machine machine) {
        this.out = out;
        this.times = times;
        this.machine = machine;
    }

    /**
     * @param times of kernels by number, as far as they are known
     * @param machine on which; null if no times are known
     */
    static String text(
            Model model,
            String key,
            List<String> stageFiles,
            Map<Integer, List<String>> code,
            Map<Integer, KernelTime> times,
            Report.Machine machine)
            throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator g = new JsonFactory().createGenerator(text)) {
            new ProgramJson(g, times, machine).program(model, key, stageFiles, code);
        }
        return text.append('\n').toString();
    }

    private void program(Model m, String key, List<String> stageFiles, Map<Integer, List<String>> code)
            throws IOException {
        ProgramDump.Target t = m.dump.target();
        out.writeStartObject();
        out.writeStringField("format", Dumps.FORMAT);
        out.writeNumberField("version", Dumps.VERSION);
        out.writeStringField("key", key);
        out.writeStringField("device", t.device());
        out.writeStringField("backend", t.backend());
        out.writeNumberField("vectorBits", t.vectorBits());
        if (machine != null) machine();
        list("stages", m.dump.stages(), (s, i) -> {
            out.writeStringField("pass", s.pass());
            out.writeNumberField("nodes", s.graph().nodes().size());
            out.writeStringField("file", stageFiles.get(i));
        });
        list("nodes", m.items, (n, _) -> node(n));
        strings(
                "results",
                m.dump.stages().getLast().graph().outputs().stream()
                        .map(m.ids::get)
                        .toList());
        list("kernels", m.steps, (s, _) -> kernel(s, code.getOrDefault(s.code(), List.of())));
        list("refusals", m.refusals, (r, _) -> {
            out.writeStringField("node", r.producer());
            out.writeNumberField("into", r.into());
            out.writeStringField("reason", r.reason());
        });
        if (m.dump.plan() != null) plan(m);
        out.writeEndObject();
    }

    private void node(Model.Item n) throws IOException {
        out.writeStringField("id", n.id());
        out.writeStringField("op", n.op());
        strings("types", n.node().types().stream().map(Type::toString).toList());
        strings("inputs", n.inputs());
        String attributes = Model.attributes(n.node());
        if (!attributes.isEmpty()) out.writeStringField("attributes", attributes);
        if (n.node().origin() >= 0) out.writeNumberField("origin", n.node().origin());
        if (n.source() != null) source(n.source());
        if (!n.kernels().isEmpty()) {
            out.writeArrayFieldStart("kernels");
            for (int k : n.kernels()) out.writeNumber(k);
            out.writeEndArray();
        }
    }

    private void source(Sources.Source s) throws IOException {
        out.writeStringField("line", s.line());
        if (!s.net().isEmpty()) out.writeStringField("net", s.net());
        if (!s.module().isEmpty()) out.writeStringField("module", s.module());
    }

    private void kernel(Model.Step s, List<String> code) throws IOException {
        out.writeNumberField("number", s.number());
        out.writeStringField("name", s.name());
        out.writeStringField("kind", s.kind());
        out.writeStringField("file", "kernels/" + s.file() + ".loop");
        strings("code", code.stream().map(f -> "kernels/" + f).toList());
        if (!s.loop().isEmpty()) out.writeStringField("loop", s.loop());
        out.writeNumberField("times", s.times());
        out.writeNumberField("bytes", s.bytes());
        out.writeNumberField("flops", s.flops());
        KernelTime time = times.get(s.number());
        if (time != null) time(time);
        out.writeArrayFieldStart("segments");
        for (List<String> part : s.members()) {
            out.writeStartArray();
            for (String id : part) out.writeString(id);
            out.writeEndArray();
        }
        out.writeEndArray();
        strings(
                "reads",
                s.touched().stream()
                        .filter(t -> !t.written())
                        .map(Model.Touched::id)
                        .toList());
        strings(
                "writes",
                s.touched().stream()
                        .filter(Model.Touched::written)
                        .map(Model.Touched::id)
                        .toList());
        strings(
                "lines",
                s.sources().stream().map(Sources.Source::line).distinct().toList());
    }

    private void machine() throws IOException {
        out.writeObjectFieldStart("profile");
        out.writeNumberField("threads", machine.threads());
        if (!machine.clock().isEmpty()) out.writeStringField("clock", machine.clock());
        if (machine.peaks().bytesPerSecond() > 0) {
            out.writeNumberField(
                    "peakBytesPerSecond", Math.round(machine.peaks().bytesPerSecond()));
            out.writeObjectFieldStart("peakFlops");
            for (Map.Entry<DType, Double> e : machine.peaks().flops().entrySet())
                out.writeNumberField(e.getKey().toString(), Math.round(e.getValue()));
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private void time(KernelTime t) throws IOException {
        out.writeObjectFieldStart("profile");
        out.writeNumberField("calls", t.calls());
        out.writeNumberField("nanos", t.nanos());
        out.writeNumberField("lately", t.lately());
        out.writeNumberField("shortest", t.shortest());
        double least = machine.peaks().least(t.work());
        if (least > 0) out.writeNumberField("least", Math.round(least));
        out.writeEndObject();
    }

    private void plan(Model m) throws IOException {
        Model.Memory bytes = m.memory();
        out.writeRaw('\n');
        out.writeObjectFieldStart("memory");
        out.writeNumberField("arguments", bytes.arguments());
        out.writeNumberField("results", bytes.results());
        out.writeNumberField("arena", bytes.arena());
        out.writeNumberField("peak", bytes.peak());
        list("values", m.lifetimes, (l, _) -> {
            out.writeStringField("id", l.id());
            out.writeStringField("place", l.place());
            out.writeNumberField("bytes", l.bytes());
            if (l.offset() >= 0) out.writeNumberField("offset", l.offset());
            out.writeNumberField("first", l.first());
            out.writeNumberField("last", l.last());
        });
        out.writeEndObject();
        int[] next = {0};
        list("steps", m.dump.plan().steps(), (s, _) -> step(m, s, next));
    }

    /** @param next number of the next kernel */
    private void step(Model m, Plan.Step s, int[] next) throws IOException {
        switch (s) {
            case Plan.Launch _, Plan.LibraryCall _ -> out.writeNumberField("kernel", next[0]++);
            case Plan.Copy c -> {
                out.writeStringField("copy", Model.place(c.from()) + " -> " + Model.place(c.to()));
                out.writeNumberField("bytes", c.bytes());
            }
            case Plan.Repeat r -> {
                Node n = m.dump.provenance(r).parts().getFirst().members().getFirst();
                out.writeStringField("loop", m.ids.get(n));
                out.writeNumberField("times", r.steps());
                next[0] += kernels(r.body());
            }
        }
    }

    private static int kernels(Plan plan) {
        int n = 0;
        for (Plan.Step s : plan.steps()) {
            if (s instanceof Plan.Launch || s instanceof Plan.LibraryCall) n++;
            if (s instanceof Plan.Repeat r) n += kernels(r.body());
        }
        return n;
    }

    private interface Entry<T> {
        void write(T value, int index) throws IOException;
    }

    private <T> void list(String name, Collection<T> values, Entry<T> entry) throws IOException {
        out.writeArrayFieldStart(name);
        int i = 0;
        for (T v : values) {
            out.writeRaw(i == 0 ? "\n" : "");
            out.writeStartObject();
            entry.write(v, i++);
            out.writeEndObject();
            out.writeRaw('\n');
        }
        out.writeEndArray();
    }

    private void strings(String name, List<String> values) throws IOException {
        out.writeArrayFieldStart(name);
        for (String v : values) out.writeString(v);
        out.writeEndArray();
    }
}
