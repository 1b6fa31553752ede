// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.runtime.Buffer;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * A value of the trace: what an operator will give (pending), or memory or a number (a leaf). What it stands
 * for never changes; in-place writes make new values. When a pending value has been computed it becomes a
 * leaf and forgets its operands.
 */
final class Value {
    /** Returned by a public call at the top level (outside modules, backward passes and step boundaries). */
    static final int TOP = 1;
    /** Operand of a later operator. */
    static final int CONSUMED = 2;
    /** Result of an outermost module call. */
    static final int MODULE = 4;
    /** What a written storage holds now. */
    static final int WRITTEN = 8;
    /** To be computed by the next run that passes through it, whatever else: {@code keep()}, hooks. */
    static final int KEPT = 16;
    /** Held by more than one storage: its memory must not be donated. */
    static final int SHARED = 32;
    /** A gradient of one leaf that nobody else holds; see {@link GradientEra}. */
    static final int PRIVATE = 64;
    /** A run has computed it on the way, by more than elementwise operators, and did not keep it; see {@link Cut}. */
    static final int REPEATED = 128;

    private static final String OVERWRITTEN =
            "this value was computed from a tensor %s that an optimizer step has overwritten since, and was not kept: "
                    + "call keep() on the tensor before the step, or read it before the step";
    private static final String DROPPED = "a gradient %s that its leaf has dropped";

    /** Guards {@link #pins}. Never held while another lock is taken. */
    private static final Object PINS = new Object();

    static final Value[] NONE = {};

    /** Null for leaves. */
    Op op;

    Value[] in;
    final Type type;
    /**
     * Of an operator with several results, its projections (one per result; the value itself is never read);
     * else null.
     */
    Value[] projections;
    /** The trace that made it. */
    final Trace trace;

    /** Memory of a computed value or of host data. */
    Buffer data;
    /**
     * A host scalar passed by value: raw bits of {@code type.dtype()}, as {@link
     * io.sinter.runtime.Arg.Scalar} has them.
     */
    boolean scalar;

    long bits;
    /** Draws the scalar again when a compiled function is replayed; null if it is fixed. */
    LongSupplier redraw;
    /** What says why the value can never be read again, with {@code %s} for its type; or null. See {@link #whyDead}. */
    Object dead;
    /** What failed when it was computed, or after its memory was given away; or null. */
    Throwable poison;

    int flags;
    /** How many unconsumed tape nodes hold it for their gradients. */
    int saved;
    /** How many other traces have it among their pending operands. */
    private int pins;
    /** The backward pass of its trace in which a gradient rule made it, or 0. */
    int pass;

    /** The recording during which it was made, or null. */
    Recording recorded;

    SourceLine line;
    /** The first storage that held it, if any. */
    Storage home;

    // Scratch of one cut: valid while epoch equals the cut's.
    int epoch;
    int number;

    private Value(Trace trace, Op op, Type type, Value[] in) {
        this.trace = trace;
        this.op = op;
        this.type = type;
        this.in = in;
    }

    static Value node(Trace trace, Op op, Type type, Value... in) {
        return new Value(trace, op, type, in);
    }

    /** An operator with several results, and its projections. */
    static Value multi(Trace trace, Op op, List<Type> results, Value... in) {
        Value v = new Value(trace, op, null, in);
        v.projections = new Value[results.size()];
        for (int i = 0; i < v.projections.length; i++) {
            v.projections[i] = node(trace, new Project(i, results.get(i)), results.get(i), v);
        }
        return v;
    }

    static Value leaf(Trace trace, Type type, Buffer data) {
        Value v = new Value(trace, null, type, NONE);
        v.recorded = trace.recording;
        v.data = data;
        return v;
    }

    static Value scalar(Trace trace, Type type, long bits, LongSupplier redraw) {
        Value v = new Value(trace, null, type, NONE);
        v.recorded = trace.recording;
        v.scalar = true;
        v.bits = bits;
        v.redraw = redraw;
        return v;
    }

    /** A stand-in of which only the type is known; an error to compute with. */
    static Value typeOnly(Type type, Object why) {
        Value v = new Value(null, null, type, NONE);
        v.dead = why;
        return v;
    }

    boolean pending() {
        return op != null;
    }

    /** A leaf that a kernel can read. */
    boolean present() {
        return op == null && (scalar || data != null && !data.isReleased());
    }

    /** The value is now in memory. */
    void computed(Buffer buffer) {
        data = buffer;
        // Its own thread may look while another runs it: no operator means that the data is there.
        VarHandle.storeStoreFence();
        op = null;
        in = NONE;
    }

    /** The memory now holds the storage's next value. */
    void overwritten() {
        data = null;
        dead = OVERWRITTEN;
    }

    /** {@link #dead} in words: put together only when somebody reads what is gone, as a step gives up many values. */
    String whyDead() {
        return dead == null ? null : dead.toString().replace("%s", String.valueOf(type));
    }

    /** Somebody else holds it, or its memory, as well. */
    void share() {
        flags = (flags | SHARED) & ~PRIVATE;
    }

    /** A program's result is held; what another of {@code holders} holds as well, an argument or a result, is shared by both. */
    void heldBeside(Map<Buffer, Value> holders) {
        Value other = holders.putIfAbsent(data, this);
        if (other == null || other == this) return;
        other.share();
        share();
    }

    void pin() {
        synchronized (PINS) {
            pins++;
        }
    }

    void unpin() {
        synchronized (PINS) {
            pins--;
        }
    }

    boolean pinned() {
        synchronized (PINS) {
            return pins > 0;
        }
    }

    /** Gives the memory of a private value back, if it has any and neither a tape nor another thread holds it. */
    void releasePrivate() {
        boolean ours = (flags & (PRIVATE | KEPT | MODULE)) == PRIVATE && trace == Trace.current();
        if (!ours || op != null || data == null || saved > 0 || pinned()) return;
        data.release();
        data = null;
        dead = DROPPED;
    }

    /** Computing it fails: an index was out of range. */
    void failed(RuntimeException cause) {
        op = null;
        in = NONE;
        poison = cause;
    }

    /** The run that overwrote the memory failed. */
    void lost(Throwable cause) {
        data = null;
        poison = cause;
    }

    @Override
    public String toString() {
        return (op == null ? "leaf" : op.name()) + " " + type;
    }
}
