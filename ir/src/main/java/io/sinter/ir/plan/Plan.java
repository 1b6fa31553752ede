// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.Graph;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A compiled program before code generation: the launches in order, and where every buffer lives. Device-independent data.
 *
 * @param graph the program as it was before fusion (after decomposition), for messages and dumps
 * @param argTypes types of the arguments; scalar arguments come by value
 * @param scalarArgs which arguments are host scalars
 * @param resultTypes types of the results
 * @param resultPlaces where each result is: a fresh buffer of its own ({@link Place.Result}), an argument (donated or passed through), or another
 *     result (an output listed twice)
 * @param steps what to run, in order
 * @param arenaBytes size of the arena that temporaries live in, one allocation for the whole program
 * @param sites for each index check, what to say when it fails; its position is the site number
 */
public record Plan(
        Graph graph,
        List<Type> argTypes,
        List<Boolean> scalarArgs,
        List<Type> resultTypes,
        List<Place> resultPlaces,
        List<Step> steps,
        long arenaBytes,
        List<Site> sites) {
    /** The same plan with other steps. */
    public Plan withSteps(List<Step> others) {
        return new Plan(graph, argTypes, scalarArgs, resultTypes, resultPlaces, others, arenaBytes, sites);
    }

    /** A piece of memory. */
    public sealed interface Place {
        /** The buffer of argument {@code index}. */
        record Argument(int index) implements Place {
            @Override
            public long start() {
                return 0;
            }
        }

        /** The buffer of result {@code index}: fresh memory that outlives the run. */
        record Result(int index) implements Place {
            @Override
            public long start() {
                return 0;
            }
        }

        /** Temporary memory at a byte offset (64-byte aligned) of the arena. */
        record Temp(long offset, long bytes) implements Place {
            @Override
            public long start() {
                return offset;
            }
        }

        /** {@code bytes} bytes of another place, from byte {@code offset} on. */
        record Part(Place of, long offset, long bytes) implements Place {
            @Override
            public long start() {
                return of.start() + offset;
            }
        }

        /** Where it begins: bytes from the beginning of the argument, the result or the arena that it is in. */
        long start();
    }

    /** One thing to run. */
    public sealed interface Step {}

    /**
     * A launch of one kernel over one or more independent segments (the same code with other parameter blocks: all parameters of an optimizer
     * step). Counts as one kernel.
     *
     * @param segments of each its slots: {@link Slots}, whatever list they were given as
     */
    public record Launch(Kernel kernel, List<List<SlotValue>> segments) implements Step {
        public Launch {
            List<List<SlotValue>> kept = new ArrayList<>(segments.size());
            for (List<SlotValue> s : segments) kept.add(Slots.of(s));
            segments = Collections.unmodifiableList(kept);
        }

        /** The slots of one segment. */
        public Slots slots(int segment) {
            return (Slots) segments.get(segment);
        }
    }

    /** An operator that the device's library runs whole (sort, top-k): operands and results are dense. */
    public record LibraryCall(Op op, List<Type> inTypes, List<Place> in, List<Type> outTypes, List<Place> out)
            implements Step {}

    /** Copies {@code bytes} bytes. */
    public record Copy(Place from, Place to, long bytes) implements Step {}

    /**
     * Runs a plan {@code steps} times, one after another. The body's arguments and results are memory of this plan, which may move from run to run;
     * its results are all {@link Place.Result}s, each of its own.
     *
     * @param arguments where each argument of the body is
     * @param results where each result of the body goes
     * @param arena where the body's temporaries are, {@link Plan#arenaBytes} of it
     */
    public record Repeat(Plan body, long steps, List<Moving> arguments, List<Moving> results, Place arena)
            implements Step {}

    /**
     * Memory that is another piece in every run of a {@link Repeat}: {@code first} in the first, and {@code step} bytes further on in each one after
     * it; with a {@code period} it is back at {@code first} every so many runs (0: never).
     */
    public record Moving(Place first, long step, int period) {
        /** Bytes from {@code first} to where it is in run {@code k}. */
        public long offset(long k) {
            return step * (period == 0 ? k : k % period);
        }
    }

    /** What goes into one 8-byte slot of a parameter block. */
    public sealed interface SlotValue {
        /** Address of a place. */
        record Address(Place place) implements SlotValue {}

        /** A number known when the program is planned: extent, stride, offset, site, constant bits. */
        record Number(long value) implements SlotValue {}

        /** Raw bits of a scalar argument, converted by the host from the argument's dtype to its register dtype. */
        record ScalarArgument(int index) implements SlotValue {}

        /** Address of the program's error record (slot 0 of every block). */
        record ErrorRecord() implements SlotValue {}
    }

    /** An index check: the operator's name and the node's origin (for the user's line). */
    public record Site(String operator, int origin) {}
}
