// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.Options;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.PtxKernel;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.runtime.PtxCompiler;
import io.sinter.runtime.cache.Tuning;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The generated code of a program's kernels as text, whose line tables name the loop IR beside it. */
final class Listings {
    /** Some address that is aligned like those of buffers. */
    private static final long ADDRESS = 1L << 30;

    /** Stands for the name of a kernel's file. */
    private static final String SOURCE = "@SOURCE@";

    private final ProgramDump.Target target;
    private final Path folder;
    private final Map<String, String> bytecode;
    private final Runnable turn;
    /** What was written, by files. */
    private final Map<String, String> texts = new LinkedHashMap<>();

    /**
     * @param bytecode listings of kernels for the JVM by their texts; what is made is added
     * @param turn done before each file
     */
    Listings(ProgramDump.Target target, Path folder, Map<String, String> bytecode, Runnable turn) {
        this.target = target;
        this.folder = folder;
        this.bytecode = bytecode;
        this.turn = turn;
    }

    /** Writes the code of every structure once. Returns the files of each kernel that has some, by its number. */
    Map<Integer, List<String>> write(Model model) throws IOException {
        Map<Integer, List<String>> files = new TreeMap<>();
        if (!target.backend().equals("generated")) return files;
        List<String> ptx = new ArrayList<>();
        for (Model.Step s : model.steps) {
            if (s.kernel() == null || s.code() != s.number()) continue;
            turn.run();
            String source = s.file() + ".loop";
            if (target.device().equals("jvm")) {
                save(s.file() + ".bytecode", bytecode(s.kernel(), source));
                files.put(s.number(), new ArrayList<>(List.of(s.file() + ".bytecode")));
            } else {
                save(s.file() + ".ptx", ptx((Plan.Launch) s.step(), model.dump.form(s.step()), source));
                files.put(s.number(), new ArrayList<>(List.of(s.file() + ".ptx")));
                ptx.add(s.file());
            }
        }
        for (String f : ptx) {
            String report = PtxCompiler.isThere()
                    ? compiled(texts.get(f + ".ptx"))
                    : Ptxas.report(folder, f + ".ptx", target.gpu().toString());
            if (report == null) break;
            save(f + ".ptxas.txt", report);
            for (List<String> of : files.values()) if (of.contains(f + ".ptx")) of.add(f + ".ptxas.txt");
        }
        return files;
    }

    /** What was written, by files in the folder. */
    Map<String, String> texts() {
        return texts;
    }

    /** A session's programs have many kernels in common, and nothing but the name of the source, which stands once, is a program's own. */
    private String bytecode(Kernel kernel, String source) {
        String text = bytecode.computeIfAbsent(
                KernelText.print(kernel),
                _ -> JvmCodegen.listing(JvmCodegen.generate(kernel, new Options(target.vectorBits()), SOURCE)));
        return text.replace(SOURCE, source);
    }

    /** The form of the code that the launch's numbers ask for, its buffers being aligned as the allocator does it, or the one that was chosen for it. */
    private String ptx(Plan.Launch launch, String form, String source) {
        List<SlotValue> block = launch.segments().getFirst();
        // What a library does has a form of our own, too.
        String own = form.equals(Tuning.LIBRARY) ? "" : form;
        Schedule schedule = PtxCodegen.schedule(
                launch.kernel(), slot -> slot(block.get(slot)), target.gpu(), target.numerics(), own);
        PtxKernel code = PtxCodegen.generate(
                launch.kernel(), schedule, PtxModule.identifier(launch.kernel().name()), 1);
        PtxModule m = PtxCodegen.module(target.gpu(), List.of(code));
        return new PtxModule(m.version(), m.target(), Map.of(1, source), m.variables(), m.kernels()).toString();
    }

    private static long slot(SlotValue v) {
        return switch (v) {
            case SlotValue.Number n -> n.value();
            case SlotValue.Address a -> ADDRESS + a.place().start();
            case SlotValue.ScalarArgument _, SlotValue.ErrorRecord _ -> 0;
        };
    }

    /** What the compiler in the class path says, or its complaint. */
    private String compiled(String ptx) {
        try {
            return Ptxas.withoutTimes(PtxCompiler.report(ptx, target.gpu()));
        } catch (IllegalArgumentException e) {
            return e.getMessage() + "\n";
        }
    }

    private void save(String file, String text) throws IOException {
        texts.put(file, text);
        Files.writeString(folder.resolve(file), text, StandardCharsets.UTF_8);
    }

    /** NVIDIA's assembler as a program, where it is on the path: what it says of registers, shared memory and spills. */
    static final class Ptxas {
        private Ptxas() {}

        /** The assembler's report, or its complaint; null if there is no assembler. */
        static String report(Path folder, String file, String target) throws IOException {
            Process p;
            try {
                p = new ProcessBuilder("ptxas", "-v", "-arch=" + target, "-o", "/dev/null", file)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
            } catch (IOException e) {
                return null; // not installed
            }
            try {
                p.getOutputStream().close();
                String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                p.waitFor();
                return withoutTimes(text);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return "ptxas was interrupted\n";
            }
        }

        /** Times differ from run to run. */
        static String withoutTimes(String text) {
            StringBuilder b = new StringBuilder();
            text.lines().filter(l -> !l.contains("ompile time")).forEach(l -> b.append(l)
                    .append('\n'));
            return b.toString();
        }
    }
}
