// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.IndexError;
import io.sinter.ir.plan.Plan;
import io.sinter.runtime.dump.Sources;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Index checks of runs that a GPU has been given and nobody has waited for. A run with checks copies its error record into a log on the device, in the
 * stream's order; whoever waits next reads the log, and gets the first error as an exception. Runs are numbered from the first one that is in
 * doubt on: what a run with a wrong index has computed, or any run between it and the waiting, may be wrong, and every later use of it is the
 * same error. Used with the GPU's monitor held.
 */
final class IndexChecks {
    /** Runs in doubt before one has to wait. */
    static final int ROOM = 64;

    private static final int WORDS = 4;
    private static final long BYTES = (long) WORDS * Long.BYTES;

    /** A run in doubt; {@code lines} are those of its sites, null where none is known. */
    private record Doubt(long run, List<Plan.Site> sites, List<String> lines) {}

    /** Runs whose results may be wrong. */
    private record Failure(long first, long last, IndexError error) {}

    private final GpuDriver driver;
    private final GpuDriver.Stream stream;
    private final GpuTransfers transfers;
    private final List<Doubt> doubts = new ArrayList<>();
    private final List<Failure> failures = new ArrayList<>();
    private MemorySegment host;
    private long log;
    private long runs;

    IndexChecks(GpuDriver driver, GpuDriver.Stream stream, GpuTransfers transfers) {
        this.driver = driver;
        this.stream = stream;
        this.transfers = transfers;
    }

    /** Whether the next run with checks is to wait for those before it. */
    boolean isFull() {
        return doubts.size() == ROOM;
    }

    /**
     * A run has been queued.
     *
     * @param record the device's address of its error record; may be overwritten by what is queued next
     * @param sites its checks; empty if it has none
     * @param sources where nodes come from in this run
     * @return what its results are to be {@linkplain Buffer#madeBy marked} with
     */
    long queued(long record, List<Plan.Site> sites, Sources sources) {
        if (sites.isEmpty()) return doubts.isEmpty() ? 0 : ++runs;
        if (log == 0) {
            log = driver.allocate(ROOM * BYTES);
            if (log == 0) throw new OutOfDeviceMemoryException("no memory for the errors of " + ROOM + " runs");
            host = Arena.ofAuto().allocate(ROOM * BYTES, Long.BYTES);
        }
        driver.copy(stream, record, log + doubts.size() * BYTES, BYTES);
        List<String> lines = new ArrayList<>();
        for (Plan.Site s : sites) {
            Sources.Source source = s.origin() < 0 ? null : sources.at(s.origin());
            lines.add(source == null ? null : source.line());
        }
        doubts.add(new Doubt(++runs, sites, lines));
        return runs;
    }

    /** All that was queued is done. Throws the error of the first run that has one. */
    void waited() {
        if (doubts.isEmpty()) return;
        List<Doubt> all = List.copyOf(doubts);
        doubts.clear();
        transfers.read(log, host.asSlice(0, all.size() * BYTES));
        for (int i = 0; i < all.size(); i++) {
            if (word(i, 0) == 0) continue;
            Doubt d = all.get(i);
            int site = Math.toIntExact(word(i, 1));
            // Of no node of whatever program is running when it is thrown.
            IndexError e = new IndexError(d.sites.get(site).operator(), word(i, 2), word(i, 3));
            if (d.lines.get(site) != null) e = e.at(d.lines.get(site));
            failures.add(new Failure(d.run, runs, e));
            throw e;
        }
    }

    private long word(int run, int word) {
        return host.get(ValueLayout.JAVA_LONG, run * BYTES + (long) word * Long.BYTES);
    }

    /**
     * Throws the error that makes a run's results unusable, if one was found.
     *
     * @param run as {@link #queued} gave it
     */
    void check(long run) {
        if (run == 0) return;
        for (Failure f : failures) if (f.first <= run && run <= f.last) throw f.error;
    }

    /** Nothing that was queued will be done. */
    void forget() {
        doubts.clear();
    }
}
