// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * cuBLAS as it is on this machine: named by {@code -Dsinter.cublas.library} (a folder), where the system's loader finds it, in CUDA toolkits, or where Python's
 * packages put it. cublasLt is loaded first, as cuBLAS needs it.
 *
 * @param major 12 or 13; 0 if there is none
 * @param lt cublasLt; null if there is none
 * @param where what was loaded, or what was looked for
 */
record CublasFiles(int major, SymbolLookup lt, String where) {
    static final String PROPERTY = "sinter.cublas.library";

    private static final int[] VERSIONS = {12, 13};
    /** Folders, the last part of which may be a pattern. */
    private static final String[][] PLACES = {
        {"/usr/local", "cuda*", "lib64"},
        {"/usr/local", "cuda*", "targets/x86_64-linux/lib"},
        {"/usr/lib/python3", "dist-packages", "nvidia/cublas/lib"},
        {"/usr/lib/python3", "dist-packages", "nvidia/cu13/lib"},
        {"/usr/local/lib", "python3*", "dist-packages/nvidia/cublas/lib"},
        {"/usr/local/lib", "python3*", "dist-packages/nvidia/cu13/lib"},
    };

    /** Where NVIDIA's wheels for CUDA 12 and 13 put it, in the {@code lib} folder of a Python. */
    private static final String[] WHEELS = {"site-packages/nvidia/cublas/lib", "site-packages/nvidia/cu13/lib"};

    static CublasFiles find() {
        return find(System.getProperty(PROPERTY));
    }

    /** @param folder where the libraries are; null to look for them */
    static CublasFiles find(String folder) {
        List<String> folders = new ArrayList<>();
        if (folder != null) {
            folders.add(folder);
        } else {
            folders.add(""); // the loader's own search
            for (String[] p : PLACES) folders.addAll(matching(Path.of(p[0]), p[1], p[2]));
            List<Path> pythons = new ArrayList<>();
            pythons.add(Path.of(System.getProperty("user.home"), ".local/lib"));
            pythons.addAll(pythonsOf(System.getenv("PATH")));
            for (Path lib : pythons) for (String w : WHEELS) folders.addAll(matching(lib, "python3*", w));
        }
        for (int major : VERSIONS) {
            for (String f : folders) {
                SymbolLookup lt = open(f, "libcublasLt.so." + major);
                SymbolLookup cublas = lt == null ? null : open(f, "libcublas.so." + major);
                if (cublas != null)
                    return new CublasFiles(major, lt, "cuBLAS " + major + (f.isEmpty() ? "" : " in " + f));
            }
        }
        folders.remove("");
        return new CublasFiles(
                0,
                null,
                "no cuBLAS 12 or 13 (looked for libcublasLt.so and libcublas.so by the system's loader"
                        + (folders.isEmpty() ? "" : " and in " + String.join(", ", folders))
                        + "): matrix products are Sinter's own. If it is elsewhere: -D" + PROPERTY + "=FOLDER");
    }

    /** The {@code lib} folders of Pythons whose {@code bin} is in a search path: the system's, environments', Conda's. */
    static List<Path> pythonsOf(String path) {
        List<Path> found = new ArrayList<>();
        if (path == null) return found;
        for (String entry : path.split(":")) {
            if (entry.isEmpty()) continue;
            Path bin = Path.of(entry).toAbsolutePath();
            if (bin.getParent() != null && Files.exists(bin.resolve("python3")))
                found.add(bin.getParent().resolve("lib"));
        }
        return found;
    }

    private static List<String> matching(Path parent, String pattern, String rest) {
        List<String> found = new ArrayList<>();
        if (!Files.isDirectory(parent)) return found;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(parent, pattern)) {
            for (Path p : all)
                if (Files.isDirectory(p.resolve(rest)))
                    found.add(p.resolve(rest).toString());
        } catch (IOException _) {
            // A folder that cannot be read has nothing for us.
        }
        found.sort(null);
        return found;
    }

    private static SymbolLookup open(String folder, String name) {
        try {
            return folder.isEmpty()
                    ? SymbolLookup.libraryLookup(name, Arena.global())
                    : SymbolLookup.libraryLookup(Path.of(folder, name), Arena.global());
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
