// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.jvm.Options;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Sort;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** What this JVM offers to generated code, and what to do where it offers less than it could. */
public final class JvmFeatures {
    private static final AtomicBoolean TOLD = new AtomicBoolean();
    private static final AtomicBoolean INITIALISED = new AtomicBoolean();

    private JvmFeatures() {}

    /** Width in bits of the vectors that generated code uses: 128, 256 or 512; 0 for scalar code. */
    public static int vectorBits() {
        return Options.preferred().vectorBits();
    }

    /** The flags that Sinter wants of a JVM, as one string to paste. */
    public static String flags() {
        return String.join(" ", JvmFlags.all());
    }

    /**
     * Begins, once in the life of the process, to load what kernels need: the first program is traced in the meantime.
     *
     * @param compile makes a kernel
     */
    static void initialiseOnce(Function<Kernel, JvmKernel> compile) {
        if (INITIALISED.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("sinter-initialise").start(() -> {
                JvmCodegen.initialise(compile);
                WarmUp.isUseful(); // asks the JVM for its flags, which takes a while the first time
            });
        }
    }

    /** A stored plan of launches of this kernel, of one segment and of two, and of all that is no launch, for the sake of reading one. */
    static byte[] plan(Kernel kernel) {
        long bytes = 1 << 10;
        Plan.Place place = new Plan.Place.Temp(0, bytes);
        SlotValue memory = new SlotValue.Address(place);
        List<SlotValue> slots = new ArrayList<>(Collections.nCopies(kernel.slots(), memory));
        slots.set(0, new SlotValue.ErrorRecord());
        Plan.Launch one = new Plan.Launch(kernel, List.of(slots));
        Plan.Launch two = new Plan.Launch(kernel, List.of(slots, slots));
        Plan.Copy copy = new Plan.Copy(place, place, bytes);
        List<Type> line = List.of(new Type(DType.F32, Shape.of(1)));
        Sort sort = new Sort(0, false);
        Plan.LibraryCall call =
                new Plan.LibraryCall(sort, line, List.of(place), sort.infer(line), List.of(place, place));
        Graph none = new Graph(List.of(), List.of(), List.of(), List.of());
        Plan plan = new Plan(
                none,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(one, two, copy, call),
                bytes,
                List.of(new Plan.Site("none", -1)));
        return StoredPlan.of(plan).toBytes();
    }

    /** Says once in the life of the process, on standard error, what a JVM without vectors loses and which flags it lacks. */
    static void adviseOnce() {
        if (!JvmFlags.hasVectors() && TOLD.compareAndSet(false, true)) {
            System.err.println(
                    "Sinter: no Vector API, so scalar code, many times slower; give the JVM (in the IDE, Maven or Gradle): "
                            + flags());
        }
    }
}
