// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.Options;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The generated code of a program's kernels as text, whose line tables name the loop IR beside it. */
final class Listings {
    private final ProgramDump.Target target;
    private final Path folder;

    Listings(ProgramDump.Target target, Path folder) {
        this.target = target;
        this.folder = folder;
    }

    /** Writes the code of every structure once. Returns the files of each kernel that has some, by its number. */
    Map<Integer, List<String>> write(Model model) throws IOException {
        Map<Integer, List<String>> files = new TreeMap<>();
        if (!target.backend().equals("generated")) return files;
        List<String> ptx = new ArrayList<>();
        for (Model.Step s : model.steps) {
            if (s.kernel() == null || s.code() != s.number()) continue;
            String source = s.file() + ".loop";
            if (target.device().equals("jvm")) {
                String text =
                        JvmCodegen.listing(JvmCodegen.generate(s.kernel(), new Options(target.vectorBits()), source));
                save(s.file() + ".bytecode", text);
                files.put(s.number(), new ArrayList<>(List.of(s.file() + ".bytecode")));
            } else {
                String entry = PtxCodegen.identifier(s.name());
                var code = PtxCodegen.generate(s.kernel(), entry, 1);
                PtxModule m = new PtxModule(
                        Target.VERSION, Target.SM_80.toString(), Map.of(1, source), List.of(), List.of(code.code()));
                save(s.file() + ".ptx", m.toString());
                files.put(s.number(), new ArrayList<>(List.of(s.file() + ".ptx")));
                ptx.add(s.file());
            }
        }
        for (String f : ptx) {
            String report = Ptxas.report(folder, f + ".ptx", Target.SM_80.toString());
            if (report == null) break;
            save(f + ".ptxas.txt", report);
            for (List<String> of : files.values()) if (of.contains(f + ".ptx")) of.add(f + ".ptxas.txt");
        }
        return files;
    }

    private void save(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text, StandardCharsets.UTF_8);
    }

    /** NVIDIA's assembler, where it is on the path: what it says of registers, shared memory and spills. */
    static final class Ptxas {
        private static final int SECONDS = 60;

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
                if (!p.waitFor(SECONDS, TimeUnit.SECONDS)) {
                    p.destroyForcibly();
                    return "ptxas did not end within " + SECONDS + " seconds\n";
                }
                // Times differ from run to run.
                StringBuilder b = new StringBuilder();
                text.lines().filter(l -> !l.contains("ompile time")).forEach(l -> b.append(l)
                        .append('\n'));
                return b.toString();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return "ptxas was interrupted\n";
            }
        }
    }
}
