// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import io.sinter.cli.CommandFailure;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.Closeness;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.runtime.ArrayRun;
import io.sinter.runtime.Checks;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Device;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;

/** Runs graphs on a device and on the reference evaluator. */
final class GraphCheck {
    /** Integers are indices more often than not: these are in range of any axis of four elements. */
    private static final long INTEGERS = 4;

    private GraphCheck() {}

    /** What came of a check. */
    sealed interface Outcome {
        /** The results agree. */
        record Agrees(List<RefArray> results) implements Outcome {}

        /** They do not. */
        record Differs(Closeness.Difference worst) implements Outcome {}

        /** The compiler or the program failed where the reference evaluator did not. */
        record Fails(Throwable cause) implements Outcome {}

        /** The reference evaluator refuses the arguments, too: they say nothing. */
        record SaysNothing(RuntimeException cause) implements Outcome {}

        /** What goes wrong, in a word: two failures of one kind are taken for one fault. */
        default String kind() {
            return switch (this) {
                case Agrees _ -> "agrees";
                case Differs _ -> "differs";
                case Fails f -> "fails with " + f.cause.getClass().getSimpleName();
                case SaysNothing _ -> "says nothing";
            };
        }
    }

    /** A session for a device by its name, one more of which is {@code reference} or {@code interpreted}: loop IR without a generator. */
    static Session open(String device) {
        // Programs that go wrong are what it is there for.
        Options options = Options.fromProperties().withChecks(Checks.NONE);
        if (device.equals("reference") || device.equals("interpreted"))
            return Session.open(options.withDevice(Device.JVM).withBackend(Options.Backend.INTERPRETED));
        Device on;
        try {
            on = Device.parse(device);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(e.getMessage() + "; or reference: loop IR, interpreted", e);
        }
        return Session.open(options.withDevice(on).withBackend(Options.Backend.GENERATED));
    }

    /** Random arguments of a graph's types: floats between -2 and 2, small integers; the same for the same seed. */
    static List<RefArray> arguments(Graph graph, long seed) {
        List<RefArray> all = new ArrayList<>();
        for (Node n : graph.inputs()) {
            boolean isFloat = n.dtype().isFloat();
            RefArray a =
                    Sample.uniform(n.type(), isFloat ? -2 : 0, isFloat ? 2 : INTEGERS, seed * 1_000_003 + all.size());
            all.add(a);
        }
        return all;
    }

    /**
     * Arguments that were stored with a program, where they are known, and random ones for the others.
     *
     * @param known null elements for what is not known
     */
    static List<RefArray> arguments(Graph graph, List<RefArray> known, long seed) {
        List<RefArray> all = new ArrayList<>(arguments(graph, seed));
        for (int i = 0; i < all.size(); i++) if (known.get(i) != null) all.set(i, known.get(i));
        return all;
    }

    /** Compiles the graph for the session's device, and compares. */
    static Outcome check(Graph graph, List<RefArray> args, Session session) {
        return compare(graph, args, () -> Executable.compile(graph, CompileContext.of(session)), session);
    }

    /** Makes a program. */
    interface Maker {
        Executable make();
    }

    /** Compares a program with the graph that it should compute. */
    static Outcome compare(Graph graph, List<RefArray> args, Maker maker, Session session) {
        List<RefArray> want;
        try {
            want = RefEvaluator.run(graph, args);
        } catch (IndexError e) {
            return new Outcome.SaysNothing(e);
        }
        List<RefArray> got;
        try {
            got = ArrayRun.run(maker.make(), graph, args, session);
        } catch (RuntimeException | StackOverflowError | AssertionError e) {
            return new Outcome.Fails(e);
        }
        Closeness.Difference worst = Closeness.worst(got, want);
        return worst == null ? new Outcome.Agrees(got) : new Outcome.Differs(worst);
    }
}
