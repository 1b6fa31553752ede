// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.util.List;
import java.util.stream.Stream;

/** The JVM flags that generated code wants. */
public final class JvmFlags {
    /** Makes the Vector API visible; without it scalar code is generated. */
    public static final String VECTOR_MODULE = "--add-modules=jdk.incubator.vector";

    private static final String GENERATED = "io/sinter/gen/SinterKernel*.*";

    /** Where the hand-written code is that tasks of kernels run. */
    private static final String IN_TASKS = "io/sinter/codegen/jvm/";

    /**
     * Compiles generated classes after three hundredths of the usual number of calls (0.006 of five times as many), and lets the calling
     * thread wait for the compiled code. Before C2 has compiled a kernel, its vector operations cost a
     * thousand times as much: going on interpreted takes longer than waiting, and takes the compiler's core.
     * {@code quiet} keeps HotSpot from printing to standard output, and must come first.
     *
     * <p>{@code Tier3DelayOn}: while C2 is busy, HotSpot would compile by C1 without full profiling (tier 2)
     * first. For kernels of some sizes C1 manages that but not tier 3 ("out of virtual registers"), and from
     * tier 2 the only way to C2 is through tier 3: such a kernel would stay a hundred times slower for ever.
     * Without tier 2 it stays in the interpreter, which profiles too, until C2 has compiled it.
     *
     * <p>The {@code Tier4} thresholds are five times HotSpot's own: of a first step's C2 time two thirds went into code that C1 had compiled well
     * enough for what it still had to do (passes, generators, the JDK's class files, the Vector API as kernels call it before they are compiled),
     * while kernels waited in the same queue. They scale the thresholds of generated classes, too, of which the factor is the smaller for it.
     * That of loops is a hundred times: a kernel's methods are short and called often, and what was compiled in the middle of a loop is compiled again as a
     * whole at the next call. Where there are eight processors or more, C2's threads take none that kernels need, and the launcher leaves C2 its own
     * thresholds, with those of generated classes as here. There it also lets collections that are asked for, as device memory waits for them, run beside
     * the program ({@code ExplicitGCInvokesConcurrent}: two pauses of 1 and 8 ms instead of one of 12 to 22); elsewhere the heap that a full one leaves is worth more.
     *
     * <p>Hand-written code that loops within tasks (laying the input of a convolution out, its table of offsets, strips and tiles of products) is compiled by C2 after a tenth of that:
     * until then it is C1's with counters of every branch, which all workers write. A line of memory that two processors write
     * in turn takes 40 ns to change sides where they share a cache, and 380 where they do not, and then a step of
     * ResNet-18's inference took twice its time until C2 had compiled that code, after some hundred steps. Products of a few microseconds a task,
     * as recurrent layers have, took 5 to 8 % longer for as many steps even with the processors close together.
     *
     * <p>First calls take a quarter less with {@code -XX:+UnlockDiagnosticVMOptions
     * -XX:CompilerDirectivesFile=hotspot-directives.json}, the file beside this class, which keeps C1 off
     * generated classes and C2 off the Vector API's own methods. The launcher does so; it is no part of this list because it needs a path.
     */
    public static final List<String> EARLY_COMPILATION = List.of(
            "-XX:CompileCommand=quiet",
            "-XX:CompileCommand=CompileThresholdScaling," + GENERATED + ",0.006",
            "-XX:CompileCommand=CompileThresholdScaling," + IN_TASKS + "Stencil*.*,0.1",
            "-XX:CompileCommand=CompileThresholdScaling," + IN_TASKS + "Winograd*.*,0.1",
            "-XX:CompileCommand=CompileThresholdScaling," + IN_TASKS + "Pool*.*,0.1",
            "-XX:CompileCommand=CompileThresholdScaling," + IN_TASKS + "Gemm*.*,0.1",
            "-XX:CompileCommand=CompileThresholdScaling," + IN_TASKS + "Attention*.*,0.1",
            "-XX:CompileCommand=BackgroundCompilation," + GENERATED + ",false",
            "-XX:Tier3DelayOn=100000",
            "-XX:Tier4InvocationThreshold=25000",
            "-XX:Tier4MinInvocationThreshold=3000",
            "-XX:Tier4CompileThreshold=75000",
            "-XX:Tier4BackEdgeThreshold=4000000");

    /** Spares the JVM's warning at the first use of memory by address. */
    public static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

    /**
     * Opens the JDK's packages with the vector intrinsics and raw memory to generated code, so that it calls them instead of the Vector API and memory segments, which makes half the
     * work for C2. Without these flags, or with {@code -Dsinter.intrinsics=false}, first calls take longer and nothing else changes. Where Sinter is named modules, the packages have to be exported to {@code io.sinter.codegen.jvm}.
     */
    public static final List<String> INTRINSICS = List.of(
            "--add-exports=java.base/jdk.internal.vm.vector=ALL-UNNAMED",
            "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");

    private JvmFlags() {}

    /** All flags, in the order in which they must stand. */
    public static List<String> all() {
        return Stream.of(List.of(VECTOR_MODULE, NATIVE_ACCESS), INTRINSICS, EARLY_COMPILATION)
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Whether a JVM with these flags follows {@link #EARLY_COMPILATION}: compiles generated classes early, and
     * waits for their code.
     */
    public static boolean compileEarly(List<String> given) {
        return Stream.of("CompileThresholdScaling", "BackgroundCompilation")
                .allMatch(option -> given.stream().anyMatch(a -> a.contains(option) && a.contains("SinterKernel")));
    }

    /** Whether this JVM was started with the Vector API. */
    public static boolean hasVectors() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }
}
