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

/** NVIDIA's assembler, {@code ptxas}, where it is installed. */
final class Assembler {
    private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");
    private static final Pattern SPILLS = Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");

    private Assembler() {}

    /**
     * What a kernel needs of a multiprocessor.
     *
     * @param registers a thread
     * @param spillBytes stored and loaded again because registers ran out
     */
    record Usage(int registers, int spillBytes) {}

    /** The assembler's place; null if there is none. */
    static Path find() throws IOException {
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
     * @param file where its text is put
     * @return what each of its kernels uses
     * @throws AssertionError if it does not assemble
     */
    static Map<String, Usage> run(Path assembler, Target target, String text, Path file)
            throws IOException, InterruptedException {
        Files.writeString(file, text);
        Path log = file.resolveSibling(file.getFileName() + ".log");
        Process p = new ProcessBuilder(
                        assembler.toString(),
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
        Map<String, Usage> usage = new LinkedHashMap<>();
        String entry = null;
        int spilled = 0;
        for (String line : Files.readAllLines(log)) {
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
