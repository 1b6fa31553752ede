// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Graph;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes the folder of a program. Everything in it but the times in {@code passes.csv} and {@code tuning.txt}, and what was chosen by the latter, follows
 * from the program alone, so two dumps of one program are the same bytes.
 */
final class DumpFolder {
    private static final int SEGMENTS_SHOWN = 4;
    private static final String KERNELS = "kernels";

    private final Model model;
    private final String key;
    private final Path folder;
    /** Texts by path within the folder, in the order in which they are written. */
    private final Map<String, String> files = new LinkedHashMap<>();
    /** Of them, those that the page shows. */
    private final Map<String, String> shown = new LinkedHashMap<>();

    private List<String> stageFiles;
    private Map<Integer, List<String>> code;

    /** @param folder made already, by {@link #make} */
    DumpFolder(Model model, String key, Path folder) {
        this.model = model;
        this.key = key;
        this.folder = folder;
    }

    static void make(Path folder) throws IOException {
        Files.createDirectories(folder.resolve(KERNELS));
    }

    /**
     * Writes everything.
     *
     * @param bytecode see {@link Listings}
     * @param turn done before each file
     */
    void write(Map<String, String> bytecode, Runnable turn) throws IOException {
        List<String> stageFiles = stages();
        files.put("passes.csv", passes(stageFiles));
        files.put("key.txt", key());
        files.put("fusion.txt", FusionReport.text(model));
        files.put("memory.txt", MemoryReport.text(model));
        Tuning tuning = model.dump.tuning();
        if (tuning != null) files.put("tuning.txt", tuning.summary() + "\n" + String.join("\n", tuning.lines()) + "\n");
        kernels();
        files.put("graph.svg", GraphDrawing.kernels(model));
        save(files, turn);
        Listings listings = new Listings(model.dump.target(), folder.resolve(KERNELS), bytecode, turn);
        this.code = listings.write(model);
        this.stageFiles = stageFiles;
        files.forEach((name, text) -> {
            if (name.endsWith(".ir") || name.endsWith(".loop")) shown.put(name, text);
        });
        listings.texts().forEach((f, text) -> shown.put(KERNELS + "/" + f, text));
        files.clear();
        program(Map.of(), null, turn);
    }

    /** What the page says of every program, and of the kernels whose times are known. */
    private void program(Map<Integer, KernelTime> times, Report.Machine machine, Runnable turn) throws IOException {
        turn.run();
        String json = ProgramJson.text(model, key, stageFiles, code, times, machine);
        String page = Page.of(folder.getFileName().toString(), json, shown);
        save(Map.of("index.html", page), turn);
        save(Map.of(Dumps.PROGRAM, json), turn);
    }

    /** Writes the program and its page again, with times. */
    void profiled(List<KernelTime> kernels, Report.Machine machine) throws IOException {
        Map<Integer, KernelTime> times = new HashMap<>();
        for (KernelTime t : kernels) {
            // One kernel may have come from several sets of lines: the program is one all the same.
            if (t.number() >= 0) times.merge(t.number(), t, KernelTime::plus);
        }
        program(times, machine, () -> {});
    }

    private void save(Map<String, String> texts, Runnable turn) throws IOException {
        for (Map.Entry<String, String> f : texts.entrySet()) {
            turn.run();
            Files.writeString(folder.resolve(f.getKey()), f.getValue(), StandardCharsets.UTF_8);
        }
    }

    /** The graph as traced, and after each pass that changed it. Returns the file of each stage; empty where nothing changed. */
    private List<String> stages() {
        List<String> names = new ArrayList<>();
        int number = 0;
        Graph before = null;
        String last = null;
        for (ProgramDump.Stage s : model.dump.stages()) {
            String text = s.graph() == before ? last : model.dump.print(s.graph());
            boolean changed = !text.equals(last);
            String name = changed ? String.format(Locale.ROOT, "%02d-%s.ir", number++, s.pass()) : "";
            names.add(name);
            if (changed) files.put(name, text);
            before = s.graph();
            last = text;
        }
        return names;
    }

    private String passes(List<String> stageFiles) {
        StringBuilder b = new StringBuilder("pass,ms,nodes before,nodes after,file\n");
        List<ProgramDump.Stage> stages = model.dump.stages();
        for (int i = 1; i < stages.size(); i++) {
            ProgramDump.Stage s = stages.get(i);
            int before = stages.get(i - 1).graph().nodes().size();
            row(b, s.pass(), s.nanos(), before, s.graph().nodes().size(), stageFiles.get(i));
        }
        if (model.dump.plan() == null) return b.toString();
        int nodes = stages.getLast().graph().nodes().size();
        long fusing = 0;
        for (ProgramDump.Fused f : model.dump.fused()) fusing += f.nanos();
        row(b, "fuse", fusing, nodes, nodes, "fusion.txt");
        row(b, "lower", model.dump.lowerNanos(), nodes, nodes, KERNELS);
        return b.toString();
    }

    private static void row(StringBuilder b, String pass, long nanos, int before, int after, String file) {
        b.append(String.format(Locale.ROOT, "%s,%.3f,%d,%d,%s", pass, nanos * 1e-6, before, after, file));
        b.append('\n');
    }

    /** What programs must have in common to share code, in the order in which a cache compares it. */
    private String key() {
        ProgramDump.Target t = model.dump.target();
        StringBuilder b = new StringBuilder("key ").append(key).append('\n');
        b.append("device ").append(t.device()).append('\n');
        b.append("backend ").append(t.backend()).append('\n');
        b.append("vector-bits ").append(t.vectorBits()).append('\n');
        if (t.gpu() != null) b.append("architecture ").append(t.gpu()).append('\n');
        MatmulPrecision products = t.numerics().products();
        if (t.gpu() != null || products != MatmulPrecision.HIGHEST)
            b.append("matmul-precision ").append(products).append('\n');
        if (!t.numerics().deterministic()) b.append("deterministic-algorithms false\n");
        b.append(
                "\n# The program: types of arguments, operators with attributes, operands, results and whose memory they take.\n");
        return b.append(GraphPrinter.print(model.dump.trace(), _ -> null)).toString();
    }

    /** Loop IR first, so that line numbers of generated code are the file's; then where it comes from, as comments. */
    private void kernels() {
        for (Model.Step s : model.steps) {
            StringBuilder b = new StringBuilder();
            if (s.kernel() != null) b.append(KernelText.print(s.kernel()));
            else b.append(s.name()).append(": library\n");
            b.append('\n');
            if (!s.loop().isEmpty())
                b.append("# in the body of loop ")
                        .append(s.loop())
                        .append(", ")
                        .append(s.times())
                        .append(" times\n");
            if (s.code() != s.number())
                b.append("# same code as ")
                        .append(model.steps.get(s.code()).file())
                        .append('\n');
            for (Sources.Source source : s.sources())
                b.append("# from ").append(source).append('\n');
            for (Model.Touched t : s.touched()) {
                b.append(t.written() ? "# writes " : "# reads ")
                        .append(t.id())
                        .append(' ')
                        .append(t.type());
                b.append(" in ").append(t.place()).append('\n');
            }
            for (int i = 0; i < s.members().size() && i < SEGMENTS_SHOWN; i++) segment(b, s, i);
            int more = s.members().size() - SEGMENTS_SHOWN;
            if (more > 0) b.append("# … and ").append(more).append(" more segments\n");
            files.put(KERNELS + "/" + s.file() + ".loop", b.toString());
        }
    }

    private static void segment(StringBuilder b, Model.Step s, int i) {
        b.append("# segment ")
                .append(i)
                .append(" computes ")
                .append(String.join(" ", s.members().get(i)))
                .append('\n');
        if (!(s.step() instanceof Plan.Launch l)) return;
        Map<Integer, String> slots = new TreeMap<>();
        List<SlotValue> values = l.segments().get(i);
        for (int slot = 0; slot < values.size(); slot++) {
            String text =
                    switch (values.get(slot)) {
                        case SlotValue.Address a -> Model.place(a.place());
                        case SlotValue.Number n -> Long.toString(n.value());
                        case SlotValue.ScalarArgument a -> "scalar argument " + a.index();
                        case SlotValue.ErrorRecord _ -> null;
                    };
            if (text != null) slots.put(slot, text);
        }
        slots.forEach((slot, text) ->
                b.append("#   $").append(slot).append(" = ").append(text).append('\n'));
    }
}
