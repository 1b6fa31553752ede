// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.plan.Work;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** What a profile has recorded, added up: by kernel, by part of the network, by line. {@link #toString} is a table. */
public final class Report {
    /**
     * What was running.
     *
     * @param device as {@code --device} names it
     * @param threads worker threads
     * @param clock whose times the kernels' are; empty where that goes without saying
     * @param peaks what the device can do
     */
    public record Machine(String device, int threads, String clock, Peaks peaks) {}

    /**
     * Launches of one kernel, or the share in launches of one line or part of a network: a kernel that computes several lines counts for each of
     * them in equal parts.
     *
     * @param name of the kernel, the part or the line
     * @param from of a kernel, its first line, and how many more it has; else empty
     * @param calls launches
     * @param nanos what they took
     * @param lately median of the last launches of a kernel; 0 for others
     * @param shortest the shortest launch of a kernel; 0 for others
     * @param bytes what they had to read and write
     * @param flops what they had to compute
     * @param least the least time that this can take by the roofline model, in nanoseconds; 0 if the peaks are not known
     */
    public record Group(
            String name,
            String from,
            double calls,
            double nanos,
            long lately,
            long shortest,
            double bytes,
            double flops,
            double least) {
        /** What part of the time the roofline model says is needed: 1 is as fast as can be (more: data was in a cache); 0 if it is not known. */
        public double roofline() {
            return nanos == 0 ? 0 : least / nanos;
        }
    }

    private static final int TOP = 40;

    private final Machine machine;
    private final Profile.Totals totals;
    private final List<KernelTime> kernels;

    /** Of what {@code profile} has recorded so far. */
    public Report(Profile profile, Machine machine) {
        this.machine = machine;
        totals = profile.totals();
        kernels = profile.kernels();
    }

    private Report(Report of, Machine machine) {
        this.machine = machine;
        totals = of.totals;
        kernels = of.kernels;
    }

    /** The same, compared with what the device can do. */
    public Report with(Peaks peaks) {
        return new Report(this, new Machine(machine.device, machine.threads, machine.clock, peaks));
    }

    /** What was running. */
    public Machine machine() {
        return machine;
    }

    /** Every kernel of every program, the longest first. */
    public List<KernelTime> kernels() {
        return kernels;
    }

    /** Steps: those that the user has marked, or else those of optimizers. */
    public int steps() {
        return totals.steps();
    }

    /** Time that was profiled, in nanoseconds. */
    public long wallNanos() {
        return totals.wall();
    }

    /** Of it, launches. */
    public long kernelNanos() {
        return kernels.stream().mapToLong(KernelTime::nanos).sum();
    }

    /** Of it, making programs executable: compiling them, or reading them from the cache on disk. */
    public long compileNanos() {
        return totals.compile();
    }

    /** Programs compiled. */
    public int programsCompiled() {
        return totals.compiled();
    }

    /** Programs found compiled on disk. */
    public int programsLoaded() {
        return totals.loaded();
    }

    /** The most memory of tensors and temporaries that was in use at once, in bytes. */
    public long peakBytes() {
        return totals.peak();
    }

    // ---- groups

    private final class Sum {
        final String name;
        final Set<String> lines = new LinkedHashSet<>();
        double calls;
        double nanos;
        double bytes;
        double flops;
        double least;
        long lately;
        long most;
        long shortest = Long.MAX_VALUE;

        Sum(String name) {
            this.name = name;
        }

        void add(KernelTime t, double part) {
            calls += part * t.calls();
            nanos += part * t.nanos();
            bytes += part * t.calls() * t.work().bytes();
            flops += part * t.calls() * t.work().flops();
            least += part * t.calls() * machine.peaks.least(t.work());
            shortest = Math.min(shortest, t.shortest());
            if (t.nanos() > most) lately = t.lately();
            most = Math.max(most, t.nanos());
            for (Sources.Source s : t.sources()) lines.add(s.line());
        }

        Group group(boolean kernel) {
            String from = !kernel || lines.isEmpty()
                    ? ""
                    : lines.iterator().next() + (lines.size() == 1 ? "" : " +" + (lines.size() - 1));
            return new Group(name, from, calls, nanos, kernel ? lately : 0, kernel ? shortest : 0, bytes, flops, least);
        }
    }

    private record Kernel(String name, Work work) {}

    /** By kernel: launches of one name and size together, the longest first. */
    public List<Group> byKernel() {
        Map<Kernel, Sum> sums = new LinkedHashMap<>();
        for (KernelTime t : kernels)
            sums.computeIfAbsent(new Kernel(t.kernel(), t.work()), _ -> new Sum(t.kernel()))
                    .add(t, 1);
        return sorted(sums.values().stream().map(s -> s.group(true)).toList());
    }

    /** By part of the network that was being called: {@code Gpt: blocks.3.attn}. */
    public List<Group> byModule() {
        return shares(s -> s.net().isEmpty()
                ? "(outside of networks)"
                : s.module().isEmpty() ? s.net() : s.net() + ": " + s.module());
    }

    /** By the user's line. */
    public List<Group> byLine() {
        return shares(Sources.Source::line);
    }

    private List<Group> shares(Function<Sources.Source, String> name) {
        Map<String, Sum> sums = new LinkedHashMap<>();
        for (KernelTime t : kernels) {
            Set<String> names = new LinkedHashSet<>();
            for (Sources.Source s : t.sources()) names.add(name.apply(s));
            if (names.isEmpty()) names.add("(unknown)");
            for (String n : names) sums.computeIfAbsent(n, Sum::new).add(t, 1.0 / names.size());
        }
        return sorted(sums.values().stream().map(s -> s.group(false)).toList());
    }

    private static List<Group> sorted(List<Group> groups) {
        List<Group> sorted = new ArrayList<>(groups);
        sorted.sort((a, b) -> {
            int order = Double.compare(b.nanos, a.nanos);
            return order != 0 ? order : a.name.compareTo(b.name);
        });
        return sorted;
    }

    // ---- text

    /** The head, then the tables by kernel, by part of the network and by line; of long tables the first {@value #TOP} rows. */
    @Override
    public String toString() {
        StringBuilder b = new StringBuilder();
        head(b);
        b.append('\n');
        table(b, "kernel", byKernel(), true);
        b.append('\n');
        table(b, "part of the network", byModule(), false);
        b.append('\n');
        table(b, "line", byLine(), false);
        return b.toString();
    }

    private void head(StringBuilder b) {
        double wall = Math.max(1, totals.wall());
        long kernelNanos = kernelNanos();
        b.append(String.format(
                Locale.ROOT,
                "%.1f ms%s on %s, threads: %d; peak memory %.1f MB%n",
                wall * 1e-6,
                totals.steps() == 0 ? "" : String.format(Locale.ROOT, ", steps: %d", totals.steps()),
                machine.device,
                machine.threads,
                totals.peak() / 1e6));
        part(b, "kernels", kernelNanos, wall, "");
        part(b, "launching them", Math.max(0, totals.runs() - kernelNanos), wall, "");
        part(
                b,
                "compiling",
                totals.compile(),
                wall,
                ", programs: " + totals.compiled() + " compiled, " + totals.loaded() + " from the cache on disk");
        part(
                b,
                "all else",
                Math.max(0, totals.wall() - totals.runs() - totals.compile()),
                wall,
                ": tracing, data, Java");
        if (!machine.clock.isEmpty()) b.append("  ").append(machine.clock).append('\n');
        if (machine.peaks.bytesPerSecond() > 0) {
            b.append(String.format(Locale.ROOT, "  measured peaks: %.1f GB/s", machine.peaks.bytesPerSecond() * 1e-9));
            machine.peaks
                    .flops()
                    .forEach((t, f) -> b.append(String.format(Locale.ROOT, ", %s %.0f GFLOP/s", t, f * 1e-9)));
            b.append('\n');
        }
        if (totals.dropped() > 0)
            b.append("  ")
                    .append(totals.dropped())
                    .append(" events are not on the time line: it holds ")
                    .append(Profile.MOST_EVENTS)
                    .append('\n');
        if (totals.partless() > 0)
            b.append("  ")
                    .append(totals.partless())
                    .append(" launches are on the time line without what each worker did: it holds ")
                    .append(Profile.MOST_PARTS)
                    .append(" parts\n");
    }

    private static void part(StringBuilder b, String what, long nanos, double wall, String more) {
        b.append(String.format(
                Locale.ROOT, "  %9.1f ms %5.1f %%  %s%s%n", nanos * 1e-6, 100 * nanos / wall, what, more));
    }

    private void table(StringBuilder b, String what, List<Group> groups, boolean kernels) {
        boolean roof = machine.peaks.bytesPerSecond() > 0;
        double total = Math.max(1, kernelNanos());
        b.append("   calls        ms      %");
        if (kernels) b.append("   us/call    lately   at best");
        b.append("     GB/s  GFLOP/s");
        if (roof) b.append("  roof %");
        b.append("  ").append(what).append('\n');
        for (Group g : groups.subList(0, Math.min(TOP, groups.size()))) {
            b.append(String.format(
                    Locale.ROOT,
                    kernels ? "%8.0f %9.2f %6.1f" : "%8.1f %9.2f %6.1f",
                    g.calls,
                    g.nanos * 1e-6,
                    100 * g.nanos / total));
            if (kernels)
                b.append(String.format(
                        Locale.ROOT,
                        " %9.1f %9.1f %9.1f",
                        g.nanos * 1e-3 / g.calls,
                        g.lately * 1e-3,
                        g.shortest * 1e-3));
            double nanos = Math.max(1, g.nanos);
            b.append(String.format(Locale.ROOT, " %8.1f %8.1f", g.bytes / nanos, g.flops / nanos));
            if (roof) b.append(String.format(Locale.ROOT, " %7.0f", 100 * g.roofline()));
            b.append("  ").append(g.name);
            if (!g.from.isEmpty()) b.append("  [").append(g.from).append(']');
            b.append('\n');
        }
        if (groups.size() > TOP)
            b.append("  … and ").append(groups.size() - TOP).append(" more\n");
    }
}
