// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import java.util.List;
import java.util.TreeMap;

/** Loop IR to PTX. */
public final class PtxCodegen {
    private PtxCodegen() {}

    /**
     * The PTX of a kernel.
     *
     * @param entry its name in the module: letters, digits and underscores
     * @param file number of its listing among the module's files
     */
    public static PtxKernel generate(Kernel kernel, String entry, int file) {
        return switch (kernel) {
            case LoopKernel k -> new LoopEmitter(k, entry, file).emit();
            case GemmKernel k -> new GemmEmitter(k, entry, file).emit();
            case AttentionKernel k ->
                throw new UnsupportedOperationException(k.name() + ": attention has no PTX template yet");
        };
    }

    /** Whether kernels are generated for a composite as a whole; others are to be decomposed. */
    public static boolean hasTemplate(Op op) {
        return switch (op) {
            case Matmul _, Conv _, ConvInputGrad _, ConvWeightGrad _ -> true;
            default -> false;
        };
    }

    /** A module of kernels, whose files are numbered from 1 in their order. */
    public static PtxModule module(Target target, List<PtxKernel> kernels) {
        TreeMap<Integer, String> files = new TreeMap<>();
        for (int i = 0; i < kernels.size(); i++) files.put(i + 1, kernels.get(i).name() + ".loop");
        return new PtxModule(
                Target.VERSION,
                target.toString(),
                files,
                List.of(),
                kernels.stream().map(PtxKernel::code).toList());
    }

    /** A name as PTX allows it. */
    public static String identifier(String name) {
        return name.replaceAll("[^A-Za-z0-9_]", "_");
    }
}
