// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxParser;

/**
 * A GPU without a GPU: memory, modules of PTX text, and launches that run to their end before they return. Faults of kernels are found and
 * end the launch with a {@link SimFault}. Not for several threads at once.
 */
public final class SimDevice {
    private final SimOptions options;
    private final DeviceMemory memory = new DeviceMemory();
    private long instructions;

    public SimDevice(SimOptions options) {
        this.options = options;
    }

    public DeviceMemory memory() {
        return memory;
    }

    /**
     * Loads a module: allocates and fills its variables, and translates its kernels when they are first asked for.
     *
     * @throws PtxException if the text is malformed or beyond what is simulated
     */
    public SimModule load(String ptx) {
        return load(PtxParser.parse(ptx));
    }

    /** Loads a module whose text has been parsed before. */
    public SimModule load(PtxParser.Result parsed) {
        return new SimModule(parsed, memory);
    }

    /**
     * Runs a kernel.
     *
     * @param dynamicShared bytes of dynamic shared memory
     * @param parameters the parameter block: each parameter at a multiple of its alignment
     * @throws SimFault if the launch does not fit the kernel, or the kernel has a fault
     */
    public void launch(SimModule.Entry kernel, Dim3 grid, Dim3 block, int dynamicShared, byte[] parameters) {
        launch(kernel, grid, block, dynamicShared, parameters, options);
    }

    /** As {@link #launch(SimModule.Entry, Dim3, Dim3, int, byte[])}, with other options than the device's. */
    public void launch(
            SimModule.Entry kernel, Dim3 grid, Dim3 block, int dynamicShared, byte[] parameters, SimOptions with) {
        Store block0 = kernel.check(grid, block, dynamicShared, parameters);
        Grid g = new Grid(kernel.program(), with, memory, grid, block, dynamicShared, block0);
        try {
            g.run();
        } finally {
            instructions += g.instructions();
        }
    }

    /** Instructions that warps have executed so far, in all launches. */
    public long instructions() {
        return instructions;
    }
}
