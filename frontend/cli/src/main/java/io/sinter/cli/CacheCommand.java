// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.ir.store.FormatException;
import io.sinter.runtime.Reason;
import io.sinter.runtime.StoredEntries;
import io.sinter.runtime.cache.Bundle;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.MissLog;
import io.sinter.runtime.cache.OtherVersionException;
import io.sinter.runtime.cache.Tier;
import io.sinter.runtime.cache.Trust;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.cache.Uses;
import io.sinter.runtime.cache.Why;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
            if (Files.exists(place) && !Files.isDirectory(place))
                throw new CommandFailure(place + " is a file, not a folder");
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
                throw new CommandFailure(Reason.of(e), e);
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
                throw new CommandFailure(Reason.of(e), e);
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
                    "List the entries, the last used first: kind, key, size, how long ago it was stored and last used, how often it was found, what it is, where it was compiled.")
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
            Map<String, Long> uses = Uses.read(tier.folder());
            out.printf(Locale.ROOT, LINE, "kind", "key", "size", "stored", "used", "hits", "what");
            for (Tier.Stored s : stored.reversed()) {
                bytes += s.bytes();
                if (s.kind() == CacheKey.Kind.PLAN) programs++;
                else if (s.kind() == CacheKey.Kind.TUNING) tuned++;
                else if (!all) continue;
                line(s, Uses.of(s, uses), out);
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

        private static final String LINE = "%-6s  %-12s  %9s  %7s  %7s  %6s  %s%n";

        private static String what(Tier.Stored s) throws IOException {
            try {
                Entry e = Tier.read(s);
                return e.name() + " for " + e.key().target() + (e.line().isEmpty() ? "" : " at " + e.line());
            } catch (OtherVersionException e) {
                return e.getMessage();
            } catch (FormatException e) {
                return "DAMAGED: " + e.getMessage();
            }
        }

        private static void line(Tier.Stored s, long uses, PrintWriter out) throws IOException {
            String what;
            Instant stored;
            try {
                what = what(s);
                stored = s.made().toInstant();
            } catch (NoSuchFileException e) {
                return; // evicted meanwhile
            }
            out.printf(
                    Locale.ROOT,
                    LINE,
                    s.kind().folder(),
                    Tier.shorten(s.digest()),
                    size(s.bytes()),
                    age(stored),
                    age(s.used().toInstant()),
                    uses,
                    what);
        }
    }

    /** {@code sinter cache why}. */
    @Command(
            name = "why",
            description =
                    "Say why a program or a kernel was compiled and not found: which part of its key differs from the nearest stored one. Of an entry of the autotuner: what was measured.")
    static final class WhyMissed extends Action {
        @Parameters(
                paramLabel = "KEY",
                description = "The first digits of an entry's key, or LAST for the last program that missed.")
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
            if (!prefix.matches("[0-9a-f]{1,64}"))
                throw new CommandFailure("'" + key
                        + "' is neither LAST nor the first hexadecimal digits of a key (sinter cache ls --all)");
            List<Tier.Stored> found = tier.list().stream()
                    .filter(s -> s.digest().startsWith(prefix))
                    .toList();
            if (found.isEmpty())
                throw new CommandFailure("no entry " + key + " is stored: compiling it failed, or it was evicted");
            if (found.size() > 1) throw new CommandFailure(found.size() + " entries begin with " + key);
            Entry missed;
            try {
                missed = Tier.read(found.getFirst());
            } catch (FormatException e) {
                throw new CommandFailure(found.getFirst().file() + " is of no use: " + e.getMessage(), e);
            }
            switch (missed.key().kind()) {
                case PLAN -> program(missed, tier, out);
                case TUNING -> show(missed, out);
                case CLASS, PTX, CUBIN -> {
                    out.printf(
                            Locale.ROOT,
                            "code of the kernel %s for %s%n",
                            missed.name(),
                            missed.key().target());
                    for (String line : Why.explainKernel(missed, tier)) out.println(line);
                }
            }
        }

        private static void program(Entry missed, Tier tier, PrintWriter out) throws IOException {
            out.printf(
                    Locale.ROOT,
                    "%s for %s, %s%n",
                    missed.name(),
                    missed.key().target(),
                    missed.key().numerics());
            for (String line : Why.explain(missed, Why.programs(tier))) out.println(line);
            if (!missed.key().numerics().contains("tuned")) return;
            for (Tier.Stored s : tier.list()) {
                if (s.kind() != CacheKey.Kind.TUNING) continue;
                Entry e = Tier.read(s);
                if (e.key().content().equals(missed.key().content())) show(e, out);
            }
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
            int others = 0;
            List<String> bad = new ArrayList<>();
            for (Tier.Stored s : tier.list()) {
                try {
                    StoredEntries.check(Tier.read(s));
                    good++;
                } catch (OtherVersionException e) {
                    others++;
                } catch (NoSuchFileException e) {
                    continue; // evicted meanwhile
                } catch (FormatException e) {
                    bad.add(s.file() + ": " + e.getMessage());
                }
            }
            for (String b : bad) out.println(b);
            out.printf(
                    Locale.ROOT,
                    "%d entries are sound, %s%d are damaged%n",
                    good,
                    others == 0 ? "" : others + " of another version of Sinter, ",
                    bad.size());
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
            if (Files.isDirectory(file)) throw new CommandFailure(file + " is a folder: name a file in it");
            Path parent = file.toAbsolutePath().getParent();
            if (!Files.isDirectory(parent)) throw new CommandFailure("no folder " + parent);
            report(out, "exported", Bundle.export(where.open(), file, signer));
        }
    }

    private static void report(PrintWriter out, String what, Bundle.Summary s) {
        out.printf(
                Locale.ROOT,
                "%d entries %s, %s, %s%s%n",
                s.entries(),
                what,
                size(s.bytes()),
                s.signed() ? "signed" : "not signed",
                s.leftOut() == 0
                        ? ""
                        : "; " + s.leftOut() + " left out, which are damaged or of another version of Sinter");
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
            CacheOptions options = Where.options();
            Path keys = trusted != null ? trusted : options.trusted();
            Trust trust = unsigned ? null : keys == null ? Trust.NOBODY : new Trust(Trust.keys(keys), false);
            Tier tier = where.openOrMake();
            report(out, "imported", Bundle.load(file, tier, trust));
            long removed = tier.prune(options.maxBytes());
            if (removed > 0) out.println(size(removed) + " removed, so that the rest fits (SINTER_CACHE_MAX)");
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
