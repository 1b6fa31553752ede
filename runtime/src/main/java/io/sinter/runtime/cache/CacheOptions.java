// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

/**
 * Where compiled programs are kept between processes. A setting is a system property, or else an environment variable; paths in the table are
 * folders unless they say otherwise.
 *
 * <pre>
 * sinter.cache           SINTER_CACHE           the user's own tier; empty or "on": the default folder; "off": none
 * sinter.cache.shared    SINTER_CACHE_SHARED    a tier that is only read, searched second
 * sinter.cache.max       SINTER_CACHE_MAX       most bytes of the own tier: 2G, 500M (default 2G)
 * sinter.cache.trusted   SINTER_CACHE_TRUSTED   file of public keys in PEM form whose signatures are believed
 * sinter.cache.foreign   SINTER_CACHE_FOREIGN   "trust": run entries of a shared folder that other users may write to, without a signature.
 *                                               Whoever can write there can then run any code as this user
 * sinter.cache.warm      SINTER_CACHE_WARM      GPU architectures (sm_90a,sm_80): whatever is compiled here is compiled for these, too, and kept
 * </pre>
 *
 * @param folder the user's own tier, or null for none
 * @param shared a tier that is only read, or null
 * @param maxBytes most bytes of the own tier
 * @param trusted file of public keys, or null
 * @param foreign believe a shared folder that other users may write to
 * @param warm GPU architectures that programs are compiled for besides the session's device, as long as there is a folder
 */
public record CacheOptions(Path folder, Path shared, long maxBytes, Path trusted, boolean foreign, List<String> warm) {
    public static final long DEFAULT_MAX_BYTES = 2L << 30;

    /** No cache on disk. */
    public static final CacheOptions NONE = new CacheOptions(null, null, DEFAULT_MAX_BYTES, null, false, List.of());

    public CacheOptions {
        warm = List.copyOf(warm);
        if (maxBytes < 0) throw new IllegalArgumentException("sinter.cache.max must not be negative");
    }

    /** What the system properties and the environment ask for. */
    public static CacheOptions fromProperties() {
        return of(System.getProperties(), System.getenv());
    }

    static CacheOptions of(Properties properties, Map<String, String> environment) {
        String folder = setting(properties, environment, "sinter.cache");
        String shared = setting(properties, environment, "sinter.cache.shared");
        String max = setting(properties, environment, "sinter.cache.max");
        String trusted = setting(properties, environment, "sinter.cache.trusted");
        String foreign = setting(properties, environment, "sinter.cache.foreign");
        String warm = setting(properties, environment, "sinter.cache.warm");
        if (foreign != null && !foreign.isEmpty() && !foreign.equals("trust")) {
            throw new IllegalArgumentException(
                    "sinter.cache.foreign (SINTER_CACHE_FOREIGN) may be 'trust', not '" + foreign + "'");
        }
        return new CacheOptions(
                folder == null ? null : folder(folder, properties, environment),
                shared == null || shared.isEmpty() ? null : path(shared),
                max == null || max.isEmpty() ? DEFAULT_MAX_BYTES : maxBytes(max),
                trusted == null || trusted.isEmpty() ? null : path(trusted),
                "trust".equals(foreign),
                warm == null || warm.isBlank()
                        ? List.of()
                        : List.of(warm.strip().split("\\s*,\\s*")));
    }

    private static long maxBytes(String text) {
        try {
            return bytes(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("sinter.cache.max (SINTER_CACHE_MAX): " + e.getMessage(), e);
        }
    }

    private static String setting(Properties properties, Map<String, String> environment, String name) {
        String value = properties.getProperty(name);
        return value != null ? value : environment.get(name.replace('.', '_').toUpperCase(Locale.ROOT));
    }

    private static Path folder(String text, Properties properties, Map<String, String> environment) {
        return switch (text) {
            case "off" -> null;
            case "", "on", "true" -> defaultFolder(properties, environment);
            default -> path(text);
        };
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + text + "' is no path: " + e.getMessage(), e);
        }
    }

    /** The folder that the word for "the default folder" means: {@code sinter} in the user's cache home. */
    public static Path defaultFolder() {
        return defaultFolder(System.getProperties(), System.getenv());
    }

    private static Path defaultFolder(Properties properties, Map<String, String> environment) {
        String home = properties.getProperty("user.home", ".");
        String os = properties.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String xdg = environment.get("XDG_CACHE_HOME");
        // The XDG specification: a relative path is to be ignored.
        if (xdg != null && Path.of(xdg).isAbsolute()) return Path.of(xdg, "sinter");
        if (os.contains("mac")) return Path.of(home, "Library", "Caches", "sinter");
        String local = environment.get("LOCALAPPDATA");
        if (os.contains("windows") && local != null) return Path.of(local, "sinter", "cache");
        return Path.of(home, ".cache", "sinter");
    }

    /** A number of bytes: {@code 500M}, {@code 2G}, {@code 4096}. */
    public static long bytes(String text) {
        String t = text.strip().toUpperCase(Locale.ROOT);
        if (t.endsWith("B")) t = t.substring(0, t.length() - 1);
        int shift =
                switch (t.isEmpty() ? ' ' : t.charAt(t.length() - 1)) {
                    case 'K' -> 10;
                    case 'M' -> 20;
                    case 'G' -> 30;
                    case 'T' -> 40;
                    default -> 0;
                };
        try {
            long n = Long.parseLong(shift == 0 ? t : t.substring(0, t.length() - 1));
            if (n < 0 || n > Long.MAX_VALUE >> shift) throw new NumberFormatException();
            return n << shift;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is no number of bytes like 500M or 2G", e);
        }
    }

    public CacheOptions withFolder(Path value) {
        return new CacheOptions(value, shared, maxBytes, trusted, foreign, warm);
    }

    /** With the folder that a command line's {@code --cache=DIR} names: as {@code sinter.cache} does. */
    public CacheOptions withFolder(String text) {
        return withFolder(folder(Objects.requireNonNull(text), System.getProperties(), System.getenv()));
    }

    public CacheOptions withShared(Path value) {
        return new CacheOptions(folder, value, maxBytes, trusted, foreign, warm);
    }

    public CacheOptions withMaxBytes(long value) {
        return new CacheOptions(folder, shared, value, trusted, foreign, warm);
    }

    public CacheOptions withTrusted(Path value) {
        return new CacheOptions(folder, shared, maxBytes, value, foreign, warm);
    }

    /** With programs compiled for these GPU architectures, too. */
    public CacheOptions withWarm(List<String> value) {
        return new CacheOptions(folder, shared, maxBytes, trusted, foreign, value);
    }

    /** Whether anything is looked up on disk. */
    public boolean isOn() {
        return folder != null || shared != null;
    }
}
