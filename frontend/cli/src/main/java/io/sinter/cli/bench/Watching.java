// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.profiler.Profiler;
import io.sinter.profiler.ProfilerOptions;
import io.sinter.runtime.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What is to be seen of the cases that are measured.
 *
 * @param profile file for what the timed repetitions took; null for none
 * @param dump folder for the programs that they ran; null for none
 */
record Watching(Path profile, Path dump) {
    boolean anything() {
        return profile != null || dump != null;
    }

    /** @throws IllegalArgumentException if a profile cannot be written to a file of that name */
    void check() {
        if (profile != null) ProfilerOptions.DEFAULT.withFile(profile);
    }

    /**
     * Of one measurement among several: the case's name stands before the file's ending, and is a folder of the dump.
     *
     * @param modes whether both are measured
     */
    Watching of(BenchCase c, Mode mode, boolean modes) {
        String name = c.name() + (modes ? "-" + mode.name().toLowerCase(Locale.ROOT) : "");
        return new Watching(profile == null ? null : named(profile, name), dump == null ? null : dump.resolve(name));
    }

    private static Path named(Path file, String name) {
        String last = file.getFileName().toString();
        int dot = last.lastIndexOf('.');
        return file.resolveSibling(last.substring(0, dot) + "-" + name + last.substring(dot));
    }

    /** As options of the command. */
    List<String> words() {
        List<String> words = new ArrayList<>();
        if (profile != null) words.addAll(List.of("--profile", profile.toString()));
        if (dump != null) words.addAll(List.of("--dump", dump.toString()));
        return words;
    }

    /** Programs that the session compiles from now on are dumped, if they are to be. */
    void beginDump() {
        if (dump != null) Session.current().dumpTo(dump);
    }

    /** What is compiled from now on is none of the case's. */
    void endDump() {
        if (dump != null) Session.current().dumpTo(null);
    }

    /** The profiler of what comes next, each repetition a step; null if there is none. */
    Profiler beginProfile() {
        return profile == null ? null : Profiler.start(ProfilerOptions.DEFAULT.withFile(profile));
    }
}
