// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.GeneratedPtx;
import io.sinter.codegen.ptx.RoutineKernel;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;

/** The PTX of kernels: from the cache on disk, or generated and stored there. Needs no GPU. */
final class PtxCode {
    /** Digits of its key in the name of a kernel's entry. */
    private static final int DIGITS = 8;

    private final Target target;
    private final LongAdder generated;
    /** Gives null for no cache. */
    private final Supplier<DiskCache> disk;

    /** @param generated counts kernels that were not found */
    PtxCode(Target target, LongAdder generated, Supplier<DiskCache> disk) {
        this.target = target;
        this.generated = generated;
        this.disk = disk;
    }

    /** What code is generated for. */
    Target target() {
        return target;
    }

    /**
     * A kernel's code, loaded.
     *
     * @param name of its structure, see {@link StoredPlan}
     * @param schedule its form
     * @param load what is done with the code; stored code that it refuses by an {@link IllegalArgumentException} is a miss
     */
    <T> T load(Kernel kernel, String name, Schedule schedule, Function<? super GeneratedPtx, ? extends T> load) {
        CacheKey key = key(name, schedule);
        DiskCache cache = disk.get();
        if (cache == null) return load.apply(generate(kernel, schedule, key));
        return cache.get(key, null, entry -> stored(entry, kernel, load), () -> {
            GeneratedPtx made = generate(kernel, schedule, key);
            Entry entry = new Entry(key, kernel.name(), "", new byte[0], made.toBytes());
            return new DiskCache.Made<>(load.apply(made), entry);
        });
    }

    private CacheKey key(String name, Schedule schedule) {
        return key(new ByteWriter().text(name).raw(GeneratedPtx.bytes(schedule)));
    }

    private CacheKey key(ByteWriter content) {
        return new CacheKey(
                CacheKey.Kind.PTX,
                Targets.ptxBuild(),
                target.toString(),
                CacheKey.STRICT,
                Sha256.hex(content.toBytes()));
    }

    /**
     * A routine's kernel, loaded; its entry has the name {@link #entry}.
     *
     * @param load is given the module's text, and may refuse it, as above
     */
    <T> T load(RoutineKernel kernel, Function<String, ? extends T> load) {
        DiskCache cache = disk.get();
        if (cache == null) return load.apply(generate(kernel));
        CacheKey key = key(new ByteWriter().text("routine").text(kernel.name()));
        return cache.get(
                key, null, entry -> accepted(load, new String(entry.payload(), StandardCharsets.UTF_8)), () -> {
                    String text = generate(kernel);
                    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
                    return new DiskCache.Made<>(
                            load.apply(text), new Entry(key, kernel.name(), "", new byte[0], payload));
                });
    }

    /** The name of the entry of a routine's kernel in its module. */
    static String entry(RoutineKernel kernel) {
        return "r_" + kernel.name();
    }

    private String generate(RoutineKernel kernel) {
        return Events.generated(
                kernel.name(), generated, () -> new PtxModule(target, List.of(kernel.code(entry(kernel)))).toString());
    }

    /** The entry's name has digits of the key, so that kernels of one name can be told apart, and are called alike in every process. */
    private GeneratedPtx generate(Kernel kernel, Schedule schedule, CacheKey key) {
        String entry =
                "k_" + PtxModule.identifier(kernel.name()) + "_" + key.content().substring(0, DIGITS);
        return Events.generated(kernel.name(), generated, () -> GeneratedPtx.of(kernel, schedule, entry, target));
    }

    private static <T> T stored(Entry entry, Kernel kernel, Function<? super GeneratedPtx, ? extends T> load) {
        return accepted(load, GeneratedPtx.read(entry.payload(), kernel));
    }

    private static <C, T> T accepted(Function<? super C, ? extends T> load, C stored) {
        try {
            return load.apply(stored);
        } catch (IllegalArgumentException e) {
            throw new FormatException("the device refuses the PTX: " + e.getMessage(), e);
        }
    }
}
