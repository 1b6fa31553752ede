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

    /** What earlier runs have dumped here, by the beginnings of names ({@code 003-}): it gives way to what is dumped under that number now. Guarded by this. */
    private final Map<String, List<Path>> old = new HashMap<>();

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
            if (!Files.isWritable(folder)) throw new AccessDeniedException(folder.toString());
            findOld();
        } catch (IOException e) {
            throw unwritten(folder, e);
        }
    }

    private void findOld() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            for (Path p : all.toList()) {
                String name = p.getFileName().toString();
                int dash = name.indexOf('-');
                if (dash < 0 || !Files.isRegularFile(p.resolve(PROGRAM))) continue;
                old.computeIfAbsent(name.substring(0, dash + 1), _ -> new ArrayList<>())
                        .add(p);
            }
        }
    }

    /** The folder of all programs. */
    public Path folder() {
        return folder;
    }

    /**
     * The folder of a program; what was seen of the compilation is in it soon. Whoever compiles waits for no file system here: even to make a folder can take
     * as long as the passes of a small program. Only an earlier run's arguments in the same place are removed at once.
     *
     * @param dump complete: nothing of it changes any more
     * @param sites what the program runs, as profiles know it; null if it runs no kernels
     * @throws UncheckedIOException if a program before could not be written, or an earlier run's arguments not be removed
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
        List<Path> before = earlier(prefix, place);
        writer.add(() -> write(dump, sites, key, place, before));
        return place;
    }

    /** A compilation begins, of whatever is dumped or not: what is to be written lets it go first, until {@link #compiled}. */
    public void compiling() {
        writer.compiling();
    }

    /** A compilation has ended, well or not. */
    public void compiled() {
        writer.compiled();
    }

    private void write(ProgramDump dump, ProgramSites sites, String key, Path place, List<Path> before) {
        writer.awaitTurn();
        try {
            for (Path p : before) delete(p, p.equals(place) ? place.resolve(ProgramInputs.FOLDER) : null);
            DumpFolder.make(place);
            DumpFolder written = new DumpFolder(new Model(dump), key, place);
            written.write(bytecode, writer::awaitTurn);
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

    /** What was dumped before and gives way to {@code place}: of that itself the arguments are gone already, as those of this run may come at any time. */
    private List<Path> earlier(String prefix, Path place) {
        List<Path> before;
        synchronized (this) {
            before = old.remove(prefix);
        }
        if (before == null) return List.of();
        Path inputs = place.resolve(ProgramInputs.FOLDER);
        try {
            if (before.contains(place) && Files.exists(inputs)) delete(inputs);
        } catch (IOException e) {
            throw unwritten(place, e);
        }
        return before;
    }

    /** Removes a folder and all that is in it. */
    public static void delete(Path tree) throws IOException {
        delete(tree, null);
    }

    /** @param kept a folder below that stays, and so do those that it is in; null for none */
    private static void delete(Path tree, Path kept) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(tree)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path p : all) {
            boolean stays = kept != null && (p.startsWith(kept) || kept.startsWith(p));
            if (!stays) Files.delete(p);
        }
    }
}
