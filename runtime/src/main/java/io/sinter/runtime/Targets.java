// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.Numerics;
import io.sinter.ir.store.Sha256;
import io.sinter.runtime.cache.BuildId;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.Tuning;

/** What plans and code are made for, and by which compiler: the parts of their keys on disk. */
final class Targets {
    private Targets() {}

    private static String of(CompileContext context) {
        return switch (context.backend()) {
            case REFERENCE -> null;
            case INTERPRETED -> "interpreter";
            case GENERATED -> jvm(io.sinter.codegen.jvm.Options.preferred());
        };
    }

    /** The key of a program's plan, or null if it has none, and so is not kept on disk. */
    static CacheKey plan(Canonical.Key program, CompileContext context) {
        boolean gpu = context.backend() == Options.Backend.GENERATED
                && context.device().kind() != Device.Kind.JVM;
        if (gpu) return gpuPlan(program, context.session().gpu().modules().target(), context.numerics());
        String target = of(context);
        return target == null ? null : plan(program, jvmBuild(), target, CacheKey.STRICT);
    }

    /** The key of a program's plan on a GPU. There the user can choose how things round. */
    static CacheKey gpuPlan(Canonical.Key program, Target target, Numerics numerics) {
        return plan(program, ptxBuild(), target.toString(), numerics.toString());
    }

    private static CacheKey plan(Canonical.Key program, String build, String target, String numerics) {
        return new CacheKey(CacheKey.Kind.PLAN, build, target, numerics, Sha256.hex(program.form()));
    }

    /**
     * The key of what was measured of a program's launches; null where there is nothing to measure. On a GPU a library may be chosen, so the key names it; a
     * simulator's costs choose for nobody else, so it names what they count.
     */
    static CacheKey tuning(Canonical.Key program, CompileContext context) {
        CacheKey plan = plan(program, context);
        if (plan == null || !context.tunes()) return null;
        String target = plan.target();
        if (context.device().kind() != Device.Kind.JVM) {
            Gpu gpu = context.session().gpu();
            String unit = gpu.driver().costUnit();
            if (!unit.equals(Tuning.NANOSECONDS)) target += " by " + unit;
            if (gpu.matmul() != null) target += " with " + gpu.matmul().name();
        }
        return new CacheKey(CacheKey.Kind.TUNING, plan.build(), target, plan.numerics(), plan.content());
    }

    /** The key of a program's plan with the forms that were chosen. */
    static CacheKey tunedPlan(Canonical.Key program, CompileContext context, Tuning tuning) {
        CacheKey plan = plan(program, context);
        return new CacheKey(plan.kind(), plan.build(), plan.target(), tuning.numerics(plan.numerics()), plan.content());
    }

    /** What class files are generated for. */
    static String jvm(io.sinter.codegen.jvm.Options options) {
        return JvmCodegen.target(options);
    }

    /** The modules that make plans and class files of the CPU. */
    static String jvmBuild() {
        return BuildId.of(Graph.class, JvmCodegen.class);
    }

    /** The modules that make plans and PTX. */
    static String ptxBuild() {
        return BuildId.of(Graph.class, PtxCodegen.class);
    }
}
