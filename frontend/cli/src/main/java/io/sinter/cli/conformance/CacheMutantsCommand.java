// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.Device;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.Tier;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sinter conformance cache-mutants}: damages cache entries and runs the programs that they are of. Each must be a miss or give the right result.
 *
 * <p>Four kinds in turn: bytes changed; cut short; bytes outside of the payload changed and the checksum made right again; bytes of a plan or of measured
 * choices changed and the checksum made right again. A plan is code, so that one is read and checked, and not run: it must be refused or fit together.
 * Changed choices are run: those that are none must be made again. Code of kernels is cut short with a right checksum.
 */
@Command(name = "cache-mutants", description = "Damage cache entries; each must be a miss or give the right result.")
public final class CacheMutantsCommand implements Callable<Integer> {
    private static final int PROGRAMS = 6;

    /** Whose plans, classes, PTX and measured choices are damaged. */
    private static final List<Device> DEVICES = List.of(Device.JVM, Device.PTX_SIM);

    /** How long forms are measured: every choice that is lost is made again. */
    private static final Duration BUDGET = Duration.ofMillis(2);

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Damaged entries (default: ${DEFAULT-VALUE}).",
            defaultValue = "10000")
    private int count;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Chooses the damage (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private long seed;

    @Spec
    private CommandSpec spec;

    private int misses;
    private int right;
    private int refused;
    private final List<String> failures = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        // A warning for each of the damaged entries, and a line for each program that is measured.
        List<Logger> logs = List.of(Logger.getLogger("io.sinter.cache"), Logger.getLogger("io.sinter.autotune"));
        List<Optional<Level>> before =
                logs.stream().map(l -> Optional.ofNullable(l.getLevel())).toList();
        for (Logger l : logs) l.setLevel(Level.OFF);
        Path folder = Files.createTempDirectory("sinter-mutants");
        try {
            run(folder.resolve("cache"), out);
        } finally {
            for (int i = 0; i < logs.size(); i++)
                logs.get(i).setLevel(before.get(i).orElse(null));
            Tier.remove(folder);
        }
        for (String f : failures.subList(0, Math.min(20, failures.size()))) out.println("FAILED  " + f);
        long peak = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(p -> p.getType() == MemoryType.HEAP)
                .map(MemoryPoolMXBean::getPeakUsage)
                .mapToLong(u -> u.getUsed())
                .sum();
        out.printf(
                Locale.ROOT,
                "%d damaged entries: %d misses, %d right results, %d plans refused or sound, %d failures; heap at most %d MB%n",
                count,
                misses,
                right,
                refused,
                failures.size(),
                peak >> 20);
        out.flush();
        return failures.isEmpty() ? 0 : 1;
    }

    /**
     * A program on a device, and what it must give.
     *
     * @param tuned whether its kernels' forms are chosen by measuring: another choice, also one that damage has made, may round differently
     */
    private record Case(Device device, boolean tuned, int program, double[] expected) {
        private static final double ROUNDING = 1e-5;

        Session open(Path cache) {
            Session s = CachePrograms.open(device, cache);
            if (tuned) s.autotune(BUDGET);
            return s;
        }

        /** What is wrong with its result in the current session, or null. */
        String check() {
            return CachePrograms.check(program, expected, tuned ? ROUNDING : 0);
        }
    }

    private void run(Path cache, PrintWriter out) throws IOException {
        List<Case> cases = new ArrayList<>();
        for (Device device : DEVICES) {
            double[][] expected = CachePrograms.expected(device, PROGRAMS);
            for (boolean tuned : new boolean[] {false, true}) {
                for (int n = 0; n < PROGRAMS; n++) cases.add(new Case(device, tuned, n, expected[n]));
            }
        }
        // For each program its entries: damaging those that it needs, not others.
        List<List<Tier.Stored>> entries = new ArrayList<>();
        Tier tier = Tier.own(cache);
        for (Case c : cases) {
            tier.clear();
            try (Session s = c.open(cache);
                    var _ = s.use()) {
                CachePrograms.run(c.program);
            }
            entries.add(tier.list());
        }
        tier.clear();
        for (Case c : cases) {
            try (Session s = c.open(cache);
                    var _ = s.use()) {
                CachePrograms.run(c.program);
            }
        }
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            int which = random.nextInt(cases.size());
            List<Tier.Stored> of = entries.get(which);
            Tier.Stored victim = of.get(random.nextInt(of.size()));
            byte[] whole = Files.readAllBytes(victim.file());
            mutant(cache, cases.get(which), victim, whole, i % 4, random, "mutant " + i);
            // As it was, whatever became of it.
            Files.createDirectories(victim.file().getParent());
            Files.write(victim.file(), whole);
            if (i % 1000 == 999) {
                out.println((i + 1) + " of " + count);
                out.flush();
            }
        }
    }

    private void mutant(Path cache, Case of, Tier.Stored victim, byte[] whole, int kind, Random random, String what)
            throws IOException {
        int payload = Entry.payloadStart(whole);
        int end = whole.length - 4;
        byte[] damaged =
                switch (kind) {
                    case 0 -> change(whole, 0, whole.length, random);
                    case 1 -> Arrays.copyOf(whole, random.nextInt(whole.length));
                    case 2 -> Entry.sealed(change(whole, 0, payload, random));
                    default -> Entry.sealed(change(whole, payload, end, random));
                };
        boolean choices = victim.kind() == CacheKey.Kind.TUNING;
        if (kind == 3 && !choices && victim.kind() != CacheKey.Kind.PLAN) {
            // Code of a kernel is left alone: this one is cut short, with a checksum that is right for what is left.
            damaged = Entry.sealed(Arrays.copyOf(whole, 8 + random.nextInt(whole.length - 8)));
        } else if (kind == 3 && !choices) {
            try {
                StoredPlan.read(Arrays.copyOfRange(damaged, payload, end));
            } catch (FormatException e) {
                if (e.getMessage() == null) failures.add(what + ": a refusal without a reason");
            } catch (RuntimeException | StackOverflowError e) {
                failures.add(what + ": " + e);
            }
            refused++;
            return;
        }
        Files.write(victim.file(), damaged);
        try (Session s = of.open(cache);
                var _ = s.use()) {
            String problem = of.check();
            if (problem != null) failures.add(what + " (kind " + kind + ", " + victim.kind() + "): " + problem);
            else if (s.counters().cache().misses() > 0) misses++;
            else right++;
        } catch (UncheckedIOException e) {
            failures.add(what + ": " + e);
        }
    }

    private static byte[] change(byte[] whole, int from, int to, Random random) {
        byte[] bytes = whole.clone();
        for (int k = 1 + random.nextInt(4); k > 0; k--) {
            bytes[from + random.nextInt(to - from)] =
                    (byte) (random.nextInt(3) == 0 ? (random.nextBoolean() ? 0xff : 0) : random.nextInt());
        }
        return bytes;
    }
}
