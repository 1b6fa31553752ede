// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/** The generated code of a session's kernels, by structure: kernels of equal structure share code, whatever program they are of. */
final class JvmKernels {
    /** Classes are small; this bounds a session that compiles for ever. */
    private static final int CAPACITY = 20_000;

    private final OnceCache<JvmKernel> code = new OnceCache<>(CAPACITY);
    private final BiFunction<Kernel, String, JvmKernel> maker;
    /** Code that has been warmed up, or needs no warming up. */
    private final Set<JvmKernel> warm = Collections.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<>()));

    /** @param maker makes the code of a kernel whose structure has a name, see {@link StoredPlan} */
    JvmKernels(BiFunction<Kernel, String, JvmKernel> maker) {
        this.maker = maker;
    }

    /** Code for each kernel of a plan, in the order of {@link StoredPlan#kernels}; what is not there is loaded or generated, on several threads. */
    List<JvmKernel> get(StoredPlan plan) {
        List<Kernel> launched = StoredPlan.kernels(plan.plan());
        // Most launches are of a kernel that another one launches, too.
        Map<Kernel, Integer> numbers = new IdentityHashMap<>();
        List<Kernel> kernels = new ArrayList<>();
        for (Kernel k : launched) {
            if (numbers.putIfAbsent(k, kernels.size()) == null) kernels.add(k);
        }
        JvmKernel[] result = new JvmKernel[kernels.size()];
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Runnable work = () -> {
            for (int i = next.getAndIncrement();
                    i < result.length && failure.get() == null;
                    i = next.getAndIncrement()) {
                try {
                    result[i] = get(kernels.get(i), plan.codeName(kernels.get(i)));
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            }
        };
        int helpers = Math.min(Runtime.getRuntime().availableProcessors(), kernels.size()) - 1;
        Thread[] threads = new Thread[Math.max(0, helpers)];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform()
                    .daemon()
                    .name("sinter-compiler-" + (i + 1))
                    .start(work);
        }
        work.run();
        boolean interrupted = false;
        for (Thread t : threads) interrupted |= join(t);
        if (interrupted) Thread.currentThread().interrupt();
        if (failure.get() instanceof RuntimeException e) throw e;
        if (failure.get() instanceof Error e) throw e;
        List<JvmKernel> all = new ArrayList<>(launched.size());
        for (Kernel k : launched) all.add(result[numbers.get(k)]);
        return all;
    }

    /** True the first time that it is asked about this code. */
    boolean isNew(JvmKernel kernel) {
        return warm.add(kernel);
    }

    private static boolean join(Thread t) {
        boolean interrupted = false;
        while (true) {
            try {
                t.join();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }

    /**
     * The code of a kernel.
     *
     * @param name of its structure, see {@link StoredPlan}
     */
    JvmKernel get(Kernel kernel, String name) {
        return code.get(name, () -> maker.apply(kernel, name)).value();
    }
}
