// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Session;
import io.sinter.runtime.dump.Sources;

/**
 * A place in the user's code.
 *
 * @param className binary name of the class
 * @param method name of the method
 * @param file source file, or null where the class does not say
 * @param line line number, or a negative number where the class does not say
 * @param net class of the outermost network in whose call it is, or the empty text
 * @param module path of the part of that network in whose call it is: {@code blocks.3.attn}; empty for the network itself. Both are recorded
 *     only while {@link Session#tracksModules()}.
 * @param gradientOf name of the operator of that line whose gradient is being computed; empty for what the line computes itself. Recorded
 *     only while {@link Session#tracksSources()}.
 */
record SourceLine(
        String className, String method, String file, int line, String net, String module, String gradientOf) {
    private static final StackWalker WALKER = StackWalker.getInstance();
    static final SourceLine UNKNOWN = new SourceLine("", "", null, -1);

    SourceLine(String className, String method, String file, int line) {
        this(className, method, file, line, "", "", "");
    }

    /** This line, in a call of a part of a network. */
    SourceLine in(String net, String module) {
        return new SourceLine(className, method, file, line, net, module, gradientOf);
    }

    /** This line, on behalf of which the gradient of one of its operators is computed. */
    SourceLine gradientOf(String operator) {
        return new SourceLine(className, method, file, line, net, module, operator);
    }

    /** What a dump says of it. */
    Sources.Source source() {
        return new Sources.Source(toString(), net, module);
    }

    /** The innermost frame that is not the library's. */
    static SourceLine ofCaller() {
        return WALKER.walk(frames -> frames.filter(f -> !isLibrary(f.getClassName()))
                .findFirst()
                .map(f -> new SourceLine(f.getClassName(), f.getMethodName(), f.getFileName(), f.getLineNumber()))
                .orElse(UNKNOWN));
    }

    /**
     * Packages of Sinter, other than programs written with it; and the JDK, whose frames stand between
     * (streams, lambdas, reflection).
     */
    private static boolean isLibrary(String name) {
        if (name.startsWith("io.sinter."))
            return !name.startsWith("io.sinter.cli.") && !name.startsWith("io.sinter.tests.");
        return name.startsWith("java.") || name.startsWith("jdk.");
    }

    @Override
    public String toString() {
        if (className.isEmpty()) return "(unknown source)";
        return (file == null ? className : file) + (line < 0 ? "" : ":" + line) + " (" + method + ")";
    }
}
