// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmCodegen;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.ir.Graph;
import io.sinter.runtime.cache.BuildId;
import io.sinter.runtime.cache.CacheKey;
import java.util.Locale;

/** What plans and code are made for, and by which compiler: the parts of their keys on disk. */
final class Targets {
    private Targets() {}

    /** What a program is compiled for, or null if it has no plan, and so is not kept on disk. */
    static String of(CompileContext context) {
        return switch (context.backend()) {
            case REFERENCE -> null;
            case INTERPRETED -> "interpreter";
            case GENERATED ->
                switch (context.device().kind()) {
                    case JVM -> jvm(io.sinter.codegen.jvm.Options.preferred());
                    case PTX_SIM, CUDA ->
                        context.session().gpu().modules().target().toString();
                };
        };
    }

    /** What the user has chosen about rounding: only GPUs offer a choice. */
    static String numerics(CompileContext context) {
        boolean gpu = context.backend() == Options.Backend.GENERATED
                && context.device().kind() != Device.Kind.JVM;
        return gpu ? "matmul-" + context.precision().name().toLowerCase(Locale.ROOT) : CacheKey.STRICT;
    }

    /** What class files are generated for. */
    static String jvm(io.sinter.codegen.jvm.Options options) {
        return JvmCodegen.target(options);
    }

    /** The modules that make a program. */
    static String build(CompileContext context) {
        return context.device().kind() == Device.Kind.JVM || context.backend() == Options.Backend.INTERPRETED
                ? jvmBuild()
                : ptxBuild();
    }

    /** The modules that make a class file. */
    static String jvmBuild() {
        return BuildId.of(Graph.class, JvmCodegen.class);
    }

    /** The modules that make PTX. */
    static String ptxBuild() {
        return BuildId.of(Graph.class, PtxCodegen.class);
    }
}
