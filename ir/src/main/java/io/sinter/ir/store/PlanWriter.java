// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.Graph;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Slots;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes plans: first the names of all kernels' structures, then the kernels, each structure once, then all launches' slots ({@link Slots.Tables}; of equal numbers one block, of equal
 * values one), then the plan, which refers to them by their place. The graph, which is for messages, stays out,
 * and so does everything that says where a program was written.
 */
final class PlanWriter {
    private record CodeAndName(String code, String name) {}

    private final StoredPlan stored;
    private final ByteWriter out;
    private final Map<Kernel, Integer> numbers = new IdentityHashMap<>();
    /** Where the numbers of a block are among those of all blocks. */
    private final Map<LongBuffer, Integer> blocks = new HashMap<>();

    private PlanWriter(StoredPlan stored, ByteWriter out) {
        this.stored = stored;
        this.out = out;
    }

    static void write(StoredPlan stored, ByteWriter out) {
        PlanWriter w = new PlanWriter(stored, out);
        w.kernels();
        w.blocks();
        w.others();
        w.plan(stored.plan());
    }

    private void kernels() {
        Map<CodeAndName, Integer> distinct = new HashMap<>();
        ByteWriter names = new ByteWriter();
        ByteWriter table = new ByteWriter();
        for (Kernel k : StoredPlan.kernels(stored.plan())) {
            if (numbers.containsKey(k)) continue;
            String code = stored.codeName(k);
            Integer number = distinct.get(new CodeAndName(code, k.name()));
            if (number == null) {
                number = distinct.size();
                distinct.put(new CodeAndName(code, k.name()), number);
                names.text(code);
                KernelWriter.write(k, table);
            }
            numbers.put(k, number);
        }
        out.number(distinct.size()).raw(names.toBytes()).raw(table.toBytes());
    }

    /** Launches that do the same elsewhere, as those of a network's layers, have the same numbers. */
    private void blocks() {
        List<LongBuffer> distinct = new ArrayList<>();
        int size = 0;
        for (Plan.Launch l : StoredPlan.launches(stored.plan())) {
            for (int s = 0; s < l.segments().size(); s++) {
                LongBuffer block = numbers(l.slots(s));
                if (blocks.putIfAbsent(block, size) != null) continue;
                distinct.add(block);
                size += block.capacity();
            }
        }
        LongBuffer all = LongBuffer.allocate(size);
        for (LongBuffer block : distinct) all.put(block.duplicate());
        out.longs(all.array());
    }

    /** What is no number, in the order in which {@link #slots} passes it. */
    private void others() {
        List<Integer> places = new ArrayList<>();
        List<Integer> others = new ArrayList<>();
        Map<SlotValue, Integer> values = new LinkedHashMap<>();
        for (Plan.Launch l : StoredPlan.launches(stored.plan())) {
            for (int s = 0; s < l.segments().size(); s++) {
                Slots slots = l.slots(s);
                for (int i = 0; i < slots.others(); i++) {
                    places.add(slots.place(i));
                    others.add(values.computeIfAbsent(slots.other(i), _ -> values.size()));
                }
            }
        }
        out.ints(ints(places)).ints(ints(others)).number(values.size());
        values.keySet().forEach(this::value);
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    private void value(SlotValue value) {
        switch (value) {
            case SlotValue.Address(Place place) -> {
                out.u8(0);
                place(place);
            }
            case SlotValue.ScalarArgument(int index) -> out.u8(1).number(index);
            case SlotValue.ErrorRecord() -> out.u8(2);
            case SlotValue.Number _ -> throw new AssertionError("a number beside the numbers");
        }
    }

    /** Equal if the numbers are. */
    private static LongBuffer numbers(Slots slots) {
        long[] numbers = new long[slots.size()];
        slots.copyNumbers(numbers, 0);
        return LongBuffer.wrap(numbers);
    }

    private void plan(Plan plan) {
        if (!(plan
                instanceof
                Plan(
                        Graph _,
                        List<Type> argTypes,
                        List<Boolean> scalarArgs,
                        List<Type> resultTypes,
                        List<Place> resultPlaces,
                        List<Plan.Step> steps,
                        long arenaBytes,
                        List<Plan.Site> sites))) throw new AssertionError();
        types(argTypes);
        for (boolean scalar : scalarArgs) out.bool(scalar);
        types(resultTypes);
        places(resultPlaces);
        out.number(arenaBytes);
        out.number(sites.size());
        for (Plan.Site s : sites) {
            if (!(s instanceof Plan.Site(String operator, int origin))) throw new AssertionError();
            out.text(operator).number(origin);
        }
        out.number(steps.size());
        steps.forEach(this::step);
    }

    private void step(Plan.Step s) {
        int[] origins = stored.origins(s);
        out.number(origins.length);
        for (int o : origins) out.number(o);
        switch (s) {
            case Plan.Launch(Kernel kernel, List<List<SlotValue>> segments) -> {
                out.u8(0).number(numbers.get(kernel)).text(stored.form(s)).number(segments.size());
                for (List<SlotValue> segment : segments) slots(Slots.of(segment));
            }
            case Plan.LibraryCall(
                    Op op,
                    List<Type> inTypes,
                    List<Place> in,
                    List<Type> outTypes,
                    List<Place> results) -> {
                out.u8(1);
                routine(op);
                types(inTypes);
                places(in);
                types(outTypes);
                places(results);
            }
            case Plan.Copy(Place from, Place to, long bytes) -> {
                out.u8(2);
                place(from);
                place(to);
                out.number(bytes);
            }
            case Plan.Repeat(
                    Plan body,
                    long steps,
                    List<Plan.Moving> arguments,
                    List<Plan.Moving> results,
                    Place arena) -> {
                out.u8(3);
                plan(body);
                out.number(steps);
                moving(arguments);
                moving(results);
                place(arena);
            }
        }
    }

    private void routine(Op op) {
        if (!(op instanceof Routine routine)) throw new FormatException(op.name() + " is no routine");
        switch (routine) {
            case Sort(int axis, boolean descending) -> out.u8(0).number(axis).bool(descending);
            case TopK(int axis, long k, boolean largest) ->
                out.u8(1).number(axis).number(k).bool(largest);
            case MaxPool(long[] kernel, long[] stride, long[] padLow, long[] padHigh, long[] dilation) -> {
                out.u8(2);
                for (long[] numbers : new long[][] {kernel, stride, padLow, padHigh, dilation}) {
                    out.number(numbers.length);
                    for (long n : numbers) out.number(n);
                }
            }
        }
    }

    private void moving(List<Plan.Moving> list) {
        out.number(list.size());
        for (Plan.Moving m : list) {
            if (!(m instanceof Plan.Moving(Place first, long step, int period))) throw new AssertionError();
            place(first);
            out.number(step).number(period);
        }
    }

    private void slots(Slots slots) {
        out.number(slots.size()).number(blocks.get(numbers(slots))).number(slots.others());
    }

    private void places(List<Place> list) {
        out.number(list.size());
        list.forEach(this::place);
    }

    private void place(Place p) {
        switch (p) {
            case Place.Argument(int index) -> out.u8(0).number(index);
            case Place.Result(int index) -> out.u8(1).number(index);
            case Place.Temp(long offset, long bytes) -> out.u8(2).number(offset).number(bytes);
            case Place.Part(Place of, long offset, long bytes) -> {
                out.u8(3);
                place(of);
                out.number(offset).number(bytes);
            }
        }
    }

    private void types(List<Type> list) {
        out.number(list.size());
        for (Type t : list) {
            out.constant(t.dtype()).number(t.rank());
            for (int i = 0; i < t.rank(); i++) out.number(t.dim(i));
        }
    }
}
