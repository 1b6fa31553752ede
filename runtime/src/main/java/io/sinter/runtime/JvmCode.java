// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.GeneratedClass;
import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.jvm.Options;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/** Makes kernels callable: their classes come from the cache on disk, or are generated and stored there. */
final class JvmCode {
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
    JvmKernel make(Kernel kernel, String name) {
        DiskCache cache = disk.get();
        if (cache == null) return JvmCodegen.define(generate(kernel));
        CacheKey key =
                new CacheKey(CacheKey.Kind.CLASS, Targets.jvmBuild(), Targets.jvm(options), CacheKey.STRICT, name);
        return cache.get(key, null, JvmCode::load, () -> {
            GeneratedClass made = generate(kernel);
            byte[] payload =
                    new ByteWriter().text(made.className()).bytes(made.bytes()).toBytes();
            Entry entry = new Entry(key, kernel.name(), "", new byte[0], payload);
            return new DiskCache.Made<>(JvmCodegen.define(made), entry);
        });
    }

    private GeneratedClass generate(Kernel kernel) {
        return Events.generated(kernel.name(), counters.generated, () -> JvmCodegen.generate(kernel, options));
    }

    /** A stored class, verified and defined. */
    private static JvmKernel load(Entry entry) {
        ByteReader in = new ByteReader(entry.payload());
        GeneratedClass stored = new GeneratedClass(in.text(), in.bytes());
        in.end();
        Events.Verify verify = FlightRecorder.isInitialized() ? new Events.Verify() : null;
        if (verify != null) verify.begin();
        JvmCodegen.check(stored);
        if (verify != null) {
            verify.name = stored.className();
            verify.commit();
        }
        Events.Define define = FlightRecorder.isInitialized() ? new Events.Define() : null;
        if (define != null) define.begin();
        try {
            JvmKernel kernel = JvmCodegen.define(stored);
            if (define != null) {
                define.name = stored.className();
                define.commit();
            }
            return kernel;
        } catch (IllegalStateException e) {
            throw new FormatException("the JVM rejects the class: " + e.getCause(), e);
        }
    }
}
