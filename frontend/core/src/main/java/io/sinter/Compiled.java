// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A function that is traced once for each signature of its arguments (types, which of them are one tensor,
 * whether gradients are recorded) and then replayed; twice, if the first call makes state of its own. A
 * replay gives exactly the function's results: it reads the tensors that the function captured as they are
 * then, writes those that it writes, sets the gradients that it sets, and draws its random numbers and
 * {@linkplain Trace#live live} numbers again. Java code in the function, and Java numbers in it, run only
 * when traced.
 *
 * <p>A result may require gradients if the function itself has gone backward through it (a training step that returns its loss). Results that are
 * still to be differentiated have a tape of one step, whose gradient is a program of its own ({@link CompiledBackward}). Where that cannot be made
 * ({@link CompiledTape#of} says when) the function is traced at every call.
 */
final class Compiled {
    /** Every so many replays the function is traced again, and must do what it did: {@code -Dsinter.compile.verify=N}; 0 for never. */
    private static final int VERIFY = Integer.getInteger("sinter.compile.verify", 0);

    private final UnaryOperator<Tensor[]> function;
    private final CompileOptions options;
    private final int verify;
    private long calls;
    /** Programs by signature; those that differ in extents of dynamic axes alone are together. */
    private final Map<CompiledSignature, Map<CompiledSignature, List<CompiledVariant>>> families = new HashMap<>();
    /** Signatures whose first trace made state of its own. */
    private final Set<CompiledSignature> warm = new HashSet<>();

    Compiled(UnaryOperator<Tensor[]> function) {
        this(function, CompileOptions.DEFAULT, VERIFY);
    }

    /** @param verify every so many replays the function is traced again; 0 for never */
    Compiled(UnaryOperator<Tensor[]> function, CompileOptions options, int verify) {
        this.function = function;
        this.options = options;
        this.verify = verify;
    }

    Compiled(UnaryOperator<Tensor[]> function, CompileOptions options) {
        this(function, options, VERIFY);
    }

    synchronized Tensor[] call(Tensor... inputs) {
        Trace t = Trace.current();
        if (t.recording != null || t.eager) return function.apply(inputs);
        CompiledSignature signature = CompiledSignature.of(t, inputs);
        Map<CompiledSignature, List<CompiledVariant>> family = families.computeIfAbsent(
                options.dynamic().isEmpty() ? signature : signature.general(options.dynamic()), _ -> new Family());
        List<CompiledVariant> known = family.getOrDefault(signature, List.of());
        for (CompiledVariant v : known) {
            if (!v.fits()) continue;
            if (v.program() == null) return function.apply(inputs);
            calls++;
            return verify > 0 && calls % verify == 0
                    ? verify(t, signature, family, v, inputs)
                    : CompiledReplay.run(t, v, inputs);
        }
        boolean specializes = known.isEmpty()
                && family.values().stream().flatMap(List::stream).anyMatch(CompiledVariant::fits);
        if (calls++ >= options.strictAfter() && !specializes) {
            throw Errors.state(
                    "a function given to Sinter.compile would be traced and compiled again at call " + calls
                            + ", and its options allow that for the first " + options.strictAfter()
                            + " only: its arguments are "
                            + signature.types() + (signature.gradMode() ? "" : " without gradients")
                            + ", or a network in it has been switched between training and evaluation, or a leaf has a gradient that had none, or none any more");
        }
        Tensor[] out = record(t, signature, family, inputs);
        if (specializes) signature.session().counters().specialized();
        return out;
    }

    /** Programs for the extents of dynamic axes; those that were longest not used go. */
    private static final class Family extends LinkedHashMap<CompiledSignature, List<CompiledVariant>> {
        private static final long serialVersionUID = 1;

        Family() {
            super(4, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<CompiledSignature, List<CompiledVariant>> eldest) {
            return size() > CompileOptions.SPECIALIZATIONS;
        }
    }

    /** Traces again and compares. */
    private Tensor[] verify(
            Trace t,
            CompiledSignature signature,
            Map<CompiledSignature, List<CompiledVariant>> family,
            CompiledVariant v,
            Tensor[] inputs) {
        List<CompiledVariant> known = family.get(signature);
        int before = known.size();
        Tensor[] out = record(t, signature, family, inputs);
        CompiledVariant again = known.size() > before ? known.removeLast() : null;
        if (again == null || !again.isAgain(v)) {
            throw Errors.state(
                    "a function given to Sinter.compile no longer does what it did when it was traced (program "
                            + (again == null ? "that makes state" : again.key()) + " instead of " + v.key()
                            + "): Java code in it, or a Java number that it uses, depends on something that changes; make the number live "
                            + "(Trace.live), a switch observed, or do not compile the function");
        }
        return out;
    }

    private Tensor[] record(
            Trace t,
            CompiledSignature signature,
            Map<CompiledSignature, List<CompiledVariant>> family,
            Tensor[] inputs) {
        t.work.flush();
        for (Tensor x : inputs) {
            Host.buffer(x);
            x.value().scalar = false;
            x.storage();
        }
        Recording r = new Recording(t);
        CompiledTracing tracing = new CompiledTracing(t, r, inputs);
        Tensor[] out;
        t.recording = r;
        try {
            out = function.apply(inputs);
        } finally {
            t.recording = null;
        }
        if (makesState(r) && warm.add(signature)) {
            r.end();
            t.work.finishCall(Arrays.stream(out).map(Tensor::value).toList());
            return out;
        }
        CompiledVariant v;
        t.autotune = options.autotune();
        try {
            v = tracing.variant(out);
        } finally {
            t.autotune = null;
        }
        r.end();
        family.computeIfAbsent(signature, _ -> new ArrayList<>()).add(v);
        return out;
    }

    /**
     * Did the function write in place to tensors that it made itself? They may be temporaries, or state that
     * it makes when first called (an optimizer's moments): the next call, which is traced too, tells.
     */
    private static boolean makesState(Recording r) {
        Set<Storage> gradients = new HashSet<>();
        for (Tensor p : r.gradients)
            if (p.presentGradient() != null) gradients.add(p.presentGradient().storageOrNull());
        for (Storage s : r.written) {
            if (s.version > 0 && s.overwritten != null && s.overwritten.recorded == r && !gradients.contains(s))
                return true;
        }
        return false;
    }
}
