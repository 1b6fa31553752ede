// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Arg;
import io.sinter.runtime.Begun;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Run;
import io.sinter.runtime.dump.Sources;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.IntFunction;

/**
 * What a trace will run when it is whole, if it is like the ones before: on a GPU the program begins while the step is still being traced, so that the
 * device does not wait for the host. A training loop runs the same program step after step; its arguments are parameters and other state, which lie where the
 * last step left them, numbers that stay the same, and data that the trace meets at the same place as before. Whether the guess was right is known when
 * the trace is whole: its canonical form names the program, and its arguments are compared. A wrong guess has cost the device's time, nothing else.
 *
 * <p>Methods are called by the trace's thread, {@link #spoil} by any.
 */
final class Prediction {
    /** No trace is so long. */
    private static final int NEVER = Integer.MAX_VALUE;
    /** Traces that must be as was guessed before guesses are acted on again after a wrong one. */
    private static final int PENANCE = 16;

    private static final Arg[] NONE = {};

    /** Where an argument comes from. */
    private static final class Guess {
        /** What holds it at the beginning of the trace; null if nothing did. */
        WeakReference<Storage> home;
        /** A number that was the same in the trace before; null if it changes. */
        Arg.Scalar number;
        /** The entry of the trace that has it as an operand first, and which operand; -1 if none has. */
        int entry = -1;

        int operand;

        /** What it is at the beginning of a trace; null if that is not known. */
        Arg atStart() {
            if (number != null) return number;
            Storage s = home == null ? null : home.get();
            Value v = s == null ? null : s.value;
            return v == null || v.scalar ? null : argument(v);
        }
    }

    /** What follows a program. */
    private static final class Next {
        WeakReference<Executable> program = new WeakReference<>(null);
        /** By argument. */
        Guess[] guesses = {};
        /** Sizes of the trace at which an argument becomes known, ascending. */
        int[] stops = {};

        SourceLine[] resultLines = {};
        /** Traces in a row that were as guessed, after what is to be waited for. */
        int right;
    }

    private final Map<Executable, Next> next = new WeakHashMap<>();
    /** The last program that was run; null before the first one, or if it is gone. */
    private WeakReference<Executable> last = new WeakReference<>(null);

    private Next expected;
    /** What is known of the expected program's arguments. */
    private Arg[] known = NONE;

    private int stop;
    private Begun begun;
    /** Whether a part of the trace has been run by itself. */
    private boolean spoilt;

    /** The size of the trace at which {@link #reached} is to be called. */
    int at = NEVER;

    private static Arg argument(Value v) {
        if (!v.present()) return null;
        return v.scalar ? new Arg.Scalar(v.bits) : v.data;
    }

    /** A new trace begins. */
    synchronized void restart() {
        abandon();
        spoilt = false;
        Executable before = last.get();
        expected = before == null ? null : next.get(before);
        at = expected == null ? NEVER : 1;
    }

    /** A part of the trace runs by itself. */
    synchronized void spoil() {
        abandon();
        spoilt = true;
        at = NEVER;
    }

    private void abandon() {
        if (begun != null) begun.abandon();
        begun = null;
        known = NONE;
    }

    /** The trace has as many entries as was asked for by {@link #at}. */
    synchronized void reached(Trace trace, Pending pending) {
        if (spoilt || trace.recording != null || pending.size() != at) {
            at = NEVER;
            return;
        }
        Guess[] guesses = expected.guesses;
        if (at == 1) {
            known = new Arg[guesses.length];
            for (int i = 0; i < guesses.length; i++) known[i] = guesses[i].atStart();
            stop = 0;
        }
        for (int i = 0; i < guesses.length; i++)
            if (known[i] == null && guesses[i].entry == at - 1) known[i] = operand(pending.get(at - 1), guesses[i]);
        if (expected.right > 0) begin();
        while (stop < expected.stops.length && expected.stops[stop] <= at) stop++;
        at = stop < expected.stops.length ? expected.stops[stop] : NEVER;
    }

    private static Arg operand(Value entry, Guess g) {
        return g.operand < entry.in.length ? argument(entry.in[g.operand]) : null;
    }

    private void begin() {
        if (begun == null) {
            Executable program = expected.program.get();
            SourceLine[] lines = expected.resultLines;
            if (program != null) begun = program.begin(i -> i < lines.length ? lines[i] : SourceLine.UNKNOWN);
        }
        if (begun != null) begun.advance(Arrays.asList(known));
    }

    /**
     * Runs a program that was cut out of the trace: goes on with it, if it has begun.
     *
     * @param values its arguments, which nothing has changed yet
     * @param resultLines where its results come from
     */
    synchronized Run run(
            Executable program,
            List<Arg> args,
            List<Value> values,
            Pending pending,
            IntFunction<SourceLine> resultLines,
            Sources sources) {
        Begun guess = begun;
        begun = null;
        if (spoilt || !program.begins()) {
            if (guess != null) guess.abandon();
            return program.run(args, resultLines, sources);
        }
        boolean right = guess != null && expected.program.get() == program && guess.agrees(args);
        if (guess != null && !right) guess.abandon();
        learn(program, args, values, pending, resultLines, guess != null && !right);
        return right ? guess.finish(args, resultLines, sources) : program.run(args, resultLines, sources);
    }

    private void learn(
            Executable program,
            List<Arg> args,
            List<Value> values,
            Pending pending,
            IntFunction<SourceLine> resultLines,
            boolean wrong) {
        Executable before = last.get();
        last = new WeakReference<>(program);
        if (before == null) return;
        Next n = next.computeIfAbsent(before, _ -> new Next());
        if (n.program.get() != program) {
            n.program = new WeakReference<>(program);
            n.right = wrong ? -PENANCE : Math.min(n.right, 0);
            n.guesses = guesses(values, pending);
            n.resultLines = new SourceLine[program.resultTypes().size()];
            for (int i = 0; i < n.resultLines.length; i++) n.resultLines[i] = resultLines.apply(i);
            stops(n);
        } else if (n == expected && known.length == args.size()) {
            boolean asGuessed = true;
            for (int i = 0; i < known.length; i++) {
                Guess g = n.guesses[i];
                // Unknown so far is right for what comes with the trace, and wrong for what should have been at home.
                if (known[i] == null ? g.home == null : known[i].equals(args.get(i))) continue;
                asGuessed = false;
                if (g.home == null && g.number == null) g.entry = -1;
                g.home = null;
                g.number = null;
            }
            n.right = wrong ? -PENANCE : asGuessed ? n.right + 1 : Math.min(n.right, 0);
            if (!asGuessed) stops(n);
        }
        known = NONE;
    }

    private static Guess[] guesses(List<Value> values, Pending pending) {
        Map<Value, Guess> byValue = new IdentityHashMap<>();
        Guess[] guesses = new Guess[values.size()];
        for (int i = 0; i < guesses.length; i++) {
            Value v = values.get(i);
            guesses[i] = new Guess();
            if (v.scalar) guesses[i].number = new Arg.Scalar(v.bits);
            else if (v.home != null) guesses[i].home = new WeakReference<>(v.home);
            byValue.put(v, guesses[i]);
        }
        for (int e = 0; e < pending.size(); e++) {
            Value[] in = pending.get(e).in;
            for (int k = 0; k < in.length; k++) {
                Guess g = in[k].op == null ? byValue.get(in[k]) : null;
                if (g == null || g.entry >= 0) continue;
                g.entry = e;
                g.operand = k;
            }
        }
        return guesses;
    }

    private static void stops(Next n) {
        List<Integer> stops = new ArrayList<>();
        for (Guess g : n.guesses) if (g.home == null && g.number == null && g.entry >= 0) stops.add(g.entry + 1);
        n.stops = stops.stream().distinct().sorted().mapToInt(i -> i).toArray();
    }
}
