// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.GeneratedClass;
import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.jvm.Options;
import io.sinter.codegen.jvm.SharedClass;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/** Makes kernels callable: their classes, and those that they share, come from the cache on disk, or are generated and stored there. */
final class JvmCode implements SharedClass.Store, JvmKernels.Maker {
    private final Options options;
    private final Counters counters;
    /** Gives null for no cache. */
    private final Supplier<DiskCache> disk;

    JvmCode(Options options, Counters counters, Supplier<DiskCache> disk) {
        this.options = options;
        this.counters = counters;
        this.disk = disk;
    }

    /**
     * The code of a kernel.
     *
     * @param name of its structure, see {@link StoredPlan}
     */
    @Override
    public JvmKernel make(Kernel kernel, String name) {
        DiskCache cache = disk.get();
        if (cache == null) return JvmCodegen.define(generate(kernel));
        CacheKey key = key(name);
        return cache.get(key, null, entry -> load(entry, JvmCodegen::check, JvmCodegen::define), () -> {
            GeneratedClass made = generate(kernel);
            return new DiskCache.Made<>(JvmCodegen.define(made), entry(key, kernel.name(), made));
        });
    }

    /** The code of a kernel, if it is stored; else null. */
    @Override
    public JvmKernel load(String name) {
        DiskCache cache = disk.get();
        if (cache == null) return null;
        return cache.find(key(name), entry -> load(entry, JvmCodegen::check, JvmCodegen::define));
    }

    @Override
    public <T> T get(SharedClass<T> shared) {
        DiskCache cache = disk.get();
        if (cache == null) return shared.define(shared.generate());
        CacheKey key = key(shared);
        return cache.get(key, null, entry -> load(entry, shared::check, shared::define), () -> {
            GeneratedClass made = shared.generate();
            return new DiskCache.Made<>(shared.define(made), entry(key, shared.name(), made));
        });
    }

    @Override
    public <T> T find(SharedClass<T> shared) {
        DiskCache cache = disk.get();
        if (cache == null) return null;
        return cache.find(key(shared), entry -> load(entry, shared::check, shared::define));
    }

    private CacheKey key(SharedClass<?> shared) {
        return key(Sha256.hex(shared.name().getBytes(StandardCharsets.UTF_8)));
    }

    private CacheKey key(String content) {
        return new CacheKey(CacheKey.Kind.CLASS, Targets.jvmBuild(), Targets.jvm(options), CacheKey.STRICT, content);
    }

    private static Entry entry(CacheKey key, String name, GeneratedClass made) {
        byte[] payload =
                new ByteWriter().text(made.className()).bytes(made.bytes()).toBytes();
        return new Entry(key, name, "", new byte[0], payload);
    }

    private static GeneratedClass read(Entry entry) {
        ByteReader in = new ByteReader(entry.payload());
        GeneratedClass stored = new GeneratedClass(in.text(), in.bytes());
        in.end();
        return stored;
    }

    /** @throws FormatException if the entry is no class that generators write */
    static void check(Entry entry) {
        JvmCodegen.checkAny(read(entry));
    }

    private GeneratedClass generate(Kernel kernel) {
        return Events.generated(kernel.name(), counters.generated, () -> JvmCodegen.generate(kernel, options));
    }

    /** Without the package, which all share: the recorder writes texts character by character. */
    private static String simpleName(GeneratedClass stored) {
        return stored.className().substring(stored.className().lastIndexOf('/') + 1);
    }

    /** A stored class, verified and defined. */
    private static <T> T load(Entry entry, Consumer<GeneratedClass> check, Function<GeneratedClass, T> make) {
        GeneratedClass stored = read(entry);
        Events.Verify verify = FlightRecorder.isInitialized() ? new Events.Verify() : null;
        if (verify != null) verify.begin();
        check.accept(stored);
        if (verify != null) {
            verify.name = simpleName(stored);
            verify.commit();
        }
        Events.Define define = FlightRecorder.isInitialized() ? new Events.Define() : null;
        if (define != null) define.begin();
        try {
            T kernel = make.apply(stored);
            if (define != null) {
                define.name = simpleName(stored);
                define.commit();
            }
            return kernel;
        } catch (IllegalStateException e) {
            throw new FormatException("the JVM rejects the class: " + e.getCause(), e);
        }
    }
}
