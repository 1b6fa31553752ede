// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Op;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.Profile;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What one thread traces: the state that its calls depend on, and with {@link PendingWork} the values that are not computed yet.
 *
 * <p>The public methods are for libraries that are built on tensors (networks, optimizers); programs need
 * none of them.
 */
public final class Trace {
    private static final boolean EAGER = Boolean.getBoolean("sinter.eager");

    private static final ThreadLocal<Trace> CURRENT = ThreadLocal.withInitial(Trace::new);

    final ReentrantLock lock = new ReentrantLock();
    /** Every call runs at once ({@code -Dsinter.eager=true}): what lazy execution is compared with. */
    boolean eager = EAGER;

    boolean gradMode = true;
    /** Above 0 inside modules, backward passes, boundaries: values made there are not top-level. */
    int depth;
    /** Nesting of public calls composed of others: only the outermost one's result counts. */
    int calls;
    /** Backward passes and boundaries in progress: nothing is flushed within. */
    int busy;
    /** The line of the nodes made on behalf of an earlier call (gradients), or null. */
    SourceLine onBehalf;
    /** What {@link Sinter#compile} is recording, or null. */
    Recording recording;
    /** How long kernels of the programs that a compiled function becomes may be measured; null leaves that to the session. */
    Duration autotune;

    /** Of what this is the trace, if it is that of a loop's body; else null. */
    LoopBody body;

    /** The innermost open memory scope, or null. */
    MemoryScope scope;

    /** Tape nodes recorded since the trace began and not consumed yet. */
    int taped;
    /** Counts how often the trace began anew. */
    int interval;

    /** The backward pass in progress; 0 if there is none, or the program has seen what it made. */
    int pass;

    /** What the backward pass in progress began with. */
    List<Value> passRoots = List.of();

    private int passes;
    /** Of the gradients that were made or read since the trace began; null if there are none. */
    private GradientEra era;

    final PendingWork work = new PendingWork(this);
    private final Lines lines = new Lines();
    private final ModuleCalls modules = new ModuleCalls(this);
    private final StepBoundary boundary = new StepBoundary(this);

    private Trace() {}

    static Trace current() {
        return CURRENT.get();
    }

    /** A trace for the body of a loop: nothing in it runs, no gradients are recorded, its nodes have the loop's line. */
    static Trace ofBody(LoopBody body, SourceLine line) {
        Trace t = new Trace();
        t.body = body;
        t.eager = false;
        t.gradMode = false;
        t.depth = 1;
        t.calls = 1;
        t.busy = 1;
        t.onBehalf = line;
        return t;
    }

    /** Makes this the calling thread's trace while {@code f} runs. */
    <T> T during(Supplier<T> f) {
        Trace before = current();
        CURRENT.set(this);
        try {
            return f.get();
        } finally {
            CURRENT.set(before);
        }
    }

    /** Refuses what cannot be part of a loop's body, where it would happen once rather than at every step. */
    static void outsideLoops(String what) {
        if (current().body != null)
            throw Errors.state(what + " cannot be part of a loop's body, which is traced once for all steps");
    }

    // ---- tracing

    /** Appends a pending value. */
    void add(Value v) {
        if (onBehalf != null) {
            v.line = onBehalf;
            lines.skip();
        } else {
            v.line = lines.next(v, modules.path());
        }
        if (Session.keepsTimeline()) profile(v.line);
        if (depth == 0 && calls == 0) v.flags |= Value.TOP;
        v.recorded = recording;
        v.pass = pass;
        work.add(v);
    }

    /** The session's profile hears which lines are traced when. */
    private static void profile(SourceLine line) {
        Profile profile = Session.current().profile();
        if (profile != null && profile.hasTimeline() && line != null)
            profile.traced(line, line.isAgain(), line::source);
    }

    /** A backward pass begins; returns the {@link #pass} to be restored when it ends. */
    int beginPass() {
        int outer = pass;
        pass = ++passes;
        return outer;
    }

    GradientEra era() {
        if (era == null) era = new GradientEra();
        return era;
    }

    /** Whether {@code e} is the present era. */
    boolean isIn(GradientEra e) {
        return era == e;
    }

    /** The program may get to see values of the pass in progress, or something pending that gradients are needed for. */
    void exposeGradients() {
        pass = 0;
        era().expose();
    }

    /** A host number that is an argument of the program, not part of its key; 0, 1 and -1 are constants. */
    Value number(DType dtype, double value) {
        if (value == 0 && Double.doubleToRawLongBits(value) == 0 || value == 1 || value == -1)
            return constant(Constant.of(dtype, value));
        return Value.scalar(this, Type.scalar(dtype), Constant.of(dtype, value).bits(), null);
    }

    Value number(DType dtype, long value) {
        if (value >= -1 && value <= 1) return constant(Constant.ofLong(dtype, value));
        return Value.scalar(
                this, Type.scalar(dtype), Constant.ofLong(dtype, value).bits(), null);
    }

    Value constant(Constant c) {
        Value v = Value.node(this, c, Type.scalar(c.dtype()), Value.NONE);
        work.limit();
        add(v);
        return v;
    }

    /** How long kernels of a program may be measured to choose their forms; null for not at all. */
    Duration autotune() {
        return autotune != null ? autotune : Session.current().autotune();
    }

    /**
     * The trace begins anew.
     *
     * @param complete all that was pending and has a result has been run
     */
    void restarted(boolean complete) {
        taped = 0;
        interval++;
        lines.restart();
        if (era != null) era.end(complete);
        era = null;
    }

    // ---- for networks and optimizers

    /**
     * A step boundary: {@code updates} writes new values to parameters and optimizer state in place; then one
     * program runs the new values together with gradients, losses, buffers and everything that stays
     * readable. Memory of the storages that {@code updates} wrote is reused for their new values.
     *
     * <p>Gradients are not recorded inside. If {@code updates} throws, nothing runs, and its writes so far
     * stay pending.
     */
    public static void boundary(Runnable updates) {
        outsideLoops("an optimizer's step");
        current().boundary.run(updates);
    }

    /**
     * The gradient of {@code p} for the updates of a {@link #boundary}, or null: to be read there and then only. Unlike {@code
     * p.grad()}, which keeps the gradient's memory for whoever asked, this lets it go back as soon as {@code p} drops the gradient. What is computed
     * from it belongs into the state that the updates write.
     */
    public static Tensor gradient(Tensor p) {
        return current().boundary.gradient(p);
    }

    /**
     * As {@link #module(Supplier)}, of a network that dumps can name.
     *
     * @param net the network, or part of one, that is called
     * @param parts all its parts by identity with their names, itself among them under the empty one; asked for at each outermost
     *     call, only while {@link Session#tracksModules()}
     */
    public static <T> T module(Object net, Supplier<? extends Map<?, String>> parts, Supplier<T> forward) {
        return current().modules.call(net, parts, forward);
    }

    /**
     * A call of a network: values made inside are temporaries, and what the outermost call returns (a tensor,
     * or an array, collection, map or record of them) stays readable after a step boundary. Where nothing
     * pending is needed for gradients, pending work runs first.
     */
    public static <T> T module(Supplier<T> forward) {
        return current().modules.call(forward);
    }

    /** A backward pass consumed a tape. */
    void consumed() {
        modules.tapeConsumed();
    }

    /** A public call made of others: values inside are temporaries, its result counts as the call's. */
    static Tensor call(Supplier<Tensor> body) {
        Trace t = current();
        t.calls++;
        Tensor r;
        try {
            r = body.get();
        } finally {
            t.calls--;
        }
        if (t.calls == 0 && t.depth == 0) r.value().flags |= Value.TOP;
        return r;
    }

    /**
     * A number read anew at every step: a 0-dimensional tensor whose value is an argument of the program (a
     * learning rate). A function compiled with {@link Sinter#compile} asks {@code value} again at every
     * replay.
     */
    public static Tensor live(DType dtype, DoubleSupplier value) {
        LongSupplier bits = () -> Constant.of(dtype, value.getAsDouble()).bits();
        return drawn(Type.scalar(dtype), bits);
    }

    /**
     * Applies an operator that no method of {@link Tensor} stands for; one tensor per result.
     *
     * @throws TensorException if the operands do not fit it
     */
    public static List<Tensor> apply(Op op, Tensor... operands) {
        return Dispatch.emitAll(op, operands);
    }

    /** As {@link #live}, for whole numbers (a key, an offset, a step count): i64. */
    public static Tensor liveLong(LongSupplier value) {
        return drawn(Type.scalar(DType.I64), value);
    }

    private static Tensor drawn(Type type, LongSupplier bits) {
        outsideLoops("a number that is drawn anew at every run (random numbers, a live learning rate)");
        Trace t = current();
        Value v = Value.scalar(t, type, bits.getAsLong(), bits);
        if (t.recording != null) t.recording.draws.add(v);
        return new Tensor(v);
    }

    /**
     * The state of a switch, such as a network's training mode. A function compiled with {@link
     * Sinter#compile} that asked for it is replayed only while it has the state that it had, and traced again
     * otherwise.
     */
    public static boolean observe(BooleanSupplier state) {
        Trace t = current();
        while (t.body != null) t = t.body.outer();
        Recording r = t.recording;
        boolean now = state.getAsBoolean();
        if (r != null) r.observed.put(state, now);
        return now;
    }

    /**
     * Lets this thread's trace begin anew without running it: pending values can still be read, but
     * boundaries and flushes will not compute them for their own sake. For benchmarks and tools.
     */
    public static void restart() {
        Trace t = current();
        t.lock.lock();
        try {
            t.work.clear(false);
        } finally {
            t.lock.unlock();
        }
    }
}
