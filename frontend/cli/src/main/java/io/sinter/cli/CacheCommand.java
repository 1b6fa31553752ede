// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.Bundle;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.MissLog;
import io.sinter.runtime.cache.Tier;
import io.sinter.runtime.cache.Trust;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.cache.Why;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sinter cache}: looks at and looks after compiled programs on disk. */
@Command(
        name = "cache",
        description = "Look at and look after compiled programs on disk.",
        subcommands = {
            CacheCommand.Ls.class,
            CacheCommand.WhyMissed.class,
            CacheCommand.Verify.class,
            CacheCommand.Prune.class,
            CacheCommand.Export.class,
            CacheCommand.Import.class,
            CacheCommand.Sign.class,
            CacheCommand.Clear.class,
            CacheWarmCommand.class
        })
final class CacheCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing the action: which one?");
    }

    /** Which cache. */
    static final class Where {
        @Option(
                names = "--cache",
                paramLabel = "DIR",
                description = "The folder (default: what SINTER_CACHE says, or sinter in the user's cache home).")
        private String folder;

        /** The folder, made or not. */
        Path folder() {
            Path place = folder != null ? Path.of(folder) : options().folder();
            return place == null ? CacheOptions.defaultFolder() : place;
        }

        static CacheOptions options() {
            try {
                return CacheOptions.fromProperties();
            } catch (IllegalArgumentException e) {
                throw new CommandFailure(e.getMessage(), e);
            }
        }

        Tier open() {
            Path place = folder();
            if (!Files.isDirectory(place)) {
                throw new CommandFailure("no cache at " + place + ": programs run with --cache=" + place + " fill it");
            }
            return make(place);
        }

        Tier openOrMake() {
            return make(folder());
        }

        private static Tier make(Path place) {
            try {
                return Tier.own(place);
            } catch (IOException e) {
                throw new CommandFailure(e.getMessage(), e);
            }
        }
    }

    /** What can be done to a cache. A file that cannot be read or written is told in one line. */
    abstract static class Action implements Runnable {
        @Mixin
        Where where;

        @Spec
        CommandSpec spec;

        /** @param out is flushed afterwards, whatever happens */
        abstract void act(PrintWriter out) throws IOException;

        @Override
        public final void run() {
            PrintWriter out = spec.commandLine().getOut();
            try {
                act(out);
            } catch (IOException e) {
                throw new CommandFailure(e.getMessage() == null ? e.toString() : e.getMessage(), e);
            } finally {
                out.flush();
            }
        }
    }

    private static String size(long bytes) {
        if (bytes < 10_000) return bytes + " B";
        if (bytes < 10_000_000) return String.format(Locale.ROOT, "%.1f kB", bytes / 1e3);
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    private static String age(Instant then) {
        long s = Math.max(0, Duration.between(then, Instant.now()).toSeconds());
        return s < 120 ? s + " s" : s < 7200 ? s / 60 + " min" : s < 172_800 ? s / 3600 + " h" : s / 86_400 + " d";
    }

    /** {@code sinter cache ls}. */
    @Command(
            name = "ls",
            description =
                    "List the entries, the last used first: kind, key, size, last use, what it is, where it was compiled.")
    static final class Ls extends Action {
        @Option(names = "--all", description = "Kernels, too, not programs alone.")
        private boolean all;

        @Override
        void act(PrintWriter out) throws IOException {
            Tier tier = where.open();
            List<Tier.Stored> stored = tier.list();
            long bytes = 0;
            int programs = 0;
            int tuned = 0;
            for (Tier.Stored s : stored.reversed()) {
                bytes += s.bytes();
                if (s.kind() == CacheKey.Kind.PLAN) programs++;
                else if (s.kind() == CacheKey.Kind.TUNING) tuned++;
                else if (!all) continue;
                out.println(line(s));
            }
            out.printf(
                    Locale.ROOT,
                    "%d programs, %s%d kernels, %s in %s%n",
                    programs,
                    tuned == 0 ? "" : tuned + " measured, ",
                    stored.size() - programs - tuned,
                    size(bytes),
                    tier.folder());
        }

        private static String line(Tier.Stored s) throws IOException {
            String what;
            try {
                Entry e = Tier.read(s);
                what = e.name() + " for " + e.key().target() + (e.line().isEmpty() ? "" : " at " + e.line());
            } catch (FormatException e) {
                what = "DAMAGED: " + e.getMessage();
            }
            return String.format(
                    Locale.ROOT,
                    "%-6s  %s  %9s  %6s  %s",
                    s.kind().folder(),
                    Tier.shorten(s.digest()),
                    size(s.bytes()),
                    age(s.used().toInstant()),
                    what);
        }
    }

    /** {@code sinter cache why}. */
    @Command(
            name = "why",
            description =
                    "Say why a program was compiled and not found: which part of its key differs from the nearest stored one. Of an entry of the autotuner: what was measured.")
    static final class WhyMissed extends Action {
        @Parameters(paramLabel = "KEY", description = "The first digits of a program's key, or LAST for the last miss.")
        private String key;

        @Override
        void act(PrintWriter out) throws IOException {
            Tier tier = where.open();
            String wanted = key;
            if (key.equalsIgnoreCase("LAST")) {
                List<MissLog.Miss> misses = MissLog.read(tier.folder());
                if (misses.isEmpty()) {
                    out.println("no miss is on record");
                    return;
                }
                MissLog.Miss last = misses.getLast();
                wanted = last.digest();
                out.printf(
                        Locale.ROOT,
                        "%s missed %s ago%s%n",
                        Tier.shorten(wanted),
                        age(last.time()),
                        last.line().isEmpty() ? "" : ", at " + last.line());
            }
            String prefix = wanted.toLowerCase(Locale.ROOT);
            if (measured(tier, prefix, out)) return;
            List<Why.Candidate> programs = Why.programs(tier);
            List<Why.Candidate> found = programs.stream()
                    .filter(c -> c.stored().digest().startsWith(prefix))
                    .toList();
            if (found.isEmpty()) {
                throw new CommandFailure("no program " + key + " is stored: compiling it failed, or it was evicted");
            }
            if (found.size() > 1) throw new CommandFailure(found.size() + " programs begin with " + key);
            Entry missed = found.getFirst().entry();
            out.printf(
                    Locale.ROOT,
                    "%s for %s, %s%n",
                    missed.name(),
                    missed.key().target(),
                    missed.key().numerics());
            for (String line : Why.explain(missed, programs)) out.println(line);
            if (!missed.key().numerics().contains("tuned")) return;
            for (Tier.Stored s : tier.list()) {
                if (s.kind() != CacheKey.Kind.TUNING) continue;
                Entry e = Tier.read(s);
                if (e.key().content().equals(missed.key().content())) show(e, out);
            }
        }

        /** Shows what was measured of a program, if the digits are of such an entry. */
        private static boolean measured(Tier tier, String prefix, PrintWriter out) throws IOException {
            for (Tier.Stored s : tier.list()) {
                if (s.kind() != CacheKey.Kind.TUNING || !s.digest().startsWith(prefix)) continue;
                show(Tier.read(s), out);
                return true;
            }
            return false;
        }

        private static void show(Entry measured, PrintWriter out) {
            out.printf(Locale.ROOT, "measured on %s: %s%n", measured.key().target(), measured.name());
            Tuning.read(measured.payload()).lines().forEach(out::println);
        }
    }

    /** {@code sinter cache verify}. */
    @Command(name = "verify", description = "Read every entry and check it; fails if one is damaged.")
    static final class Verify extends Action {
        @Override
        void act(PrintWriter out) throws IOException {
            Tier tier = where.open();
            int good = 0;
            List<String> bad = new ArrayList<>();
            for (Tier.Stored s : tier.list()) {
                try {
                    Entry e = Tier.read(s);
                    if (s.kind() == CacheKey.Kind.PLAN) {
                        StoredPlan.read(e.payload());
                        e.text();
                    }
                    if (s.kind() == CacheKey.Kind.TUNING) Tuning.read(e.payload());
                    good++;
                } catch (FormatException e) {
                    bad.add(s.file() + ": " + e.getMessage());
                }
            }
            for (String b : bad) out.println(b);
            out.printf(Locale.ROOT, "%d entries are sound, %d are damaged%n", good, bad.size());
            if (!bad.isEmpty()) {
                throw new CommandFailure("damaged entries are misses, and are set aside when they are met");
            }
        }
    }

    /** {@code sinter cache prune}. */
    @Command(name = "prune", description = "Remove the entries that were longest not used, until the rest fits.")
    static final class Prune extends Action {
        @Option(
                names = "--max-size",
                paramLabel = "BYTES",
                description = "Such as 500M (default: what SINTER_CACHE_MAX says, or 2G).")
        private String maxSize;

        @Override
        void act(PrintWriter out) throws IOException {
            long max;
            try {
                max = maxSize == null ? CacheOptions.fromProperties().maxBytes() : CacheOptions.bytes(maxSize);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), e.getMessage(), e);
            }
            long removed = where.open().prune(max);
            out.println(size(removed) + " removed");
        }
    }

    /** {@code sinter cache export}. */
    @Command(name = "export", description = "Write all entries to one file, for other machines.")
    static final class Export extends Action {
        @Parameters(paramLabel = "FILE", description = "The bundle to write.")
        private Path file;

        @Option(
                names = "--sign",
                paramLabel = "KEY",
                description = "File with an Ed25519 private key in PEM form (openssl genpkey -algorithm ed25519).")
        private Path key;

        @Override
        void act(PrintWriter out) throws IOException {
            PrivateKey signer = key == null ? null : Trust.privateKey(key);
            report(out, "exported", Bundle.export(where.open(), file, signer));
        }
    }

    private static void report(PrintWriter out, String what, Bundle.Summary s) {
        out.printf(
                Locale.ROOT,
                "%d entries %s, %s, %s%n",
                s.entries(),
                what,
                size(s.bytes()),
                s.signed() ? "signed" : "not signed");
    }

    /** {@code sinter cache import}. */
    @Command(
            name = "import",
            description =
                    "Put the entries of a bundle into the cache. They are code: the bundle must be signed by somebody trusted.")
    static final class Import extends Action {
        @Parameters(paramLabel = "FILE", description = "The bundle to read.")
        private Path file;

        @Option(
                names = "--trusted",
                paramLabel = "KEYS",
                description = "File of public keys in PEM form (default: what SINTER_CACHE_TRUSTED says).")
        private Path trusted;

        @Option(
                names = "--unsigned",
                description =
                        "Take a bundle without a trusted signature: whoever made it can run any code as this user.")
        private boolean unsigned;

        @Override
        void act(PrintWriter out) throws IOException {
            Path keys = trusted != null ? trusted : Where.options().trusted();
            Trust trust = unsigned ? null : keys == null ? Trust.NOBODY : new Trust(Trust.keys(keys), false);
            report(out, "imported", Bundle.load(file, where.openOrMake(), trust));
        }
    }

    /** {@code sinter cache sign}. */
    @Command(
            name = "sign",
            description = "Sign the entries of a folder, so that other users can read it as their shared tier.")
    static final class Sign extends Action {
        @Parameters(paramLabel = "KEY", description = "File with an Ed25519 private key in PEM form.")
        private Path key;

        @Override
        void act(PrintWriter out) throws IOException {
            report(out, "signed", Bundle.sign(where.open(), Trust.privateKey(key)));
        }
    }

    /** {@code sinter cache clear}. */
    @Command(name = "clear", description = "Remove all entries.")
    static final class Clear extends Action {
        @Override
        void act(PrintWriter out) throws IOException {
            where.open().clear();
        }
    }
}
