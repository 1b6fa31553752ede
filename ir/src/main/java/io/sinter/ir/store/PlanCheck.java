// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.Type;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Slots;
import java.util.List;

/**
 * Whether the parts of a plan fit together: every piece of memory lies in what it is a piece of, every slot has a value, every list the length
 * that another one demands. It does not prove that a kernel stays within its buffers: a plan is code, like the classes that it launches.
 */
final class PlanCheck {
    private final Plan plan;
    /** Of each argument: most places are arguments, and each is named by many slots. */
    private final long[] argumentBytes;
    /** Which values of the launches' tables are sound: most launches name memory that others name, too. */
    private boolean[] sound = {};

    private Slots.Tables tables;

    private PlanCheck(Plan plan) {
        this.plan = plan;
        argumentBytes = new long[plan.argTypes().size()];
        for (int i = 0; i < argumentBytes.length; i++)
            argumentBytes[i] = bytes(plan.argTypes().get(i));
    }

    /** Throws what arithmetic and operators' type rules throw, too: {@link StoredPlan#read} makes that a {@link FormatException}. */
    static void check(Plan plan) {
        new PlanCheck(plan).run();
    }

    /**
     * A plan is checked before anything of this has been compiled: what is wrong is put into words only where something is.
     *
     * @param what a constant
     */
    private static void demand(boolean holds, String what) {
        if (!holds) throw new FormatException(what);
    }

    private void run() {
        demand(plan.arenaBytes() >= 0, "a negative arena");
        demand(plan.resultPlaces().size() == plan.resultTypes().size(), "results without places");
        for (int i = 0; i < plan.resultTypes().size(); i++) {
            Place p = plan.resultPlaces().get(i);
            demand(p instanceof Place.Argument || p instanceof Place.Result, "a result in temporary memory");
            holds(p, bytes(plan.resultTypes().get(i)));
        }
        for (int i = 0; i < plan.argTypes().size(); i++) {
            Type t = plan.argTypes().get(i);
            if (plan.scalarArgs().get(i) && t.rank() != 0) throw new FormatException("a scalar argument of type " + t);
        }
        for (Plan.Step s : plan.steps()) step(s);
    }

    private void step(Plan.Step s) {
        switch (s) {
            case Plan.Launch l -> launch(l);
            case Plan.Copy c -> {
                demand(c.bytes() >= 0, "a copy of less than nothing");
                holds(c.from(), c.bytes());
                holds(c.to(), c.bytes());
            }
            case Plan.LibraryCall c -> {
                demand(!c.in().isEmpty() && c.out().size() == 2, "a routine with other operands");
                hold(c.in(), c.inTypes());
                hold(c.out(), c.outTypes());
                demand(c.op().infer(c.inTypes()).equals(c.outTypes()), "a routine with results of other types");
            }
            case Plan.Repeat r -> repeat(r);
        }
    }

    private void hold(List<Place> places, List<Type> types) {
        demand(places.size() == types.size(), "operands without types");
        for (int i = 0; i < places.size(); i++) holds(places.get(i), bytes(types.get(i)));
    }

    private void launch(Plan.Launch l) {
        demand(!l.segments().isEmpty(), "a launch of nothing");
        for (int segment = 0; segment < l.segments().size(); segment++) {
            Slots slots = l.slots(segment);
            if (slots.size() != l.kernel().slots())
                throw new FormatException("a launch of " + l.kernel().name() + " with other slots");
            if (slots.tables() != tables) {
                tables = slots.tables();
                sound = new boolean[tables.values().length];
            }
            for (int i = 0; i < slots.others(); i++) {
                int value = slots.index(i);
                if (sound[value]) continue;
                value(slots.other(i));
                sound[value] = true;
            }
            // A slot that the kernel does not have is one that its reader has refused.
            for (Buf b : l.kernel().buffers())
                demand(slots.isAddress(b.slot()) == (b.kind() != Buf.Kind.SCRATCH), "a buffer without an address");
        }
    }

    private void value(SlotValue value) {
        switch (value) {
            case SlotValue.Address a -> bytes(a.place());
            case SlotValue.ScalarArgument a ->
                demand(plan.scalarArgs().get(argument(a.index())), "a tensor where a number is needed");
            case SlotValue.Number _, SlotValue.ErrorRecord _ -> {}
        }
    }

    private void repeat(Plan.Repeat r) {
        demand(r.steps() >= 0, "a loop of negative length");
        demand(r.arguments().size() == r.body().argTypes().size(), "a loop with other arguments");
        demand(r.results().size() == r.body().resultTypes().size(), "a loop with other results");
        for (int i = 0; i < r.arguments().size(); i++) {
            moves(r.arguments().get(i), r.steps(), bytes(r.body().argTypes().get(i)));
        }
        for (int i = 0; i < r.results().size(); i++) {
            moves(r.results().get(i), r.steps(), bytes(r.body().resultTypes().get(i)));
            demand(r.body().resultPlaces().get(i) instanceof Place.Result, "a loop's result that is no result");
        }
        if (r.body().arenaBytes() > 0) holds(r.arena(), r.body().arenaBytes());
        check(r.body());
    }

    /** In every run the memory must lie in the buffer that its first piece lies in. */
    private void moves(Plan.Moving m, long steps, long bytes) {
        demand(m.period() >= 0, "a negative period");
        long last = Math.max(0, m.period() == 0 ? steps - 1 : Math.min(m.period(), steps) - 1);
        long way = Math.multiplyExact(m.step(), last);
        holds(m.first(), bytes);
        Place whole = m.first();
        long offset = 0;
        while (whole instanceof Place.Part p) {
            offset = Math.addExact(offset, p.offset());
            whole = p.of();
        }
        long end = Math.addExact(offset, way);
        demand(end >= 0 && Math.addExact(end, bytes) <= bytes(whole), "a loop that runs out of its memory");
    }

    private static boolean isPiece(long offset, long bytes, long whole) {
        return offset >= 0 && bytes >= 0 && Math.addExact(offset, bytes) <= whole;
    }

    private int argument(int index) {
        if (index < 0 || index >= argumentBytes.length) throw new FormatException("no argument " + index);
        return index;
    }

    private static long bytes(Type t) {
        return Math.multiplyExact(t.numel(), (long) t.dtype().bytes());
    }

    private void holds(Place place, long bytes) {
        if (bytes > bytes(place)) throw new FormatException(bytes + " bytes in " + place);
    }

    /** Size of a place, which is checked to lie in its buffer. */
    private long bytes(Place place) {
        return switch (place) {
            case Place.Argument a -> argumentBytes[argument(a.index())];
            case Place.Result r -> {
                if (r.index() < 0 || r.index() >= plan.resultTypes().size())
                    throw new FormatException("no result " + r.index());
                yield bytes(plan.resultTypes().get(r.index()));
            }
            case Place.Temp t -> {
                if (!isPiece(t.offset(), t.bytes(), plan.arenaBytes()))
                    throw new FormatException(place + " in an arena of " + plan.arenaBytes());
                yield t.bytes();
            }
            case Place.Part p -> {
                if (!isPiece(p.offset(), p.bytes(), bytes(p.of())))
                    throw new FormatException("a part outside of its whole: " + place);
                yield p.bytes();
            }
        };
    }
}
