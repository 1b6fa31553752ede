// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.PtxKernel;
import io.sinter.codegen.ptx.RoutineKernel;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernels of the whole operator table, forward and gradient, through NVIDIA's assembler in both of its forms, hundreds in a module. */
class AssemblyTest {
    /** Kernels of a module: the fixed cost is per module. */
    private static final int KERNELS = 400;

    private static final Map<String, Kernel> KERNEL_BY_STRUCTURE = new LinkedHashMap<>();

    @TempDir
    private Path folder;

    @BeforeAll
    static void collect() {
        for (Op op : Operators.all()) {
            for (Sample s : op.samples()) collect(SimulatedProgram.plan(OperatorTable.graph(s)));
            op.samples().stream()
                    .filter(Sample::smooth)
                    .limit(OperatorTable.GRADIENT_SAMPLES)
                    .map(OperatorTable::gradientGraph)
                    .forEach(g -> collect(SimulatedProgram.plan(g)));
        }
        // The gradients that tensor cores compute: samples of 16 bits are too coarse for gradients to be held against
        // the reference's.
        for (Sample s : new Attention(false).samples())
            if (s.inputs().getFirst().dtype().bytes() == 2)
                collect(SimulatedProgram.plan(OperatorTable.gradientGraph(s)));
    }

    private static void collect(Plan plan) {
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> KERNEL_BY_STRUCTURE.putIfAbsent(KernelText.structure(l.kernel()), l.kernel());
                case Plan.Repeat r -> collect(r.body());
                case Plan.LibraryCall _, Plan.Copy _ -> {}
            }
        }
    }

    /**
     * Everything assembles; elementwise, row and column kernels, scans, gathers, scatters, sorts and attention keep all
     * values in registers, but for attention by multiply-adds of what is copied.
     */
    @ParameterizedTest
    @CsvSource({"LIBRARY, SM_80", "LIBRARY, SM_90A", "PTXAS, SM_90A"})
    void kernelsAssemble(Assembler assembler, Target target) throws IOException, InterruptedException {
        assumeTrue(
                assembler.isThere(),
                assembler == Assembler.LIBRARY
                        ? "no natives of JCuda for this platform"
                        : "no ptxas on the PATH, in CUDA_HOME or in /usr/local/cuda*");
        Map<String, Code> byEntry = new LinkedHashMap<>();
        List<PtxKernel> code = new ArrayList<>();
        for (Kernel k : KERNEL_BY_STRUCTURE.values()) {
            for (Schedule form : PtxCodegen.forms(k, target)) {
                String entry = "k" + code.size() + "_" + PtxModule.identifier(k.name());
                PtxKernel first = PtxCodegen.generate(k, form, entry, 1 + code.size() % KERNELS);
                code.add(first);
                for (PtxKernel x = first; x != null; x = x.next()) byEntry.put(x.name(), new Code(k, form));
            }
        }
        Map<String, Assembler.Usage> usage = new LinkedHashMap<>();
        for (int i = 0; i < code.size(); i += KERNELS) {
            List<PtxKernel> part = code.subList(i, Math.min(code.size(), i + KERNELS));
            usage.putAll(assembler.run(
                    target, PtxCodegen.module(target, part).toString(), folder.resolve("module" + i + ".ptx")));
        }
        assertEquals(byEntry.keySet(), usage.keySet());
        usage.putAll(routines(assembler, target));
        List<String> spilling = new ArrayList<>();
        usage.forEach((entry, u) -> {
            if (u.spillBytes() > 0 && fitsRegisters(byEntry.get(entry)))
                spilling.add(entry + ": " + u.registers() + " registers, " + u.spillBytes() + " bytes spilled");
        });
        assertTrue(
                spilling.isEmpty(),
                () -> spilling.size() + " of " + usage.size() + " kernels spill:\n" + String.join("\n", spilling));
    }

    private record Code(Kernel kernel, Schedule form) {}

    /** Of kernels, those that are to keep all values in registers; null stands for those of routines. */
    private static boolean fitsRegisters(Code code) {
        if (code == null) return true;
        return switch (code.kernel) {
            case LoopKernel _ -> true;
            // More elements a thread, or CTAs a multiprocessor, are worth some spills.
            case AttentionKernel _ -> !code.form.text().startsWith("fma by async");
            case GemmKernel _ -> false;
        };
    }

    /** Sorts, top-k and max-pooling, of every type. */
    private Map<String, Assembler.Usage> routines(Assembler assembler, Target target)
            throws IOException, InterruptedException {
        Set<RoutineKernel> kernels = new LinkedHashSet<>();
        for (DType t : DType.values()) {
            for (RoutineKernel.Stage s : RoutineKernel.Stage.values()) {
                kernels.add(new RoutineKernel.SortTiles(t, t == DType.F32, s));
                if (!s.readsElements()) kernels.add(new RoutineKernel.MergeParts(t, s));
            }
            if (t.isBool()) continue;
            for (int axes = 1; axes <= 3; axes++) kernels.add(new RoutineKernel.WindowMaxima(t, axes));
        }
        PtxModule module = new PtxModule(
                target, kernels.stream().map(k -> k.code(k.name())).toList());
        Map<String, Assembler.Usage> usage = assembler.run(target, module.toString(), folder.resolve("routines.ptx"));
        assertEquals(kernels.size(), usage.size());
        return usage;
    }
}
