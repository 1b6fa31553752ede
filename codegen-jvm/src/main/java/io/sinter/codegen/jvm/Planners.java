// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stencil;
import java.lang.invoke.MethodHandles;
import java.util.List;

/** What describes kernels of products, convolutions and attention, and plans their launches. */
final class Planners {
    private Planners() {}

    /**
     * Loads and initialises all of it. A class costs a third of a millisecond when it is first used, and a network of convolutions uses thirty: that is done where nobody waits, while the
     * first program is traced.
     */
    static void load() {
        MethodHandles.Lookup here = MethodHandles.lookup();
        try {
            for (Class<?> c : List.of(
                    GemmKernel.class,
                    AttentionKernel.class,
                    AttentionKernel.Target.class,
                    Stencil.class,
                    Stencil.Dim.class,
                    Local.class,
                    GemmCode.class,
                    GemmCode.Planned.class,
                    GemmForm.class,
                    GemmForm.Method.class,
                    GemmForm.Side.class,
                    GemmForm.Wide.class,
                    GemmNumbers.class,
                    GemmPlan.class,
                    GemmScratch.class,
                    GemmView.class,
                    GemmView.Direction.class,
                    AttentionCode.class,
                    AttentionPlan.class,
                    AttentionForward.class,
                    AttentionBackward.class,
                    AttentionSteps.class,
                    StencilPlan.class,
                    StencilBlock.class,
                    StencilDots.class,
                    StencilInput.class,
                    StencilPixels.class,
                    StencilStage.class,
                    StencilTaps.class,
                    WinogradPlan.class,
                    WinogradPlan.FilterForm.class,
                    WinogradBlock.class,
                    WinogradGradient.class,
                    WinogradInput.class,
                    WinogradMatrix.class,
                    WinogradMatrix.Key.class,
                    JvmKernel.Demand.class,
                    JvmKernel.Preparation.class)) here.ensureInitialized(c);
        } catch (IllegalAccessException e) {
            throw new AssertionError("classes of this package", e);
        }
        WinogradMatrix.INPUT.map(0); // how a map is made, by the one that is not generated
    }
}
