// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.PtxKernel;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The kernels that are loaded into a GPU, by their structure. */
final class PtxModules {
    /** A kernel that can be launched. */
    record Loaded(GpuDriver.Function function, LaunchRule rule) {}

    private final GpuDriver driver;
    private final Counters counters;
    private final Map<String, Loaded> kernels = new HashMap<>();

    PtxModules(GpuDriver driver, Counters counters) {
        this.driver = driver;
        this.counters = counters;
    }

    /** The kernel's code, generated and loaded when first asked for. */
    synchronized Loaded get(Kernel kernel) {
        return kernels.computeIfAbsent(KernelText.structure(kernel), _ -> {
            String entry = "k" + kernels.size() + "_" + PtxCodegen.identifier(kernel.name());
            PtxKernel code = PtxCodegen.generate(kernel, entry, 1);
            String text = PtxCodegen.module(Target.SM_80, List.of(code)).toString();
            counters.generated.increment();
            return new Loaded(driver.load(text).function(entry), code.rule());
        });
    }
}
