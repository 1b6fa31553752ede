// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.GeneratedPtx;
import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.RoutineKernel;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.TensorRule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Numerics;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;

/** The kernels that are loaded into a GPU, by their structure. What the driver assembles is kept on disk, too, if there is a cache. */
final class PtxModules {
    /**
     * Code that can be launched.
     *
     * @param tensors of which maps are parameters; then a launch has one block
     * @param next what is launched right after it, with the same parameters; null for nothing
     */
    record Loaded(GpuDriver.Function function, LaunchRule rule, List<TensorRule> tensors, Loaded next) {}

    private record Key(String structure, Schedule schedule) {}

    /** Names an architecture that is older than the GPU's, to generate code for it all the same. */
    static final String TARGET_PROPERTY = "sinter.gpu.target";

    private static final System.Logger LOG = System.getLogger("io.sinter.cache");

    private final GpuDriver driver;
    private final Supplier<DiskCache> disk;
    private final PtxCode code;
    private final Map<Key, Loaded> kernels = new HashMap<>();
    private final Map<RoutineKernel, GpuDriver.Function> routines = new HashMap<>();

    /**
     * @param disk gives null for no cache
     * @throws UnsupportedOperationException if the GPU is older than what code is generated for
     * @throws SettingException if {@code -Dsinter.gpu.target} names what it does not run
     */
    PtxModules(GpuDriver driver, Counters counters, Supplier<DiskCache> disk) {
        this.driver = driver;
        this.disk = disk;
        code = new PtxCode(target(driver), counters.generated, disk);
    }

    /** The best that a GPU runs, unless somebody asks for an older one. */
    private static Target target(GpuDriver driver) {
        GpuDriver.Properties p = driver.properties();
        Target best = Target.forCapability(p.major(), p.minor());
        if (best == null)
            throw new UnsupportedOperationException(p.name() + " has compute capability " + p.major() + "." + p.minor()
                    + "; Sinter needs 8.0 (A100, RTX 30) or later. -Dsinter.device=jvm takes the CPU instead");
        if (best.hasWarpgroupMma() && !driver.hasTensorMaps()) best = Target.SM_90;
        Target asked = askedTarget();
        if (asked == null) return best;
        if (asked.compareTo(best) > 0)
            throw new SettingException(
                    "-D" + TARGET_PROPERTY + "=" + asked + ": " + p.name() + " runs code for " + best + " and older");
        return asked;
    }

    /**
     * The architecture that {@code -Dsinter.gpu.target} names; null if it names none.
     *
     * @throws SettingException if there is none of that name
     */
    static Target askedTarget() {
        return target(TARGET_PROPERTY);
    }

    /** The architecture that a system property names, likewise. */
    static Target target(String property) {
        String name = System.getProperty(property);
        if (name == null) return null;
        try {
            return Target.parse(name);
        } catch (IllegalArgumentException e) {
            throw new SettingException("-D" + property + ": " + e.getMessage(), e);
        }
    }

    /** What code is generated for. */
    Target target() {
        return code.target();
    }

    /**
     * The kernel's code in the form that a launch asks for, generated or found on disk, and loaded, when first asked for.
     *
     * @param name of its structure, see {@link StoredPlan}
     * @param slot what is known of the launch's parameter block: numbers, and of addresses how they are aligned
     * @param form that was chosen for the launch; empty for the one that its numbers ask for
     */
    synchronized Loaded get(Kernel kernel, String name, IntToLongFunction slot, Numerics numerics, String form) {
        Schedule schedule = PtxCodegen.schedule(kernel, slot, target(), numerics, form);
        return kernels.computeIfAbsent(
                new Key(name, schedule), _ -> code.load(kernel, name, schedule, made -> loaded(made, kernel.name())));
    }

    /** The code of a routine's kernel, likewise. */
    synchronized GpuDriver.Function get(RoutineKernel kernel) {
        return routines.computeIfAbsent(
                kernel,
                _ -> code.load(kernel, text -> module(text, kernel.name()).function(PtxCode.entry(kernel))));
    }

    private Loaded loaded(GeneratedPtx made, String name) {
        GpuDriver.LoadedModule module = module(made.text(), name);
        Loaded next = null;
        for (GeneratedPtx.Entry e : made.entries().reversed())
            next = new Loaded(module.function(e.name()), e.rule(), e.tensors(), next);
        return next;
    }

    /** A module of PTX text, assembled in an earlier process if that can be. */
    private GpuDriver.LoadedModule module(String text, String name) {
        DiskCache cache = disk.get();
        if (cache == null || !driver.keepsAssembled()) return driver.load(text);
        GpuDriver.Properties p = driver.properties();
        CacheKey key = new CacheKey(
                CacheKey.Kind.CUBIN,
                p.driver(),
                "compute capability " + p.major() + "." + p.minor(),
                CacheKey.STRICT,
                Sha256.hex(text.getBytes(StandardCharsets.UTF_8)));
        return cache.get(key, null, this::assembled, () -> {
            byte[] assembled;
            try {
                assembled = driver.assemble(text);
            } catch (IllegalArgumentException e) {
                LOG.log(System.Logger.Level.WARNING, "{0} is not stored: {1}", name, e.getMessage());
                return new DiskCache.Made<>(driver.load(text), null);
            }
            Entry entry = new Entry(key, name, "", new byte[0], assembled);
            return new DiskCache.Made<>(driver.load(assembled), entry);
        });
    }

    private GpuDriver.LoadedModule assembled(Entry entry) {
        try {
            return driver.load(entry.payload());
        } catch (IllegalArgumentException e) {
            throw new FormatException("the driver refuses the cubin: " + e.getMessage(), e);
        }
    }
}
