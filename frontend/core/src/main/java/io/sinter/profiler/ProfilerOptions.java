// SPDX-License-Identifier: Apache-2.0
package io.sinter.profiler;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What a {@link Profiler} records, and when; {@code torch.profiler.profile} and {@code torch.profiler.schedule} in PyTorch.
 *
 * @param idle steps at the beginning of a cycle in which nothing is recorded
 * @param warmup steps after them that are recorded and thrown away: programs are compiled and HotSpot does its work
 * @param active steps after them that are recorded; 0: everything is, from the beginning to the end, and {@code idle} and {@code warmup} are 0
 * @param repeat cycles after which nothing is recorded any more; 0 for no end
 * @param onReady called when the active steps of a cycle have ended, and when the profiler is closed within a cycle's active steps; by the thread that says so
 * @param file written then (see {@link Profiler#write}), those of further cycles with a number before the ending: {@code p.json},
 *     {@code p-2.json}; null for none
 * @param peaks whether reports compare kernels with what the device can do; measuring that takes a second or two, once for a process
 */
public record ProfilerOptions(
        int idle, int warmup, int active, int repeat, Consumer<Profiler> onReady, Path file, boolean peaks) {
    /** Records everything, and writes nothing by itself. */
    public static final ProfilerOptions DEFAULT = new ProfilerOptions(0, 0, 0, 0, _ -> {}, null, true);

    public ProfilerOptions {
        Objects.requireNonNull(onReady, "onReady");
        if (idle < 0 || warmup < 0 || active < 0 || repeat < 0)
            throw new IllegalArgumentException("a schedule of idle " + idle + ", warmup " + warmup + ", active "
                    + active + ", repeat " + repeat + ": no number may be negative");
        if (active == 0 && (idle > 0 || warmup > 0 || repeat > 0))
            throw new IllegalArgumentException("a schedule without active steps records nothing");
        if (file != null) Profiler.Format.of(file);
    }

    /** With a schedule: {@code idle} steps not recorded ({@code wait} in PyTorch), {@code warmup} thrown away, {@code active} recorded, and so on, {@code repeat} times (0: for ever). */
    public ProfilerOptions withSchedule(int idle, int warmup, int active, int repeat) {
        return new ProfilerOptions(idle, warmup, active, repeat, onReady, file, peaks);
    }

    /** With something to do when the active steps of a cycle have ended; {@code on_trace_ready} in PyTorch. */
    public ProfilerOptions withOnReady(Consumer<Profiler> onReady) {
        return new ProfilerOptions(idle, warmup, active, repeat, onReady, file, peaks);
    }

    /** With a file that the profile is written to: {@code .json}, {@code .jfr} or {@code .txt}. */
    public ProfilerOptions withFile(Path file) {
        return new ProfilerOptions(idle, warmup, active, repeat, onReady, file, peaks);
    }

    /** With or without the comparison with what the device can do. */
    public ProfilerOptions withPeaks(boolean peaks) {
        return new ProfilerOptions(idle, warmup, active, repeat, onReady, file, peaks);
    }
}
