// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.plan.Work;
import io.sinter.runtime.dump.Sources;
import java.util.Arrays;
import java.util.List;

/** What the launches of one site have taken, as far as they came from the same lines. Guarded by its profile. */
final class Row {
    /** A power of two. */
    private static final int WINDOW = 512;

    final int program;
    final int number;
    final String name;
    final List<Sources.Source> sources;
    final Work work;
    private long[] last = new long[16];
    private long calls;
    private long nanos;
    private long shortest = Long.MAX_VALUE;

    Row(Site site, List<Sources.Source> sources) {
        program = site.program().number();
        number = site.number();
        name = site.name();
        work = site.work();
        this.sources = sources;
    }

    void add(long n) {
        int at = (int) calls++ & WINDOW - 1;
        if (at == last.length) last = Arrays.copyOf(last, Math.min(WINDOW, 2 * at));
        last[at] = n;
        nanos += n;
        shortest = Math.min(shortest, n);
    }

    void reset() {
        calls = 0;
        nanos = 0;
        shortest = Long.MAX_VALUE;
    }

    /** Null if it was not launched. */
    KernelTime time() {
        if (calls == 0) return null;
        long[] window = Arrays.copyOf(last, (int) Math.min(calls, last.length));
        Arrays.sort(window);
        return new KernelTime(program, number, name, sources, work, calls, nanos, shortest, window[window.length / 2]);
    }
}
