// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import java.util.List;
import java.util.function.IntFunction;

/** What every executable does with its arguments before it runs. */
final class Args {
    private Args() {}

    /** The arguments fit: their number, buffers where buffers belong, of the program's device, large enough. */
    static void check(List<? extends Arg> args, List<Type> types, List<Boolean> scalars, Device device) {
        if (args.size() != types.size()) {
            throw new IllegalArgumentException("program takes " + types.size() + " arguments, got " + args.size());
        }
        for (int i = 0; i < types.size(); i++) {
            if (!(args.get(i) instanceof Buffer b)) {
                if (!scalars.get(i)) throw problem(i, types.get(i), "a host scalar was given for a buffer");
                continue;
            }
            Type type = types.get(i);
            if (scalars.get(i)) throw problem(i, type, "a buffer was given for a host scalar");
            if (b.bytes() < type.bytes())
                throw problem(i, type, "needs " + type.bytes() + " bytes, the buffer has " + b.bytes());
            if (!b.device().equals(device))
                throw problem(i, type, "the buffer is on " + b.device() + ", the program runs on " + device);
        }
    }

    private static IllegalArgumentException problem(int i, Type type, String what) {
        return new IllegalArgumentException("argument " + i + " of type " + type + ": " + what);
    }

    /** The results' memory: arguments that they are or take over, fresh buffers, buffers of results before them. */
    static List<Buffer> results(Plan plan, List<? extends Arg> args, IntFunction<?> tags, Allocator allocator) {
        return results(plan, args, new Buffer[plan.resultTypes().size()], tags, allocator);
    }

    /**
     * As {@link #results(Plan, List, IntFunction, Allocator)}.
     *
     * @param fresh buffers that there are already for results of their own; null where there is none
     */
    static List<Buffer> results(
            Plan plan, List<? extends Arg> args, Buffer[] fresh, IntFunction<?> tags, Allocator allocator) {
        Buffer[] results = fresh.clone();
        for (int i = 0; i < results.length; i++) {
            if (results[i] != null) continue;
            int other = ParameterBlock.base(plan, plan.resultPlaces().get(i)) - args.size();
            if (other < 0 && args.get(other + args.size()) instanceof Buffer b) {
                results[i] = b;
            } else if (other < 0 || other == i) {
                // A scalar argument that is a result needs memory, too.
                results[i] = allocator.allocate(plan.resultTypes().get(i).bytes(), tags.apply(i));
            } else if (other < i) {
                results[i] = results[other];
            } else {
                throw new IllegalStateException(
                        "result " + i + " lies in " + plan.resultPlaces().get(i));
            }
        }
        return List.of(results);
    }

    /** Pins the buffers: all, or (with an exception) none. */
    static void pin(List<? extends Arg> args) {
        int pinned = 0;
        try {
            for (Arg a : args) {
                if (a instanceof Buffer b) b.pin();
                pinned++;
            }
        } catch (IllegalStateException e) {
            unpin(args.subList(0, pinned));
            throw e;
        }
    }

    static void unpin(List<? extends Arg> args) {
        for (Arg a : args) if (a instanceof Buffer b) b.unpin();
    }
}
