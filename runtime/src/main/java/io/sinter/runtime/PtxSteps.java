// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.LaunchRule;
import io.sinter.codegen.ptx.PtxRoutine;
import io.sinter.ir.Numerics;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.op.Routine;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.ParameterBlock.Spot;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.profile.ProgramSites;
import io.sinter.runtime.profile.Site;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** What a plan is on a GPU: its launches with their code and extents, products that a library does, and the rest. */
final class PtxSteps {
    private final StoredPlan stored;
    private final Gpu gpu;
    private final Numerics numerics;
    private final ProgramSites sites;
    /** The program's results by their places. */
    private final Map<Place, Integer> results = new HashMap<>();

    private final List<PtxStep> all;
    /** What each of {@link #all} needs, by its place there. */
    private final List<Needs> needs = new ArrayList<>();

    private long scratchBytes;
    private int kernels;

    /**
     * What a step needs before it may be queued.
     *
     * @param arguments of the program, those that it reads
     * @param writes whether it writes an argument, or may: not before it is known that the program is to be run
     */
    record Needs(int[] arguments, boolean writes) {
        /** Whether it may be queued ahead of the arguments that are still null. */
        boolean allow(Arg[] known) {
            if (writes) return false;
            for (int a : arguments) if (known[a] == null) return false;
            return true;
        }
    }

    /** @param parameters the program's parameter blocks, whose numbers are written */
    PtxSteps(StoredPlan stored, ParameterBlock parameters, Gpu gpu, Numerics numerics, ProgramSites sites) {
        this.stored = stored;
        Plan plan = stored.plan();
        this.gpu = gpu;
        this.numerics = numerics;
        this.sites = sites;
        for (int i = 0; i < plan.resultPlaces().size(); i++)
            results.putIfAbsent(plan.resultPlaces().get(i), i);
        all = steps(plan, parameters.program(), 1, false);
    }

    List<PtxStep> all() {
        return all;
    }

    Needs needs(int step) {
        return needs.get(step);
    }

    /** Bytes of scratch memory that a run needs. */
    long scratchBytes() {
        return scratchBytes;
    }

    /** Number of kernels that a run launches; a sort, top-k or max-pooling counts once. */
    int kernels() {
        return kernels;
    }

    /**
     * Bytes for the blocks of all runs of loops' bodies.
     *
     * @param most more than this only if one launch has it
     */
    static long unrolledBytes(Plan plan, long most) {
        return Math.min(unrolled(plan, 1), Math.max(most, largestMoving(plan, false)));
    }

    /** Bytes of the blocks of all runs of loops' bodies. */
    private static long unrolled(Plan p, long times) {
        long sum = 0;
        for (Plan.Step s : p.steps()) {
            if (!(s instanceof Plan.Repeat r)) continue;
            long runs = Math.multiplyExact(times, r.steps());
            for (Plan.Step b : r.body().steps()) {
                if (b instanceof Plan.Launch l)
                    sum = Math.addExact(
                            sum, Math.multiplyExact(runs, l.segments().size() * ParameterBlock.blockBytes(l)));
            }
            sum = Math.addExact(sum, unrolled(r.body(), runs));
        }
        return sum;
    }

    /** Bytes of the blocks of the largest launch in a loop's body. */
    private static long largestMoving(Plan p, boolean body) {
        long most = 0;
        for (Plan.Step s : p.steps()) {
            if (body && s instanceof Plan.Launch l)
                most = Math.max(most, l.segments().size() * ParameterBlock.blockBytes(l));
            if (s instanceof Plan.Repeat r) most = Math.max(most, largestMoving(r.body(), true));
        }
        return most;
    }

    private List<PtxStep> steps(Plan p, ParameterBlock.Section section, long times, boolean body) {
        List<PtxStep> out = new ArrayList<>();
        int launches = 0;
        int repeats = 0;
        for (Plan.Step s : p.steps()) {
            switch (s) {
                case Plan.Launch l -> {
                    Site site = sites.add(p, l, l.kernel().name());
                    launches(l, section.blocks(launches++), body, out, results(l, section), site);
                    kernels = Math.toIntExact(kernels + times);
                }
                case Plan.LibraryCall c -> {
                    routine(c, section, out, sites.add(p, c, c.op().name()));
                    kernels = Math.toIntExact(kernels + times);
                }
                case Plan.Copy c ->
                    out.add(new PtxStep.Copy(
                            section.spot(c.from()), section.spot(c.to()), c.bytes(), sites.add(p, c, "copy")));
                case Plan.Repeat r -> {
                    ParameterBlock.Section inner = section.body(repeats++);
                    out.add(new PtxStep.Repeat(inner, r.steps(), steps(r.body(), inner, times * r.steps(), true)));
                }
            }
            if (!body) needs.addAll(Collections.nCopies(out.size() - needs.size(), needs(s)));
        }
        return out;
    }

    /** Of a step of the program itself. A loop's body has its arguments in memory that moves: it waits for all of them. */
    private static Needs needs(Plan.Step step) {
        Set<Place> read = new LinkedHashSet<>();
        Set<Place> written = new LinkedHashSet<>();
        switch (step) {
            case Plan.Launch l -> {
                for (List<SlotValue> segment : l.segments()) {
                    for (Buf b : l.kernel().buffers())
                        if (b.kind() == Buf.Kind.OUT && segment.get(b.slot()) instanceof SlotValue.Address a)
                            written.add(a.place());
                    for (SlotValue v : segment) {
                        if (v instanceof SlotValue.ScalarArgument s) read.add(new Place.Argument(s.index()));
                        if (v instanceof SlotValue.Address a) read.add(a.place());
                    }
                }
            }
            case Plan.LibraryCall c -> {
                read.addAll(c.in());
                written.addAll(c.out());
            }
            case Plan.Copy c -> {
                read.add(c.from());
                written.add(c.to());
            }
            case Plan.Repeat _ -> {
                return new Needs(new int[0], true);
            }
        }
        int[] arguments = read.stream()
                .mapToInt(PtxSteps::argument)
                .filter(a -> a >= 0)
                .distinct()
                .toArray();
        return new Needs(arguments, written.stream().anyMatch(p -> argument(p) >= 0));
    }

    /** The argument that a place lies in; -1 for none. */
    private static int argument(Place place) {
        return switch (place) {
            case Place.Argument a -> a.index();
            case Place.Part p -> argument(p.of());
            case Place.Result _, Place.Temp _ -> -1;
        };
    }

    private void routine(Plan.LibraryCall c, ParameterBlock.Section section, List<PtxStep> out, Site site) {
        PtxRoutine routine = PtxRoutine.of((Routine) c.op(), c.inTypes().getFirst());
        List<Spot> places = Stream.concat(c.in().stream(), c.out().stream())
                .map(section::spot)
                .toList();
        List<Integer> worksOn = results(c.out().stream(), section);
        scratchBytes = Math.max(scratchBytes, routine.scratchBytes());
        boolean follows = false;
        for (PtxRoutine.Launch l : routine.launches()) {
            GpuDriver.Function f = gpu.modules().get(l.kernel());
            out.add(new PtxStep.Routine(f, l, places, routine.scratchBytes(), follows, worksOn, site));
            follows = true;
        }
    }

    /** Segments of one form and shape go together. */
    private void launches(
            Plan.Launch l, long[] blocks, boolean body, List<PtxStep> out, List<Integer> worksOn, Site site) {
        int others = out.size();
        for (int first = 0; first < blocks.length; ) {
            LibraryMatmul product = product(l, blocks[first]);
            if (product != null) {
                out.add(new PtxStep.Product(gpu.matmul(), product, blocks[first], site, out.size() == others));
                first++;
                continue;
            }
            PtxModules.Loaded code = code(l, blocks[first]);
            LaunchRule.Shape shape = shape(code.rule(), blocks[first]);
            int end = first + 1;
            while (end < blocks.length
                    && code.tensors().isEmpty()
                    && product(l, blocks[end]) == null
                    && code(l, blocks[end]) == code
                    && shape.equals(shape(code.rule(), blocks[end]))) end++;
            // What follows works on the same scratch memory.
            long scratch = shape.scratchBytes() * (end - first);
            for (PtxModules.Loaded c = code; c != null; c = c.next()) {
                LaunchRule.Shape of = shape(c.rule(), blocks[first]);
                if (of.ctas() == 0) continue;
                PtxStep.Launch launch = new PtxStep.Launch(
                        c.function(),
                        c.tensors(),
                        of,
                        blocks[first],
                        end - first,
                        ParameterBlock.blockBytes(l),
                        scratch,
                        c != code,
                        body,
                        worksOn,
                        site,
                        out.size() == others);
                scratchBytes = Math.max(scratchBytes, scratch);
                out.add(launch);
            }
            first = end;
        }
    }

    /** A launch that a library is to do; null for our own kernels. */
    private LibraryMatmul product(Plan.Launch l, long block) {
        String form = stored.form(l);
        boolean chosen = form.equals(Tuning.LIBRARY);
        if (!chosen && !form.isEmpty()) return null;
        LibraryMatmul m = LibraryMatmul.of(l.kernel(), ParameterBlock.slots(block), numerics.products());
        MatmulLibrary library = gpu.matmul();
        boolean possible = m != null && library != null && library.takes(m.problem());
        if (chosen && !possible)
            throw new FormatException(
                    "no library does the product " + l.kernel().name() + ", as its form asks for");
        return possible && (chosen || gpu.matmulFor(m.problem()) != null) ? m : null;
    }

    private PtxModules.Loaded code(Plan.Launch l, long block) {
        return gpu.modules()
                .get(l.kernel(), stored.codeName(l.kernel()), ParameterBlock.slots(block), numerics, stored.form(l));
    }

    private static LaunchRule.Shape shape(LaunchRule rule, long block) {
        return rule.shape(ParameterBlock.slots(block));
    }

    /** Of the program's results, those that a launch works on. */
    private List<Integer> results(Plan.Launch l, ParameterBlock.Section section) {
        return results(
                l.segments().stream()
                        .flatMap(List::stream)
                        .filter(SlotValue.Address.class::isInstance)
                        .map(v -> ((SlotValue.Address) v).place()),
                section);
    }

    private List<Integer> results(Stream<Place> places, ParameterBlock.Section section) {
        return places.map(p -> results.get(section.outermost(p)))
                .filter(Objects::nonNull)
                .distinct()
                .toList();
    }
}
