// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.cache.CacheOptions;
import java.lang.management.ManagementFactory;
import java.util.Objects;

/**
 * What a {@link Session} is opened with.
 *
 * @param device where tensors live unless told otherwise; system property {@code sinter.device}, default the best there is
 * @param threads threads that kernels run on, the caller among them; {@code sinter.threads}, default the number of processors
 * @param backend how programs are executed; {@code sinter.backend}
 * @param memoryLimit most bytes of tensors' memory, caches included; {@code sinter.memory}, default 80 % of the machine's (or container's)
 * @param cachedPrograms number of compiled programs that are kept in memory; {@code sinter.programs}, default 1,000
 * @param cache where compiled programs are kept on disk, if anywhere; {@code sinter.cache} and others
 * @param checks what is checked of programs when they run; {@code sinter.nan}, {@code sinter.check}
 */
public record Options(
        Device device,
        int threads,
        Backend backend,
        long memoryLimit,
        int cachedPrograms,
        CacheOptions cache,
        Checks checks) {
    /** How programs are executed. */
    public enum Backend {
        /** Fused kernels, as code generated for the device. The default. */
        GENERATED,
        /** Fused kernels, interpreted, with every access checked: slow, for checks of the compiler. */
        INTERPRETED,
        /** The operators' plain definitions, one after the other: slow, obviously right, for checks. */
        REFERENCE;

        static Backend parse(String name) {
            return switch (name) {
                case "generated" -> GENERATED;
                case "interpreted" -> INTERPRETED;
                case "reference" -> REFERENCE;
                default ->
                    throw new IllegalArgumentException("unknown backend '" + name
                            + "' in sinter.backend; known: generated, interpreted, reference");
            };
        }
    }

    public Options {
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(cache, "cache");
        Objects.requireNonNull(checks, "checks");
        if (threads < 1) throw new IllegalArgumentException("sinter.threads must be at least 1, not " + threads);
        if (memoryLimit < 1) throw new IllegalArgumentException("sinter.memory must be positive, not " + memoryLimit);
        if (cachedPrograms < 1) {
            throw new IllegalArgumentException("sinter.programs must be at least 1, not " + cachedPrograms);
        }
    }

    /**
     * The options that the system properties, and for the cache the environment, ask for.
     *
     * @throws SettingException if one of them says what it cannot say
     */
    public static Options fromProperties() {
        try {
            return read();
        } catch (IllegalArgumentException e) {
            throw new SettingException(e);
        }
    }

    private static Options read() {
        String device = System.getProperty("sinter.device");
        return new Options(
                device == null ? Device.best() : Device.parse(device),
                (int) Math.min(number("sinter.threads", Runtime.getRuntime().availableProcessors()), Integer.MAX_VALUE),
                Backend.parse(System.getProperty("sinter.backend", "generated")),
                number("sinter.memory", defaultMemory()),
                (int) Math.min(number("sinter.programs", 1_000), Integer.MAX_VALUE),
                CacheOptions.fromProperties(),
                Checks.fromProperties());
    }

    public Options withDevice(Device value) {
        return new Options(value, threads, backend, memoryLimit, cachedPrograms, cache, checks);
    }

    public Options withThreads(int value) {
        return new Options(device, value, backend, memoryLimit, cachedPrograms, cache, checks);
    }

    public Options withBackend(Backend value) {
        return new Options(device, threads, value, memoryLimit, cachedPrograms, cache, checks);
    }

    public Options withMemoryLimit(long value) {
        return new Options(device, threads, backend, value, cachedPrograms, cache, checks);
    }

    public Options withCachedPrograms(int value) {
        return new Options(device, threads, backend, memoryLimit, value, cache, checks);
    }

    public Options withCache(CacheOptions value) {
        return new Options(device, threads, backend, memoryLimit, cachedPrograms, value, checks);
    }

    public Options withChecks(Checks value) {
        return new Options(device, threads, backend, memoryLimit, cachedPrograms, cache, value);
    }

    private static long number(String property, long otherwise) {
        String text = System.getProperty(property);
        if (text == null) return otherwise;
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("-D" + property + "=" + text + " is not a number", e);
        }
    }

    // The Java heap comes on top of this; four fifths of the machine leave room for it and for the system.
    private static long defaultMemory() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os
                ? os.getTotalMemorySize() / 5 * 4
                : Long.MAX_VALUE;
    }
}
