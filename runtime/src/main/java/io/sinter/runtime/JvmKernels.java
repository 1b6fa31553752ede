// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;

/** The generated code of a session's kernels, by structure: kernels of equal structure share code, whatever program they are of. */
final class JvmKernels {
    /** Classes are small; this bounds a session that compiles for ever. */
    private static final int CAPACITY = 20_000;

    private final OnceCache<JvmKernel> code = new OnceCache<>(CAPACITY);
    private final Maker maker;
    /** Code that has been warmed up, or needs no warming up. */
    private final Set<JvmKernel> warm = Collections.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<>()));

    /** Makes the code of kernels. */
    @FunctionalInterface
    interface Maker {
        /**
         * The code of a kernel, loaded or generated.
         *
         * @param name of its structure, see {@link StoredPlan}
         */
        JvmKernel make(Kernel kernel, String name);

        /** The code of this name if it has only to be loaded; else null. */
        default JvmKernel load(String name) {
            return null;
        }
    }

    JvmKernels(Maker maker) {
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
        ParallelWork.begin(
                        result.length,
                        result.length - 1,
                        i -> result[i] = get(kernels.get(i), plan.codeName(kernels.get(i))))
                .finish();
        List<JvmKernel> all = new ArrayList<>(launched.size());
        for (Kernel k : launched) all.add(result[numbers.get(k)]);
        return all;
    }

    /**
     * Begins to load code, on threads of its own, for a plan that is still to be read. Most code of a plan that is stored is stored, too.
     *
     * @param names of the kernels' structures, {@link StoredPlan#codeNames}
     */
    Ahead ahead(List<String> names) {
        return new Ahead(names);
    }

    /** Code that is loaded while its plan is read. */
    final class Ahead implements AutoCloseable {
        private final List<String> names;
        private final JvmKernel[] loaded;
        private final ParallelWork work;

        private Ahead(List<String> all) {
            names = List.copyOf(new LinkedHashSet<>(all));
            loaded = new JvmKernel[names.size()];
            work = ParallelWork.begin(loaded.length, loaded.length, i -> {
                String name = names.get(i);
                loaded[i] = code.getOrNull(name, () -> maker.load(name)).value();
            });
        }

        JvmKernels kernels() {
            return JvmKernels.this;
        }

        /** As {@link JvmKernels#get(StoredPlan)}, of the plan of these names, which has been read now. */
        List<JvmKernel> of(StoredPlan plan) {
            work.finish();
            Map<String, JvmKernel> byName = new HashMap<>();
            for (int i = 0; i < loaded.length; i++) {
                if (loaded[i] == null) return get(plan);
                byName.put(names.get(i), loaded[i]);
            }
            // Most launches are of a kernel that another one launches, too.
            Map<Kernel, JvmKernel> known = new IdentityHashMap<>();
            List<JvmKernel> all = new ArrayList<>();
            for (Kernel k : StoredPlan.kernels(plan.plan())) {
                JvmKernel found = known.get(k);
                if (found == null) known.put(k, found = byName.get(plan.codeName(k)));
                all.add(found);
            }
            return all;
        }

        /** Ends it, also if there turned out to be no such plan. */
        @Override
        public void close() {
            work.abandon();
        }
    }

    /** True the first time that it is asked about this code. */
    boolean isNew(JvmKernel kernel) {
        return warm.add(kernel);
    }

    /**
     * The code of a kernel.
     *
     * @param name of its structure, see {@link StoredPlan}
     */
    JvmKernel get(Kernel kernel, String name) {
        return code.get(name, () -> maker.make(kernel, name)).value();
    }
}
