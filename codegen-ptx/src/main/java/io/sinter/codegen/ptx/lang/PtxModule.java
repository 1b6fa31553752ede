// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A PTX file.
 *
 * @param version of the language, such as {@code 8.0}
 * @param target such as {@code sm_80}, with options such as {@code debug} after commas
 * @param files names of source files by the numbers that {@code .loc} uses
 */
public record PtxModule(
        String version, String target, Map<Integer, String> files, List<Variable> variables, List<Kernel> kernels) {
    public PtxModule {
        files = java.util.Collections.unmodifiableMap(new TreeMap<>(files));
        variables = List.copyOf(variables);
        kernels = List.copyOf(kernels);
    }

    public PtxModule(Target target, List<Kernel> kernels) {
        this(Target.VERSION, target.toString(), Map.of(), List.of(), kernels);
    }

    /** The kernel of a name; null if there is none. */
    public Kernel kernel(String name) {
        for (Kernel k : kernels) if (k.name().equals(name)) return k;
        return null;
    }

    /** The PTX text. */
    @Override
    public String toString() {
        return PtxPrinter.print(this);
    }

    /** A name as PTX allows it. */
    public static String identifier(String name) {
        return name.replaceAll("[^A-Za-z0-9_]", "_");
    }
}
