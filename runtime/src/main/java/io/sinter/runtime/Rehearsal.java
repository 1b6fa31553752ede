// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.jvm.PracticeKernels;
import io.sinter.codegen.jvm.PracticeKernels.Practice;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Sort;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Moving;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/**
 * Reads and links plans that no program has, on a thread that nobody waits for. A process that finds its plan in a cache does all that once: half of the time would go into classes and call sites that are
 * reached for the first time, and into HotSpot's compilers, which work on the same processors beside it. After a rehearsal call sites are known, and what is called most is compiled.
 *
 * <p>Used by one thread.
 */
final class Rehearsal {
    /** With so many, HotSpot's first compiler has met what reads a plan two hundred times, when it compiles; twice as many take twice the time and gain nothing. */
    private static final int ROUNDS = 2;

    /** Each is a class to be looked up. */
    private static final int LOOPS = 8;

    /** A network has many layers that do the same with other memory. */
    private static final int LAYERS = 3;

    /** Of each argument, result and temporary. */
    private static final Type TYPE = new Type(DType.F32, Shape.of(1024));

    private static final Type SCALAR = new Type(DType.F32, Shape.of());
    private static final Type PLACES = new Type(DType.I64, Shape.of(1024));
    private static final long BYTES = 4096;

    /** The arguments of a plan. */
    private static final int ARGUMENTS = PracticeKernels.OPERANDS.size();

    private final Session session;
    private final JvmCode code;
    private final JvmCode practice;
    /** Looks the code of some kernel up, as that of a program's kernels will be. */
    private Supplier<JvmKernel> some;

    /**
     * @param code makes what belongs to no program
     * @param practice makes what nobody uses
     */
    Rehearsal(Session session, JvmCode code, JvmCode practice) {
        this.session = session;
        this.code = code;
        this.practice = practice;
    }

    /**
     * Once, with the simplest of kernels: a program may already wait.
     *
     * @param kernel of which there is a class to look up
     * @return the kernel's code
     */
    JvmKernel begin(Kernel kernel) {
        String name = StoredPlan.name(kernel);
        some = () -> practice.make(kernel, name);
        run(PracticeKernels.loops(1), 1);
        return code.make(kernel, name);
    }

    /** Thoroughly, after {@link #begin}, and with products, convolutions and attention; nothing if there is no cache to read from. */
    void run() {
        if (session.disk() == null) return;
        List<Practice> all = new ArrayList<>(PracticeKernels.loops(LOOPS));
        all.addAll(PracticeKernels.templates());
        run(all, ROUNDS);
    }

    private void run(List<Practice> practice, int rounds) {
        if (FlightRecorder.isInitialized())
            new Events.Load(); // the recorder writes the code of an event's class at its first use
        Allocator apart = new Allocator(Device.JVM, new HostMemory(), Long.MAX_VALUE);
        try {
            byte[] plan = StoredPlan.of(plan(practice)).toBytes();
            JvmKernels.Maker maker = maker(practice);
            for (int i = 0; i < rounds; i++) JvmExecutable.rehearse(plan, session, new JvmKernels(maker), apart);
        } finally {
            apart.close();
        }
    }

    private JvmKernels.Maker maker(List<Practice> practice) {
        Map<String, JvmKernel> known = new HashMap<>();
        for (Practice p : practice) if (p.code() != null) known.put(StoredPlan.name(p.kernel()), p.code());
        return new JvmKernels.Maker() {
            @Override
            public JvmKernel make(Kernel kernel, String name) {
                return load(name);
            }

            @Override
            public JvmKernel load(String name) {
                JvmKernel kernel = known.get(name);
                return kernel != null ? kernel : some.get();
            }
        };
    }

    /** A plan of all that there is in plans. */
    static Plan plan(List<Practice> practice) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++)
            for (Practice p : practice) for (long[] numbers : p.launches()) steps.add(launch(p, numbers, layer, 1));
        Practice last = practice.getFirst();
        steps.add(launch(last, last.launches().getFirst(), 0, LAYERS));
        Place result = new Place.Result(0);
        Place temporary = new Place.Temp(0, BYTES);
        steps.add(new Plan.Copy(temporary, result, BYTES));
        Sort sort = new Sort(0, false);
        List<Type> line = List.of(TYPE);
        steps.add(new Plan.LibraryCall(
                sort, line, List.of(result), sort.infer(line), List.of(temporary, new Place.Temp(0, 2 * BYTES))));
        Plan body = plan(List.of(launch(last, last.launches().getFirst(), 0, 1)), BYTES);
        List<Moving> arguments = new ArrayList<>();
        for (int i = 0; i < body.argTypes().size(); i++) arguments.add(new Moving(new Place.Argument(i), 0, 0));
        Moving moving = new Moving(new Place.Part(new Place.Temp(BYTES, 2 * BYTES), 0, BYTES), BYTES, 2);
        steps.add(new Plan.Repeat(
                body, LAYERS, arguments, List.of(moving), new Place.Temp(4 * BYTES, body.arenaBytes())));
        return plan(steps, 8 * BYTES);
    }

    private static Plan plan(List<Plan.Step> steps, long arenaBytes) {
        List<Type> arguments = new ArrayList<>(Collections.nCopies(ARGUMENTS, TYPE));
        List<Boolean> scalars = new ArrayList<>(Collections.nCopies(ARGUMENTS, false));
        arguments.addAll(List.of(PLACES, SCALAR));
        scalars.addAll(List.of(false, true));
        return new Plan(
                new Graph(List.of(), List.of(), List.of(), List.of()),
                arguments,
                scalars,
                List.of(TYPE),
                List.of(new Place.Result(0)),
                steps,
                arenaBytes,
                List.of(new Plan.Site("practice", -1)));
    }

    /** @param layer which of those that do the same with other memory */
    private static Plan.Launch launch(Practice practice, long[] numbers, int layer, int segments) {
        List<List<SlotValue>> all = new ArrayList<>();
        for (int s = 0; s < segments; s++) all.add(slots(practice.kernel(), numbers, layer + s));
        return new Plan.Launch(practice.kernel(), all);
    }

    private static List<SlotValue> slots(Kernel kernel, long[] numbers, int layer) {
        List<SlotValue> slots = new ArrayList<>(Collections.nCopies(kernel.slots(), new SlotValue.ErrorRecord()));
        for (int slot : PracticeKernels.OPERANDS) {
            Place place = slot % 2 == 0 ? new Place.Argument(slot - 1) : new Place.Temp(layer * BYTES, BYTES);
            slots.set(slot, new SlotValue.Address(place));
        }
        slots.set(PracticeKernels.PLACES, new SlotValue.Address(new Place.Argument(ARGUMENTS)));
        Place part = new Place.Part(new Place.Result(0), 64L * layer, BYTES / 2);
        slots.set(PracticeKernels.RESULT, new SlotValue.Address(part));
        slots.set(PracticeKernels.SCALAR, new SlotValue.ScalarArgument(ARGUMENTS + 1));
        for (int i = 0; i < numbers.length; i++)
            slots.set(PracticeKernels.NUMBERS + i, new SlotValue.Number(numbers[i]));
        return slots;
    }
}
