// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Canonical;
import io.sinter.runtime.Reason;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.ProgramSites;
import io.sinter.runtime.profile.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The folder that a session dumps its programs into: one folder each, named by the order in which they were compiled and the beginning of their key
 * ({@code 003-9f86d081}). Programs that were dumped there before give way to those of the same number.
 *
 * <p>Most of a dump is written beside the work of those who compile, so {@link #await} before reading one.
 */
public final class Dumps {
    /** The file of a program's folder that is for programs; its schema is {@code docs/dump-schema.json}. */
    public static final String PROGRAM = "program.json";
    /** What that file says of its form, and which one it has. */
    public static final String FORMAT = "sinter-dump";

    public static final int VERSION = 2;

    private final Path folder;
    private final DumpWriter writer = new DumpWriter();
    /** Listings of kernels for the JVM by their texts: to make one takes longer than all else that a dump does for a kernel. */
    private final Map<String, String> bytecode = new ConcurrentHashMap<>();

    private int programs;
    /** By the program's number in its session. Guarded by this. */
    private final Map<Integer, DumpFolder> folders = new HashMap<>();

    /**
     * @param folder made if it is not there
     * @throws UncheckedIOException if it cannot be made or not be written: now, not after hours of work
     */
    public Dumps(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw unwritten(folder, e);
        }
        if (!Files.isWritable(folder)) throw unwritten(folder, new AccessDeniedException(folder.toString()));
    }

    /** The folder of all programs. */
    public Path folder() {
        return folder;
    }

    /**
     * Makes the folder of a program and returns it; what was seen of the compilation is in it soon.
     *
     * @param dump complete: nothing of it changes any more
     * @param sites what the program runs, as profiles know it; null if it runs no kernels
     * @throws UncheckedIOException if the folder cannot be made, or a program before could not be written
     */
    public Path write(ProgramDump dump, ProgramSites sites) {
        dump.complete();
        String key = Canonical.of(dump.trace(), dump.target().numerics(), dump.tuning() != null)
                .hex();
        int number;
        synchronized (this) {
            number = ++programs;
        }
        String prefix = String.format(Locale.ROOT, "%03d-", number);
        Path place = folder.resolve(prefix + key.substring(0, 8));
        try {
            clear(prefix);
            DumpFolder.make(place);
        } catch (IOException e) {
            throw unwritten(place, e);
        }
        writer.add(() -> write(dump, sites, key, place));
        return place;
    }

    private void write(ProgramDump dump, ProgramSites sites, String key, Path place) {
        try {
            DumpFolder written = new DumpFolder(new Model(dump), key, place);
            written.write(bytecode);
            if (sites != null) keep(sites.number(), written);
        } catch (IOException e) {
            throw unwritten(place, e);
        }
    }

    /**
     * Waits until all programs that were dumped so far are in their folders.
     *
     * @throws UncheckedIOException if one could not be written
     */
    public void await() {
        writer.await();
    }

    private static UncheckedIOException unwritten(Path place, IOException e) {
        return new UncheckedIOException("cannot write the dump to " + place + ": " + Reason.of(e), e);
    }

    private synchronized void keep(int program, DumpFolder dump) {
        folders.put(program, dump);
    }

    /**
     * Adds what a profile has recorded to the dumps of those programs that it saw run: to {@code program.json} and to the page.
     *
     * @throws UncheckedIOException if a folder cannot be written
     */
    public void profiled(Report report) {
        await();
        addTimes(report);
    }

    private synchronized void addTimes(Report report) {
        Map<Integer, List<KernelTime>> byProgram = new TreeMap<>();
        for (KernelTime t : report.kernels())
            byProgram.computeIfAbsent(t.program(), _ -> new ArrayList<>()).add(t);
        byProgram.forEach((program, times) -> {
            DumpFolder dump = folders.get(program);
            if (dump == null) return;
            try {
                dump.profiled(times, report.machine());
            } catch (IOException e) {
                throw unwritten(folder, e);
            }
        });
    }

    /** Removes what an earlier run has dumped under this number: folders with a program.json, nothing else. */
    private void clear(String prefix) throws IOException {
        if (!Files.isDirectory(folder)) return;
        try (Stream<Path> all = Files.list(folder)) {
            for (Path old : all.toList()) {
                boolean dumped = Files.isRegularFile(old.resolve(PROGRAM));
                if (old.getFileName().toString().startsWith(prefix) && dumped) delete(old);
            }
        }
    }

    /** Removes a folder and all that is in it. */
    public static void delete(Path tree) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(tree)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path p : all) Files.delete(p);
    }
}
