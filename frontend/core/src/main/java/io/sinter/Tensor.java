// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.View;

/**
 * An n-dimensional array: elements of one {@link DType} in a shape. Calls do not compute: they append to the
 * thread's trace, and a value is computed when it is read ({@link #item}, {@link #toDoubles}, {@link #show})
 * or when an optimizer's step ends. Shapes and dtypes are checked at the call.
 *
 * <p>As in PyTorch, indexing with numbers and slices, {@code reshape}, {@code transpose} and the like give
 * views that share elements with the tensor that they are taken from, methods whose names end in an
 * underscore write in place, and {@code equals} is identity ({@link #eq} compares elements).
 *
 * <p>A tensor may be used by several threads one after another, but a single tensor must not be written by
 * one thread while another uses it. Memory needs no management; {@link #release} gives it back early.
 */
public final class Tensor extends Factories
        implements Creation,
                Reading,
                Differentiable,
                Pointwise,
                Arithmetic,
                Comparison,
                Reductions,
                Movement,
                Indexing,
                LinearAlgebra,
                Casting,
                InPlace,
                Blending,
                Statistics,
                Rearranging,
                Scattering,
                MatrixProducts,
                Searching,
                Calculus {
    /** The current value, as of {@link #seen}. */
    Value value;
    /** What aliases share; null while nothing aliases this tensor and nothing wrote to it. */
    private Storage storage;
    /** The way from the storage's base to this view of it; null at the base. */
    private ViewStep view;

    private int seen;

    // Where gradients go. A tensor is a leaf of the tape if it has no node.
    private TapeNode node;
    private int result;
    private boolean leafRequiresGrad;
    private AccumulateNode accumulator;
    private Tensor grad;
    /** Since when the gradient is known to this leaf alone; null if somebody else may hold it. */
    private GradientEra gradEra;
    /** For views that follow the history of the tensor that they were taken from: that tensor. */
    private Tensor base;
    /** Counts changes of this base's history by in-place operations; and what a view has seen of them. */
    private int rebased;

    private int seenRebased;
    /**
     * A view taken while gradients were off, of a tensor that requires them: writing to it while they are on
     * would lose them.
     */
    private boolean takenWithoutGrad;
    /** Checked before the value is used: saved tensors of the tape; else null. */
    private Runnable guard;

    Tensor(Value value) {
        this.value = value;
    }

    @Override
    public Tensor self() {
        return this;
    }

    // ---- type

    /** Dtype and shape. */
    public Type type() {
        return value.type;
    }

    public DType dtype() {
        return value.type.dtype();
    }

    /** The extents, copied. */
    public long[] shape() {
        return value.type.shape().toArray();
    }

    /** The extent of an axis; negative ones count from the end. */
    public long size(int axis) {
        return value.type.dim(Axes.axis("size", this, axis));
    }

    /** Number of axes. */
    public int rank() {
        return value.type.rank();
    }

    /** Number of elements. */
    public long numel() {
        return value.type.numel();
    }

    // ---- value

    /** The current value. */
    Value value() {
        refresh();
        return value;
    }

    /** The current value as an operand of the trace {@code t}. */
    Value read(Trace t) {
        if (guard != null) guard.run();
        refresh();
        Value v = value;
        if (v.op == null && v.data == null && !v.scalar) throw Cut.unreadable(v);
        if (v.trace != t) {
            if (t.body != null) return t.body.capture(this, v);
            t.work.foreign(v);
        }
        return t.recording != null ? t.recording.reads(this, v) : v;
    }

    /** This view of {@code root}, traced. */
    Tensor viewOf(Tensor root) {
        return view.apply(root);
    }

    private void refresh() {
        Storage s = storage;
        if (s == null || s.version == seen) return;
        Trace trace = Trace.current();
        if (trace.body != null && s.value.trace != trace) {
            // A tensor from outside a loop's body: its view is none of the body's.
            trace.body.outer().during(() -> {
                refresh();
                return null;
            });
            return;
        }
        seen = s.version;
        if (view == null) {
            value = s.value;
            return;
        }
        // Recompute this view of the new base: with the base's history if that has changed, else the value
        // alone.
        Trace t = Trace.current();
        boolean gradMode = t.gradMode;
        boolean follow = base != null && base.rebased != seenRebased;
        t.calls++;
        t.gradMode = follow;
        try {
            Tensor b = new Tensor(s.value);
            if (follow && base.requiresGrad()) b.history(base.edge(), base.resultNumber());
            Tensor v = view.apply(b);
            value = v.value;
            if (follow) {
                seenRebased = base.rebased;
                node = v.node;
                result = v.result;
            }
        } finally {
            t.gradMode = gradMode;
            t.calls--;
        }
    }

    /** How often the storage was written. */
    int version() {
        return storage == null ? 0 : storage.version;
    }

    /** Is this the whole of its storage, rather than a view of it? */
    boolean isBase() {
        return view == null;
    }

    Storage storageOrNull() {
        return storage;
    }

    Storage storage() {
        if (storage == null) {
            storage = new Storage(value);
            seen = 0;
        }
        return storage;
    }

    /** The current value if that needs no operation, else null: a stale view's is not known. */
    Value peek() {
        if (storage == null || storage.version == seen) return value;
        return view == null ? storage.value : null;
    }

    /**
     * The same elements in a storage of their own; gradients flow through. Costs nothing until one of the two
     * is written.
     */
    @Override
    public Tensor clone() {
        Trace t = Trace.current();
        Value v = read(t);
        v.share();
        Tensor r = new Tensor(v);
        r.storage();
        if (t.gradMode && requiresGrad()) r.history(edge(), resultNumber());
        return r;
    }

    /** This tensor's present value and history, apart from later writes. */
    Tensor snapshot() {
        storage();
        Trace t = Trace.current();
        Tensor r = new Tensor(read(t));
        if (t.gradMode && requiresGrad()) r.history(edge(), resultNumber());
        return r;
    }

    Tensor guarded(Runnable check) {
        guard = check;
        return this;
    }

    /**
     * A tensor of its own whose storage counts as written: its value is computed by runs that pass through
     * it.
     */
    void mark() {
        storage();
        value.flags |= Value.WRITTEN;
        Trace.current().work.written(storage);
        storage.overwritten = value;
    }

    // ---- views and writes

    /** A view of this tensor through one more operator. */
    Tensor viewed(View op, Tensor live) {
        Storage s = storage();
        Tensor v = live == null ? Dispatch.emit(op, this) : Dispatch.emit(op, this, live);
        v.storage = s;
        v.seen = s.version;
        v.view = new ViewStep(view, op, live);
        Tensor root = base != null ? base : view == null ? this : null;
        if (Trace.current().gradMode) {
            v.base = root;
            if (root != null) v.seenRebased = root.rebased;
        } else {
            v.takenWithoutGrad = requiresGrad() || takenWithoutGrad;
        }
        return v;
    }

    /** A tensor that shares this one's elements but not its history. */
    Tensor alias() {
        Storage s = storage();
        Tensor d = new Tensor(value());
        d.storage = s;
        d.seen = s.version;
        d.view = view;
        return d;
    }

    /**
     * Writes {@code r}, which has this tensor's type, to this tensor's elements, wherever they live. While
     * gradients are on, this tensor (and the tensor it is a view of) continues with {@code r}'s history.
     */
    Tensor assign(Tensor r) {
        Trace t = Trace.current();
        if (t.gradMode) checkWritable(r);
        Storage s = storage();
        refresh();
        if (view == null) {
            s.write(t, r.read(t));
            value = s.value;
            seen = s.version;
            if (t.gradMode) follow(r);
        } else {
            writeThrough(t, s, r);
        }
        if (r.node instanceof OpNode n) n.moved(this, r.result);
        return this;
    }

    private void writeThrough(Trace t, Storage s, Tensor r) {
        Tensor b = new Tensor(s.value);
        if (t.gradMode && base != null && base.requiresGrad()) b.history(base.edge(), base.resultNumber());
        t.calls++;
        Tensor written;
        try {
            written = view.write(b, r);
        } finally {
            t.calls--;
        }
        s.write(t, written.value);
        value = r.value;
        seen = s.version;
        if (!t.gradMode) return;
        if (base != null) {
            base.seen = s.version;
            base.value = s.value;
            base.follow(written);
            seenRebased = base.rebased;
        }
        node = r.node;
        result = r.result;
    }

    private void follow(Tensor r) {
        if (r.requiresGrad()) {
            node = r.edge();
            result = r.resultNumber();
            Recording recording = Trace.current().recording;
            if (recording != null && storage().recorded != recording) recording.historyEscapes = true;
        } else {
            node = null;
        }
        rebased++;
    }

    private void checkWritable(Tensor r) {
        if (leafRequiresGrad) {
            throw Errors.state("a leaf tensor that requires gradients (" + type()
                    + ") is being written in place; do it in noGrad(), or clone() it first");
        }
        if (base != null && base.leafRequiresGrad) {
            throw Errors.state("a view of a leaf tensor that requires gradients (" + base.type()
                    + ") is being written in place; " + "do it in noGrad(), or clone() the leaf first");
        }
        if (takenWithoutGrad && (r.requiresGrad() || requiresGrad())) {
            throw Errors.state(
                    "a view " + type()
                            + " that was taken in noGrad() is being written in place while gradients are on; take the view again");
        }
    }

    // ---- the tape

    /** True if a gradient flows to this tensor in a backward pass. */
    public boolean requiresGrad() {
        if (leafRequiresGrad || node != null) {
            refresh();
            return leafRequiresGrad || node != null;
        }
        if (base == null || base.rebased == seenRebased) return false;
        refresh();
        return node != null;
    }

    /**
     * True for tensors that are not results of recorded operators: their gradients accumulate in {@code
     * grad()}.
     */
    public boolean isLeaf() {
        return node == null;
    }

    void history(TapeNode from, int number) {
        node = from;
        result = number;
    }

    /** The node whose result this tensor is: that of the recorded operator, or the leaf's accumulator. */
    TapeNode edge() {
        if (node != null) return node;
        if (accumulator == null) accumulator = new AccumulateNode(this);
        return accumulator;
    }

    int resultNumber() {
        return node != null ? result : 0;
    }

    void leafRequiresGrad(boolean requires) {
        Recording r = Trace.current().recording;
        if (r != null && requires && !leafRequiresGrad) r.leaves.add(this);
        leafRequiresGrad = requires;
    }

    /** The gradient, for those who neither keep it nor make anything of it. */
    Tensor gradient() {
        Recording r = Trace.current().recording;
        if (r != null) r.looksAtGradient(this, grad);
        return grad;
    }

    /** The gradient, for who only asks which one it is. */
    Tensor presentGradient() {
        return grad;
    }

    /** The gradient, for anybody: its memory lives as long as they want it. */
    Tensor sharedGradient() {
        Recording r = Trace.current().recording;
        if (r != null) r.looksAtGradient(this, grad);
        if (gradEra != null) gradEra.expose();
        gradEra = null;
        return grad;
    }

    /** The gradient for whoever puts what the trace {@code t} makes of it into storages and gives it to nobody. */
    Tensor lentGradient(Trace t) {
        GradientEra era = grad != null && grad.value().trace == t ? GradientEra.continued(gradEra, t) : null;
        if (era == null) return sharedGradient();
        gradEra = era;
        return grad;
    }

    /** The era that the gradient belongs to, or null if somebody else may hold it. */
    GradientEra gradientEra() {
        return gradEra;
    }

    void gradient(Tensor g) {
        gradient(g, null);
    }

    /** @param era of {@code g}, if nobody else holds it; else null */
    void gradient(Tensor g, GradientEra era) {
        Recording r = Trace.current().recording;
        if (r != null) r.gradients.add(this);
        Tensor old = grad;
        GradientEra oldEra = gradEra;
        grad = g;
        gradEra = era;
        if (oldEra != null && old != g) oldEra.dropped(old);
    }

    void forgetHistory() {
        node = null;
        base = null;
        rebased++;
    }

    /** Prints what is known without computing anything: the elements, or shape and dtype. */
    @Override
    public String toString() {
        return Printer.print(this, false);
    }

    /** A tensor of zeros. */
    static Tensor zeros(Type type) {
        return Dispatch.EMITTER.expand(Dispatch.emit(io.sinter.ir.op.Constant.of(type.dtype(), 0)), type.shape());
    }
}
