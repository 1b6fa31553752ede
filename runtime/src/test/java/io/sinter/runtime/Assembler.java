// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.lang.Target;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** NVIDIA's assembler, in two forms that are of different versions as a rule. */
enum Assembler {
    /** nvPTXCompiler, which JCuda's natives bring. */
    LIBRARY {
        @Override
        boolean isThere() {
            return PtxCompiler.isThere();
        }

        @Override
        String log(Target target, String text, Path file) {
            return PtxCompiler.report(text, target);
        }
    },

    /** {@code ptxas}, where it is installed. */
    PTXAS {
        @Override
        boolean isThere() throws IOException {
            return ptxas() != null;
        }

        @Override
        String log(Target target, String text, Path file) throws IOException, InterruptedException {
            Files.writeString(file, text);
            Path log = file.resolveSibling(file.getFileName() + ".log");
            Process p = new ProcessBuilder(
                            ptxas().toString(),
                            "-v",
                            "-arch=" + target,
                            "-o",
                            file.resolveSibling(file.getFileName() + ".cubin").toString(),
                            file.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            int code = p.waitFor();
            if (code != 0)
                throw new AssertionError("ptxas says " + code + " for " + target + ":\n" + Files.readString(log));
            return Files.readString(log);
        }
    };

    private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");
    private static final Pattern SPILLS = Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");

    /**
     * What a kernel needs of a multiprocessor.
     *
     * @param registers a thread
     * @param spillBytes stored and loaded again because registers ran out
     */
    record Usage(int registers, int spillBytes) {}

    abstract boolean isThere() throws IOException;

    /** What it says of a module, whose text may be put into a file. */
    abstract String log(Target target, String text, Path file) throws IOException, InterruptedException;

    /** The place of {@code ptxas}; null if there is none. */
    private static Path ptxas() throws IOException {
        List<Path> places = new ArrayList<>();
        String path = System.getenv("PATH");
        if (path != null) for (String p : path.split(File.pathSeparator)) places.add(Path.of(p));
        String home = System.getenv("CUDA_HOME");
        if (home != null) places.add(Path.of(home, "bin"));
        Path local = Path.of("/usr/local");
        if (Files.isDirectory(local)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(local, "cuda*")) {
                for (Path p : all) places.add(p.resolve("bin"));
            }
        }
        for (Path p : places) if (Files.isExecutable(p.resolve("ptxas"))) return p.resolve("ptxas");
        return null;
    }

    /**
     * Assembles a module.
     *
     * @param file where its text may be put
     * @return what each of its kernels uses
     */
    Map<String, Usage> run(Target target, String text, Path file) throws IOException, InterruptedException {
        Map<String, Usage> usage = new LinkedHashMap<>();
        String entry = null;
        int spilled = 0;
        for (String line : log(target, text, file).lines().toList()) {
            Matcher m = ENTRY.matcher(line);
            if (m.find()) entry = m.group(1);
            m = SPILLS.matcher(line);
            if (m.find()) spilled = Integer.parseInt(m.group(1)) + Integer.parseInt(m.group(2));
            m = REGISTERS.matcher(line);
            if (m.find() && entry != null) usage.put(entry, new Usage(Integer.parseInt(m.group(1)), spilled));
        }
        return usage;
    }
}
