// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.PtxKernel;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.TensorRule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;

/** The kernels that are loaded into a GPU, by their structure. */
final class PtxModules {
    /**
     * Code that can be launched.
     *
     * @param tensors of which maps are parameters; then a launch has one block
     * @param next what is launched right after it, with the same parameters; null for nothing
     */
    record Loaded(GpuDriver.Function function, LaunchRule rule, List<TensorRule> tensors, Loaded next) {}

    private record Key(String structure, Schedule schedule) {}

    private final GpuDriver driver;
    private final Counters counters;
    private final Target target;
    private final Map<Key, Loaded> kernels = new HashMap<>();

    /** @throws UnsupportedOperationException if the GPU is older than what code is generated for */
    PtxModules(GpuDriver driver, Counters counters) {
        this.driver = driver;
        this.counters = counters;
        GpuDriver.Properties p = driver.properties();
        Target best = Target.forCapability(p.major(), p.minor());
        if (best == null)
            throw new UnsupportedOperationException(p.name() + " has compute capability " + p.major() + "." + p.minor()
                    + "; Sinter needs 8.0 (A100, RTX 30) or later. -Dsinter.device=jvm takes the CPU instead");
        target = best.hasWarpgroupMma() && !driver.hasTensorMaps() ? Target.SM_90 : best;
    }

    /** What code is generated for. */
    Target target() {
        return target;
    }

    /**
     * The kernel's code in the form that a launch asks for, generated and loaded when first asked for.
     *
     * @param slot what is known of the launch's parameter block: numbers, and of addresses how they are aligned
     */
    synchronized Loaded get(Kernel kernel, IntToLongFunction slot, MatmulPrecision precision) {
        Schedule schedule = PtxCodegen.schedule(kernel, slot, target, precision);
        return kernels.computeIfAbsent(new Key(KernelText.structure(kernel), schedule), _ -> {
            String entry = "k" + kernels.size() + "_" + PtxCodegen.identifier(kernel.name());
            PtxKernel code = PtxCodegen.generate(kernel, schedule, entry, 1);
            GpuDriver.LoadedModule module =
                    driver.load(PtxCodegen.module(target, List.of(code)).toString());
            counters.generated.increment();
            return loaded(module, code);
        });
    }

    private static Loaded loaded(GpuDriver.LoadedModule module, PtxKernel code) {
        if (code == null) return null;
        return new Loaded(module.function(code.name()), code.rule(), code.tensors(), loaded(module, code.next()));
    }
}
