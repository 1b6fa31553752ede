// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.CrossEntropy;
import io.sinter.ir.op.CrossEntropyGrad;
import io.sinter.ir.op.Indexed;
import io.sinter.ir.op.Op;
import io.sinter.runtime.Session;
import java.util.Arrays;

/**
 * Source lines of a trace, by place. A stack walk costs microseconds, so it is made only where a node differs
 * from the node at the same place of the previous trace; otherwise that one's line is taken. Operators that
 * check indices, whose lines stand in exceptions, are always walked for: two calls that trace the same nodes
 * from two lines must each report their own. For a dump every node is walked for; for a profile, one that is in another part
 * of a network than the node before. Parts are kept when a profile ends: where nobody asks they do no harm, and the next
 * one finds them.
 */
final class Lines {
    private static final boolean ALWAYS = Boolean.getBoolean("sinter.lines");

    /** Of the node at each place: its operator, or the class of one with attributes; and its type. */
    private Object[] operators = new Object[256];

    private Type[] types = new Type[256];
    private SourceLine[] lines = new SourceLine[256];
    private int known;
    private int place;

    /** The line of the next node. */
    SourceLine next(Value v, ModulePath modules) {
        int p = place++;
        if (p == lines.length) grow();
        Op op = v.op;
        Object operator = op instanceof Record ? op.getClass() : op;
        boolean same = p < known
                && operators[p] == operator
                && (v.type == null ? types[p] == null : v.type.equals(types[p]))
                && !ALWAYS
                && !Session.tracksSources()
                && (!Session.isProfiling() || ModulePath.isOf(modules, lines[p]));
        if (same && !checksIndices(op)) return lines[p];
        operators[p] = operator;
        types[p] = v.type;
        if (p >= known) known = p + 1;
        SourceLine line = SourceLine.ofCaller();
        if (modules != null) line = modules.of(line);
        return lines[p] = same && Session.isProfiling() ? line.again() : line;
    }

    /**
     * The line of a node of the library's own making (a gradient), whose user line is that of another node.
     */
    void skip() {
        if (place++ == lines.length) grow();
    }

    private static boolean checksIndices(Op op) {
        return op instanceof Indexed
                || op instanceof CheckIndex
                || op instanceof CrossEntropy
                || op instanceof CrossEntropyGrad;
    }

    private void grow() {
        operators = Arrays.copyOf(operators, 2 * place);
        types = Arrays.copyOf(types, 2 * place);
        lines = Arrays.copyOf(lines, 2 * place);
    }

    /** A new trace begins: what was written is now the previous trace. */
    void restart() {
        place = 0;
    }
}
