// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.profile.Site;
import java.util.ArrayList;
import java.util.List;

/** Times what a run queues, by events around each order: the host does not wait until the run has ended. */
final class GpuTimes {
    /** Part of a launch; the parts after the first follow it. */
    private record Timed(Site site, boolean first, GpuDriver.Event before, GpuDriver.Event after) {}

    private final Gpu gpu;
    private final GpuDriver driver;
    private final RunTiming timing;
    private final List<GpuDriver.Event> events = new ArrayList<>();
    private final List<Timed> timed = new ArrayList<>();
    /** The host's time at the first event: the stream had nothing to do then. */
    private long start;

    GpuTimes(Gpu gpu, RunTiming timing) {
        this.gpu = gpu;
        this.timing = timing;
        driver = gpu.driver();
    }

    /**
     * Queues {@code work} between two events.
     *
     * @param site what it counts for; null for nothing
     * @param first whether it begins what the site is, or goes on with it
     */
    void time(Site site, boolean first, Runnable work) {
        if (events.isEmpty()) {
            start = System.nanoTime();
            mark();
        }
        GpuDriver.Event before = events.getLast();
        work.run();
        GpuDriver.Event after = mark();
        if (site != null) timed.add(new Timed(site, first, before, after));
    }

    private GpuDriver.Event mark() {
        GpuDriver.Event e = driver.createEvent();
        events.add(e);
        driver.record(e, gpu.stream());
        return e;
    }

    /** Waits for all of it, and tells what it took. */
    void end() {
        if (events.isEmpty()) return;
        try {
            gpu.synchronize();
            for (int i = 0; i < timed.size(); ) {
                Timed t = timed.get(i);
                long began = driver.nanosBetween(events.getFirst(), t.before);
                long nanos = 0;
                do {
                    nanos += driver.nanosBetween(timed.get(i).before, timed.get(i).after);
                } while (++i < timed.size() && !timed.get(i).first);
                timing.launched(t.site, start + began, nanos);
            }
        } finally {
            events.forEach(driver::destroy);
            events.clear();
            timed.clear();
        }
    }
}
