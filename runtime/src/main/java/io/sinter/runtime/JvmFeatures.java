// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.codegen.jvm.Options;
import java.util.concurrent.atomic.AtomicBoolean;

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

    /** Begins, once in the life of the process, to load what kernels need, and to rehearse: the first program is traced in the meantime. */
    static void initialiseOnce(Rehearsal rehearsal) {
        if (INITIALISED.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("sinter-initialise").start(() -> {
                JvmCodegen.initialise(rehearsal::begin);
                WarmUp.isUseful(); // asks the JVM for its flags, which takes a while the first time
                rehearsal.run();
            });
        }
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
