// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Session;
import io.sinter.runtime.dump.Sources;
import java.util.Objects;

/** A place in the user's code, and what was being done there. Equal ones are of one line, in one part of a network, for one gradient. */
final class SourceLine {
    static final SourceLine UNKNOWN = new SourceLine(new Place(null), "", "", "");

    private final Place place;
    private final String net;
    private final String module;
    private final String gradientOf;
    /** Null before somebody asks; several threads may make it at once. */
    private Sources.Source source;
    /** See {@link #isAgain}. */
    private final boolean again;

    private SourceLine(Place place, String net, String module, String gradientOf, boolean again) {
        this.place = place;
        this.net = net;
        this.module = module;
        this.gradientOf = gradientOf;
        this.again = again;
    }

    private SourceLine(Place place, String net, String module, String gradientOf) {
        this(place, net, module, gradientOf, false);
    }

    /** The innermost frame that is not the library's. */
    static SourceLine ofCaller() {
        return new SourceLine(new Place(new Stack()), "", "", "");
    }

    /** This line, in a call of a part of a network. */
    SourceLine in(String net, String module) {
        return new SourceLine(place, net, module, gradientOf);
    }

    /** This line, {@linkplain #isAgain again}. */
    SourceLine again() {
        return new SourceLine(place, net, module, gradientOf, true);
    }

    /**
     * Whether it was noted for a node that the trace before had, too, from what will be the same line: nobody is to look for its frame at every step, which
     * takes longer than a small kernel, only to find that out.
     */
    boolean isAgain() {
        return again;
    }

    /** This line, on behalf of which the gradient of one of its operators is computed. */
    SourceLine gradientOf(String operator) {
        return new SourceLine(place, net, module, operator);
    }

    /** Class of the outermost network in whose call it is, or the empty text. Recorded only while {@link Session#tracksModules()}. */
    String net() {
        return net;
    }

    /** Path of the part of {@link #net} in whose call it is: {@code blocks.3.attn}; empty for the network itself. */
    String module() {
        return module;
    }

    /**
     * Name of the operator of that line whose gradient is being computed; empty for what the line computes itself. Recorded only while {@link
     * Session#tracksSources()}.
     */
    String gradientOf() {
        return gradientOf;
    }

    /** What a dump says of it. */
    Sources.Source source() {
        Sources.Source known = source;
        if (known == null) source = known = new Sources.Source(toString(), net, module);
        return known;
    }

    @Override
    public boolean equals(Object o) {
        return o == this
                || o instanceof SourceLine s
                        && net.equals(s.net)
                        && module.equals(s.module)
                        && gradientOf.equals(s.gradientOf)
                        && (place == s.place || Objects.equals(place.frame(), s.place.frame()));
    }

    @Override
    public int hashCode() {
        return Objects.hash(place.frame(), net, module, gradientOf);
    }

    @Override
    public String toString() {
        StackTraceElement f = place.frame();
        if (f == null) return "(unknown source)";
        String file = f.getFileName() == null ? f.getClassName() : f.getFileName();
        return file + (f.getLineNumber() < 0 ? "" : ":" + f.getLineNumber()) + " (" + f.getMethodName() + ")";
    }

    /** What the virtual machine notes of a stack: a microsecond or less, where names and numbers of its frames take ten times as long. */
    private static final class Stack extends Throwable {
        private static final long serialVersionUID = 1L;
    }

    /** A frame of the user's, looked for when somebody asks: of most lines nobody does. */
    private static final class Place {
        private Throwable stack;
        private StackTraceElement frame;

        Place(Throwable stack) {
            this.stack = stack;
        }

        /** The frame, or null if all are the library's. */
        synchronized StackTraceElement frame() {
            if (stack != null) frame = ofUser(stack.getStackTrace());
            stack = null;
            return frame;
        }

        private static StackTraceElement ofUser(StackTraceElement[] frames) {
            for (StackTraceElement f : frames) if (!isLibrary(f.getClassName())) return f;
            return null;
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
    }
}
