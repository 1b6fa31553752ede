// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.lang.Variable;
import io.sinter.ir.Capabilities;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Numerics;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.store.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntToLongFunction;
import java.util.stream.Stream;

/** Loop IR to PTX. */
public final class PtxCodegen {
    /** The name of the shared memory whose size a launch gives. */
    static final String DYNAMIC_SHARED = "dynamic_shared";

    /** What dynamic shared memory is a multiple of: the swizzle of tensor copies repeats after so many bytes. */
    private static final int DYNAMIC_ALIGNMENT = 1024;

    private PtxCodegen() {}

    /**
     * The form of a kernel for a launch: a function of these alone.
     *
     * @param slot the contents of the launch's parameter block, with its addresses
     * @param numerics what the user has chosen about rounding
     */
    public static Schedule schedule(Kernel kernel, IntToLongFunction slot, Target target, Numerics numerics) {
        return switch (kernel) {
            case GemmKernel k -> GemmTiles.choose(k, slot, target, numerics.products());
            case LoopKernel k -> {
                if (!numerics.deterministic() && Update.canReorder(k, target)) yield new Schedule.AnyOrder();
                PlaceUpdates updates = PlaceUpdates.in(k, k.body());
                if (updates != null && updates.pays(slot)) yield new Schedule.ByPlace(updates.areMany(slot));
                ScanSchedule scan = ScanSchedule.choose(k, slot, target);
                if (scan != null) yield scan;
                RowSchedule rows = RowSchedule.choose(k, slot);
                yield rows == null ? new Schedule.Only() : rows;
            }
            case AttentionKernel k -> AttentionSchedule.choose(k, slot, numerics.products());
        };
    }

    /** All forms that a launch may take, that of {@link #schedule(Kernel, IntToLongFunction, Target, Numerics)} first; parameters as there. */
    public static List<Schedule> schedules(Kernel kernel, IntToLongFunction slot, Target target, Numerics numerics) {
        if (kernel instanceof GemmKernel k) return List.copyOf(GemmTiles.all(k, slot, target, numerics.products()));
        List<Schedule> all = new ArrayList<>(List.of(schedule(kernel, slot, target, numerics)));
        if (all.getFirst() instanceof ScanSchedule s) all.addAll(s.others());
        if (all.getFirst() instanceof Schedule.ByPlace(boolean whole)) all.add(new Schedule.ByPlace(!whole));
        if (all.getFirst() instanceof RowSchedule || all.getFirst() instanceof Schedule.ByPlace)
            all.add(new Schedule.Only());
        if (all.getFirst() instanceof AttentionSchedule s) all.addAll(s.others());
        return all;
    }

    /**
     * The form that somebody has chosen for a launch; other parameters as of {@link #schedule(Kernel, IntToLongFunction, Target, Numerics)}.
     *
     * @param form the {@linkplain Schedule#text text} of one of {@link #schedules}; empty for the one that is chosen by the launch's numbers alone
     * @throws FormatException if the launch may not take it
     */
    public static Schedule schedule(
            Kernel kernel, IntToLongFunction slot, Target target, Numerics numerics, String form) {
        if (form.isEmpty()) return schedule(kernel, slot, target, numerics);
        for (Schedule s : schedules(kernel, slot, target, numerics))
            if (s.text().equals(form)) return s;
        throw new FormatException("a launch of " + kernel.name() + " has no form '" + form + "'");
    }

    /** A form that is right for any launch. */
    public static Schedule anySchedule(Kernel kernel) {
        return switch (kernel) {
            case GemmKernel k -> GemmTiles.any(k, MatmulPrecision.HIGHEST);
            case LoopKernel _ -> new Schedule.Only();
            case AttentionKernel k -> AttentionSchedule.any(k);
        };
    }

    /** The forms that a kernel can have on a target, of a product one of many: all that differ in more than numbers. */
    public static List<Schedule> forms(Kernel kernel, Target target) {
        List<Schedule> forms = new ArrayList<>(List.of(anySchedule(kernel)));
        if (kernel instanceof AttentionKernel k) return List.copyOf(AttentionSchedule.all(k));
        if (!(kernel instanceof LoopKernel k)) return forms;
        if (ScanLoop.in(k) != null) forms.addAll(List.of(new ScanSchedule(1), new ScanSchedule(4)));
        if (Update.canReorder(k, target)) forms.add(new Schedule.AnyOrder());
        if (PlaceUpdates.in(k, k.body()) != null)
            forms.addAll(List.of(new Schedule.ByPlace(false), new Schedule.ByPlace(true)));
        forms.addAll(RowSchedule.largest(k));
        return forms;
    }

    /**
     * The PTX of a kernel, for launches that ask for a form.
     *
     * @param entry its name in the module: letters, digits and underscores
     * @param file number of its listing among the module's files
     */
    public static PtxKernel generate(Kernel kernel, Schedule schedule, String entry, int file) {
        return switch (kernel) {
            case LoopKernel k ->
                switch (schedule) {
                    case ScanSchedule s -> ScanEmitter.emit(k, s, entry, file);
                    case Schedule.AnyOrder _ -> new LoopEmitter(Update.reordered(k), schedule, entry, file).emit();
                    case Schedule.Only _, Schedule.ByPlace _, RowSchedule _ ->
                        new LoopEmitter(k, schedule, entry, file).emit();
                    case GemmSchedule _, AttentionSchedule _ ->
                        throw new IllegalArgumentException(k.name() + " is a kernel of loops");
                };
            case GemmKernel k -> {
                GemmSchedule s = (GemmSchedule) schedule;
                yield s.isTensor()
                        ? new WarpgroupEmitter(k, s, entry, file).emit()
                        : new GemmEmitter(k, s, entry, file).emit();
            }
            case AttentionKernel k -> AttentionEmitter.emit(k, (AttentionSchedule) schedule, entry, file);
        };
    }

    /** The PTX of a kernel that is right for any launch. */
    public static PtxKernel generate(Kernel kernel, String entry, int file) {
        return generate(kernel, anySchedule(kernel), entry, file);
    }

    /** As much as a tanh: some twenty instructions, in the time of which a multiprocessor moves three bytes. */
    private static final int REPEATS = 10;

    /** What plans for this generator may hold. */
    public static final Capabilities CAPABILITIES = new Capabilities(PtxCodegen::hasTemplate, false, REPEATS, false);

    /** Whether kernels are generated for a composite as a whole; others are to be decomposed. */
    public static boolean hasTemplate(Op op) {
        return switch (op) {
            case Matmul _, Conv _, ConvInputGrad _, ConvWeightGrad _, Attention _, AttentionGrad _ -> true;
            default -> false;
        };
    }

    /** A module of kernels, and of what is launched after them; files are numbered from 1 in their order. */
    public static PtxModule module(Target target, List<PtxKernel> kernels) {
        TreeMap<Integer, String> files = new TreeMap<>();
        for (int i = 0; i < kernels.size(); i++) files.put(i + 1, kernels.get(i).name() + ".loop");
        boolean dynamic = kernels.stream()
                .flatMap(k -> Stream.iterate(k, x -> x != null, PtxKernel::next))
                .map(PtxKernel::rule)
                .anyMatch(LaunchRule::usesDynamicShared);
        return new PtxModule(
                Target.VERSION,
                target.toString(),
                files,
                dynamic ? List.of(Variable.dynamicShared(DYNAMIC_SHARED, DYNAMIC_ALIGNMENT)) : List.of(),
                kernels.stream()
                        .flatMap(k -> Stream.iterate(k, x -> x != null, PtxKernel::next))
                        .map(PtxKernel::code)
                        .toList());
    }
}
