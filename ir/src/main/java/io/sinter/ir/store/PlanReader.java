// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.store;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Slots;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Reads the plans that {@link PlanWriter} wrote; {@link PlanCheck} says whether their parts fit together. */
final class PlanReader {
    private static final DType[] DTYPES = DType.values();
    /** Repeats within repeats, and parts of parts. */
    private static final int MAX_DEPTH = 64;

    private final ByteReader in;
    private final List<Kernel> kernels = new ArrayList<>();
    private final Map<Plan.Step, int[]> origins = new IdentityHashMap<>();
    private final Map<Plan.Step, String> forms = new IdentityHashMap<>();
    /** Of all launches' slots. */
    private Slots.Tables tables;
    /** Where the next block's slots that hold no number begin. */
    private int others;

    private int depth;

    private PlanReader(ByteReader in) {
        this.in = in;
    }

    static StoredPlan read(ByteReader in) {
        PlanReader r = new PlanReader(in);
        Map<Kernel, String> names = new IdentityHashMap<>();
        for (String name : names(in)) {
            Kernel k = KernelReader.read(in);
            r.kernels.add(k);
            names.put(k, name);
        }
        r.tables = new Slots.Tables(in.longs(), in.ints(), in.ints(), r.values());
        return new StoredPlan(r.plan(), names, r.origins, r.forms);
    }

    /** The names of the kernels' structures, which stand before everything else. */
    static List<String> names(ByteReader in) {
        List<String> names = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            String name = in.text();
            if (!Sha256.isHex(name)) throw new FormatException("no name of a kernel: " + name);
            names.add(name);
        }
        return names;
    }

    private void enter() {
        if (++depth > MAX_DEPTH) throw new FormatException("nested too deep");
    }

    private Plan plan() {
        enter();
        List<Type> argTypes = types();
        List<Boolean> scalarArgs = new ArrayList<>();
        for (int i = 0; i < argTypes.size(); i++) scalarArgs.add(in.bool());
        List<Type> resultTypes = types();
        List<Place> resultPlaces = places();
        long arenaBytes = in.number();
        List<Plan.Site> sites = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) sites.add(new Plan.Site(in.text(), in.integer()));
        List<Plan.Step> steps = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) steps.add(step());
        depth--;
        return new Plan(
                StoredPlan.noGraph(),
                argTypes,
                List.copyOf(scalarArgs),
                resultTypes,
                resultPlaces,
                List.copyOf(steps),
                arenaBytes,
                List.copyOf(sites));
    }

    private Plan.Step step() {
        int[] from = new int[in.count()];
        for (int i = 0; i < from.length; i++) {
            from[i] = in.integer();
            if (from[i] < 0) throw new FormatException("a negative entry of the trace");
        }
        Plan.Step step = bareStep();
        origins.put(step, from);
        return step;
    }

    private Plan.Step bareStep() {
        return switch (in.u8()) {
            case 0 -> {
                Kernel kernel = kernels.get(in.index(kernels.size()));
                String form = in.text();
                List<List<SlotValue>> segments = new ArrayList<>();
                for (int n = in.count(); n > 0; n--) segments.add(slots());
                Plan.Launch launch = new Plan.Launch(kernel, segments);
                if (!form.isEmpty()) forms.put(launch, form);
                yield launch;
            }
            case 1 -> new Plan.LibraryCall(routine(), types(), places(), types(), places());
            case 2 -> new Plan.Copy(place(), place(), in.number());
            case 3 -> new Plan.Repeat(plan(), in.number(), moving(), moving(), place());
            default -> throw new FormatException("no kind of step");
        };
    }

    /** Not by its text: to read one, all operators' parsers are made, which takes 10 ms. */
    private Routine routine() {
        return switch (in.u8()) {
            case 0 -> new Sort(in.integer(), in.bool());
            case 1 -> new TopK(in.integer(), in.number(), in.bool());
            case 2 -> new MaxPool(numbers(), numbers(), numbers(), numbers(), numbers());
            default -> throw new FormatException("no kind of routine");
        };
    }

    private long[] numbers() {
        long[] numbers = new long[in.count()];
        for (int i = 0; i < numbers.length; i++) numbers[i] = in.number();
        return numbers;
    }

    private Slots slots() {
        int size = in.integer();
        int from = in.integer();
        int count = in.integer();
        Slots slots = Slots.of(tables, from, size, others, count);
        others += count;
        return slots;
    }

    private SlotValue[] values() {
        SlotValue[] values = new SlotValue[in.count()];
        for (int i = 0; i < values.length; i++) values[i] = value();
        return values;
    }

    private List<Plan.Moving> moving() {
        int n = in.count();
        List<Plan.Moving> list = new ArrayList<>();
        for (int i = 0; i < n; i++) list.add(new Plan.Moving(place(), in.number(), in.integer()));
        return List.copyOf(list);
    }

    private SlotValue value() {
        return switch (in.u8()) {
            case 0 -> new SlotValue.Address(place());
            case 1 -> new SlotValue.ScalarArgument(in.integer());
            case 2 -> new SlotValue.ErrorRecord();
            default -> throw new FormatException("no kind of slot");
        };
    }

    private List<Place> places() {
        int n = in.count();
        List<Place> list = new ArrayList<>();
        for (int i = 0; i < n; i++) list.add(place());
        return List.copyOf(list);
    }

    private Place place() {
        enter();
        Place p =
                switch (in.u8()) {
                    case 0 -> new Place.Argument(in.integer());
                    case 1 -> new Place.Result(in.integer());
                    case 2 -> new Place.Temp(in.number(), in.number());
                    case 3 -> new Place.Part(place(), in.number(), in.number());
                    default -> throw new FormatException("no kind of place");
                };
        depth--;
        return p;
    }

    private List<Type> types() {
        int n = in.count();
        List<Type> list = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            DType dtype = in.constant(DTYPES);
            list.add(new Type(dtype, Shape.of(numbers())));
        }
        return List.copyOf(list);
    }
}
