// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.lower.Params.BufferKey;
import io.sinter.ir.op.Loop;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Moving;
import io.sinter.ir.plan.Plan.Place;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A loop before memory is placed: the plan of its body, and where it reads its operands.
 *
 * <p>Slices, outputs and histories move by one element of their sequence from step to step. A carried value that is kept is read where the step
 * before has written it, in the history itself; any other has two places, of which every step reads one and writes the other.
 *
 * @param node the loop
 * @param operands where each operand lies; null for those without elements
 * @param keys the buffers that hold them
 */
record RepeatDraft(Node node, Loop loop, Plan body, List<Resident> operands, List<BufferKey> keys)
        implements Lowering.Draft {
    private static final long ALIGN = 64;

    static RepeatDraft of(
            Node n,
            Predicate<Node> copied,
            Function<Node, BufferKey> key,
            Fusion.Limits limits,
            Sites sites,
            CompilerWatch watch) {
        Loop loop = (Loop) n.op();
        List<Resident> operands = new ArrayList<>();
        List<BufferKey> keys = new ArrayList<>();
        for (int i = 0; i < n.inputs().size(); i++) {
            boolean empty = n.input(i).type().numel() == 0;
            Resident r = empty ? null : Resident.of(n.input(i), loop, i, copied);
            operands.add(r);
            keys.add(empty ? null : key.apply(r.holder()));
        }
        Fusion.Result fused = Fusion.run(loop.body(), limits);
        watch.fused(loop.body(), fused);
        Plan body = Lowering.lower(loop.body(), fused.groups(), limits, sites.within(n), watch);
        return new RepeatDraft(n, loop, ownResults(body), operands, keys);
    }

    /** The plan with every result in memory of its own: arguments that are results, and results that are listed twice, are copied. */
    private static Plan ownResults(Plan p) {
        List<Plan.Step> steps = new ArrayList<>(p.steps());
        List<Place> results = new ArrayList<>();
        for (int k = 0; k < p.resultPlaces().size(); k++) {
            Place own = new Place.Result(k);
            results.add(own);
            long bytes = p.resultTypes().get(k).bytes();
            if (bytes > 0 && !p.resultPlaces().get(k).equals(own)) {
                steps.add(new Plan.Copy(p.resultPlaces().get(k), own, bytes));
            }
        }
        return new Plan(
                p.graph(), p.argTypes(), p.scalarArgs(), p.resultTypes(), results, steps, p.arenaBytes(), List.of());
    }

    @Override
    public Set<BufferKey> reads() {
        Set<BufferKey> s = new LinkedHashSet<>(keys);
        s.remove(null);
        return s;
    }

    @Override
    public Set<BufferKey> writes() {
        Set<BufferKey> s = new LinkedHashSet<>();
        for (int i = 0; i < node.types().size(); i++) s.add(new BufferKey(node, i));
        return s;
    }

    /** The body's arena, then two places for each carried value that is not kept. */
    @Override
    public long arenaBytes() {
        long bytes = aligned(body.arenaBytes());
        for (int i = 0; i < loop.carried(); i++)
            if (!loop.kept().contains(i)) bytes += 2 * aligned(loop.input(i).bytes());
        return bytes;
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGN - 1) / ALIGN * ALIGN;
    }

    /**
     * What to run.
     *
     * @param place of a value
     * @param own {@link #arenaBytes} of memory; null for none
     */
    List<Plan.Step> steps(Function<BufferKey, Place> place, Place own) {
        List<Plan.Step> before = new ArrayList<>();
        List<Plan.Step> after = new ArrayList<>();
        List<Moving> arguments = new ArrayList<>();
        List<Moving> results = new ArrayList<>();
        long last = loop.steps() - 1;
        long at = aligned(body.arenaBytes());
        for (int i = 0; i < loop.carried(); i++) {
            long bytes = loop.input(i).bytes();
            Place result = place.apply(new BufferKey(node, i));
            if (bytes == 0) {
                arguments.add(still(NOTHING));
                results.add(still(NOTHING));
            } else if (loop.kept().contains(i)) {
                long step = loop.reverse() ? -bytes : bytes;
                Place given = new Place.Part(result, loop.reverse() ? loop.steps() * bytes : 0, bytes);
                Place next = new Place.Part(result, loop.reverse() ? last * bytes : bytes, bytes);
                arguments.add(new Moving(given, step, 0));
                results.add(new Moving(next, step, 0));
                before.add(new Plan.Copy(operand(place, i), given, bytes));
            } else {
                long step = aligned(bytes);
                Place given = new Place.Part(own, at, bytes);
                Place next = new Place.Part(own, at + step, bytes);
                at += 2 * step;
                arguments.add(new Moving(given, step, 2));
                results.add(new Moving(next, -step, 2));
                before.add(new Plan.Copy(operand(place, i), given, bytes));
                after.add(new Plan.Copy(loop.steps() % 2 == 0 ? given : next, result, bytes));
            }
        }
        for (int i = loop.carried(); i < operands.size(); i++) arguments.add(argument(place, i, last));
        for (int k = loop.carried(); k < node.types().size(); k++) {
            Type t = body.resultTypes().get(k);
            Place sequence = place.apply(new BufferKey(node, k));
            long first = loop.reverse() ? last * t.bytes() : 0;
            long step = loop.reverse() ? -t.bytes() : t.bytes();
            results.add(
                    t.bytes() == 0 ? still(NOTHING) : new Moving(new Place.Part(sequence, first, t.bytes()), step, 0));
        }
        List<Plan.Step> all = new ArrayList<>(before);
        Place arena = own == null ? NOTHING : own;
        all.add(new Plan.Repeat(body, loop.steps(), List.copyOf(arguments), List.copyOf(results), arena));
        all.addAll(after);
        return all;
    }

    /** The place of what has no elements. */
    private static final Place NOTHING = new Place.Temp(0, 0);

    private static Moving still(Place p) {
        return new Moving(p, 0, 0);
    }

    private Place operand(Function<BufferKey, Place> place, int i) {
        Resident r = operands.get(i);
        int width = loop.input(i).dtype().bytes();
        return new Place.Part(
                place.apply(keys.get(i)), r.offset() * width, loop.input(i).bytes());
    }

    /** A slice or an invariant. */
    private Moving argument(Function<BufferKey, Place> place, int i, long last) {
        Resident r = operands.get(i);
        if (r == null) return still(NOTHING);
        int width = loop.input(i).dtype().bytes();
        long first = r.offset() + (loop.reverse() ? last * r.step() : 0);
        Place p = new Place.Part(
                place.apply(keys.get(i)), first * width, loop.input(i).bytes());
        return new Moving(p, (loop.reverse() ? -r.step() : r.step()) * width, 0);
    }
}
