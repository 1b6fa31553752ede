// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

/**
 * An index that was data of a program (of gather, scatter, an embedding, a class number, …) was out of range. Nothing outside a buffer was read or
 * written; results of the run are not valid.
 */
public final class IndexError extends IndexOutOfBoundsException {
    private static final long serialVersionUID = 1L;

    private final String operator;
    private final long value;
    private final long bound;
    private final int origin;

    /** Of an operator that does not know where in a program it stands. */
    public IndexError(String operator, long value, long bound) {
        this(operator, value, bound, -1);
    }

    /**
     * @param operator name of the operator that was given the index
     * @param value the index
     * @param bound number of elements along the axis: indices lie in [-bound, bound), or in [0, bound) where negative ones do not wrap
     * @param origin {@link Node#origin} of the operator, for the user's line; -1 if it has none
     */
    public IndexError(String operator, long value, long bound, int origin) {
        this(operator, value, bound, origin, null);
    }

    private IndexError(String operator, long value, long bound, int origin, String line) {
        super(operator + ": index " + value + " is out of bounds for an extent of " + bound
                + (line == null ? "" : " (" + line + ")"));
        this.operator = operator;
        this.value = value;
        this.bound = bound;
        this.origin = origin;
    }

    /** The same error at a place of a program. */
    public IndexError from(int origin) {
        IndexError e = new IndexError(operator, value, bound, origin, null);
        e.initCause(this);
        return e;
    }

    /** The same error with the user's source line in its message. */
    public IndexError at(String line) {
        IndexError e = new IndexError(operator, value, bound, origin, line);
        e.initCause(this);
        return e;
    }

    public String operator() {
        return operator;
    }

    public long value() {
        return value;
    }

    public long bound() {
        return bound;
    }

    public int origin() {
        return origin;
    }
}
