// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.gen.SinterKernelHost.MEMORY;

import io.sinter.ir.DType;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A matrix product as a kernel. The generated subclass gives extents and strides, reads operands that are
 * more than memory with strides, and runs the epilogue; the loops over blocks are {@link GemmBlock}, the
 * inner loops {@link GemmTiles}, the same for every kernel.
 *
 * <p>Two phases: blocks of the result (or of a slice of its sum), then, if k was sliced, the sums of the
 * slices; a convolution by {@link WinogradPlan} has three. Every element is summed in an order that depends on extents and strides alone.
 */
public abstract class GemmCode extends JvmKernel implements Cloneable {
    /** Of this instance: instances of one class differ in it. */
    private GemmForm form = GemmForm.TABLE;

    /** Accumulation type. */
    protected abstract DType type();

    /** Width of the vectors that the generated code uses, in bits; 0 for scalar code. */
    protected abstract int vectorBits();

    /**
     * A launch's numbers: how many batch, m, n and k variables there are; their extents, in this order;
     * then for a, b and the result: flags (see {@link GemmView}), address of the first element, strides
     * in bytes along the batch variables, the rows and the columns; a is m × k, b is n × k, the result is
     * m × n. Without the flag {@link GemmView#PLAIN} address and strides are 0.
     */
    protected abstract void numbers(long params, long[] to);

    /** How many {@link #numbers} there are. */
    protected abstract int numberCount();

    /**
     * Computes elements of a into dense memory of the accumulation type: {@code steps} runs of {@code
     * run} elements. Only called, and only generated, if a is not plain (see {@link GemmView}).
     *
     * @param alongK a run goes along k, and the next run is the next row; else a run goes along rows, and
     *     the next is the next k. It does not leave the innermost variable's range
     * @param row first row
     * @param k first k
     * @param to where the first run goes; the next goes {@code step} bytes further
     * @param scratch {@link BodyCompiler#LANE_AREA} bytes
     */
    protected void packA(
            boolean alongK,
            long params,
            long batch,
            long row,
            long k,
            int run,
            int steps,
            long to,
            long step,
            long scratch) {
        throw new IllegalStateException(name() + ": a is plain memory, no code reads it");
    }

    /** As {@link #packA} for b, whose rows are the product's columns. */
    protected void packB(
            boolean alongK,
            long params,
            long batch,
            long row,
            long k,
            int run,
            int steps,
            long to,
            long step,
            long scratch) {
        throw new IllegalStateException(name() + ": b is plain memory, no code reads it");
    }

    /**
     * Runs the epilogue for {@code rows} rows of {@code run} results each, which lie in dense runs {@code
     * step} bytes apart. A run does not leave the range of the innermost n variable.
     */
    protected abstract void epilogue(
            long params, long batch, long row, long column, int run, int rows, long from, long step, long scratch);

    /** Where in the {@link #numbers} those of a convolution begin; -1 for other products. See {@link StencilPlan}. */
    protected int stencilAt() {
        return -1;
    }

    /**
     * Lays out a convolution's right operand: {@code steps} rows from {@code row} on, a flat number of
     * plane and positions but the last, each {@code run} positions from {@code position} on.
     */
    protected void stage(
            long params, long batch, long position, long row, int run, int steps, long to, long step, long scratch) {
        throw new IllegalStateException(name() + " is no convolution");
    }

    /** Slot of the address of the memory that a convolution's left operand is in; -1 if it must be packed. */
    protected int leftSlot() {
        return -1;
    }

    /**
     * Of a convolution: the address of the left operand's first element, 0 if it must be packed; the address
     * of the right operand's element at the first plane's first position, 0 if it must be staged by code; then,
     * for each axis, how many taps there are, and where the first position is.
     */
    protected void place(long params, long batch, long[] to) {
        throw new IllegalStateException(name() + " is no convolution");
    }

    /** Transformed weights: they are a function of the weights alone. */
    @Override
    public final Preparation preparation(long params) {
        return isStencil() ? preparation(stencil(params), params) : null;
    }

    private Preparation preparation(StencilPlan plan, long params) {
        if (plan.winograd == null) return null;
        long[] place = new long[8];
        place(params, 0, place);
        long offset = place[0] - MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, params + 8L * leftSlot());
        return new Preparation(leftSlot(), plan.winograd.filterForm(offset), plan.winograd.filterBytes());
    }

    private boolean isStencil() {
        return stencilAt() >= 0;
    }

    @Override
    public final String describe(long params) {
        String plan = isStencil() ? stencil(params).toString() : plan(params).toString();
        return form.equals(GemmForm.TABLE) ? plan : plan + " (" + form + ")";
    }

    @Override
    public final JvmKernel in(String text) {
        GemmForm wanted = GemmForm.parse(text);
        if (wanted.equals(form)) return this;
        try {
            GemmCode other = (GemmCode) clone();
            other.form = wanted;
            other.planned = new Planned[PLANS];
            return other;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public final List<String> forms(long params, String text) {
        GemmForm from = GemmForm.parse(text);
        if (isEmpty(params)) return List.of();
        List<String> forms = new ArrayList<>();
        Set<String> known = new HashSet<>();
        known.add(choices(params, from));
        for (GemmForm f : from.neighbours(isStencil())) if (known.add(choices(params, f))) forms.add(f.toString());
        return forms;
    }

    private boolean isEmpty(long params) {
        return isStencil() ? stencil(params).isEmpty() : plan(params).isEmpty();
    }

    private String choices(long params, GemmForm of) {
        if (isStencil()) return new StencilPlan(this, tiles(), params, of).choices();
        long[] numbers = new long[numberCount()];
        numbers(params, numbers);
        return new GemmPlan(numbers, tiles(), of).choices();
    }

    @Override
    public final int phases() {
        return 3;
    }

    @Override
    public final Demand demand(long params) {
        if (isStencil()) {
            StencilPlan plan = stencil(params);
            return new Demand(tasks(plan), scratchBytes(plan, params), workspaceBytes(plan), preparation(plan, params));
        }
        GemmPlan plan = plan(params);
        return new Demand(tasks(plan), scratchBytes(plan), workspaceBytes(plan), null);
    }

    @Override
    public final long tasks(int phase, long params) {
        return (isStencil() ? tasks(stencil(params)) : tasks(plan(params)))[phase];
    }

    private static long[] tasks(GemmPlan plan) {
        return new long[] {plan.tasks(), plan.sumTasks(), 0};
    }

    private static long[] tasks(StencilPlan plan) {
        WinogradPlan winograd = plan.winograd;
        return winograd == null
                ? new long[] {plan.tasks(), plan.sumTasks(), 0}
                : new long[] {winograd.filterTasks(), winograd.inputTasks(), winograd.tasks()};
    }

    @Override
    public final long scratchBytes(long params) {
        return isStencil() ? scratchBytes(stencil(params), params) : scratchBytes(plan(params));
    }

    private long scratchBytes(GemmPlan plan) {
        return new GemmScratch(plan, tiles(), 0).bytes();
    }

    private long scratchBytes(StencilPlan plan, long params) {
        if (plan.winograd != null) return new WinogradBlock(this, tiles(), plan.winograd, params, 0, 0, 0).bytes();
        long bytes = new StencilBlock(this, tiles(), plan, params, 0, 0).bytes();
        if (!plan.winogradGradient) return bytes;
        return Math.max(bytes, new WinogradGradient(this, tiles(), plan, params, 0, 0).bytes());
    }

    @Override
    public final long workspaceBytes(long params) {
        return isStencil() ? workspaceBytes(stencil(params)) : workspaceBytes(plan(params));
    }

    private static long workspaceBytes(GemmPlan plan) {
        return plan.slices == 1 ? 0 : plan.slices * plan.partialBytes();
    }

    private static long workspaceBytes(StencilPlan plan) {
        if (plan.winograd != null) return plan.winograd.filterBytes() + plan.winograd.inputBytes();
        return plan.pixelsInK ? plan.slices * plan.partialBytes() : 0;
    }

    @Override
    public final void run(int phase, long params, long begin, long end, long scratch, long workspace) {
        run(phase, params, begin, end, scratch, workspace, workspace);
    }

    @Override
    public final void run(int phase, long params, long begin, long end, long scratch, long workspace, long prepared) {
        if (isStencil()) {
            convolve(phase, params, begin, end, scratch, workspace, prepared);
            return;
        }
        GemmPlan plan = plan(params);
        run(new GemmBlock(this, tiles(), plan, params, scratch, workspace), plan, phase, begin, end);
    }

    @Override
    public final void sample(int phase, long params, long scratch, long workspace) {
        if (isStencil()) {
            convolve(phase, params, 0, 1, scratch, workspace, workspace);
            return;
        }
        GemmPlan plan = plan(params);
        run(GemmBlock.sample(this, tiles(), plan, params, scratch, workspace), plan, phase, 0, 1);
    }

    /** A stencil's sample is a whole task, of many tiles. */
    @Override
    public final int callsPerSample() {
        return isStencil() ? 8 : 1;
    }

    private static void run(GemmBlock block, GemmPlan plan, int phase, long begin, long end) {
        for (long task = begin; task < end; task++) {
            if (phase == 1) {
                block.sum(task);
            } else if (plan.dots) {
                block.dots(task);
            } else {
                block.tiles(task);
            }
        }
    }

    private void convolve(int phase, long params, long begin, long end, long scratch, long workspace, long prepared) {
        StencilPlan plan = stencil(params);
        WinogradPlan winograd = plan.winograd;
        if (winograd != null) {
            long bands = workspace + winograd.filterBytes();
            WinogradBlock block = new WinogradBlock(this, tiles(), winograd, params, scratch, prepared, bands);
            for (long task = begin; task < end; task++) {
                switch (phase) {
                    case 0 -> block.filters(task);
                    case 1 -> block.inputs(task);
                    default -> block.convolve(task);
                }
            }
            return;
        }
        if (plan.winogradGradient && phase == 0) {
            WinogradGradient block = new WinogradGradient(this, tiles(), plan, params, scratch, workspace);
            for (long task = begin; task < end; task++) block.gradient(task);
            return;
        }
        StencilBlock block = new StencilBlock(this, tiles(), plan, params, scratch, workspace);
        for (long task = begin; task < end; task++) {
            if (phase == 1) block.sum(task);
            else if (plan.pixelsInK) block.gradient(task);
            else block.convolve(task);
        }
    }

    private StencilPlan stencil(long params) {
        return new StencilPlan(this, tiles(), params, form);
    }

    private GemmTiles tiles() {
        return GemmTileSets.of(type(), vectorBits());
    }

    /**
     * The plan of a launch: that of the launch's last task again, at new addresses if a loop's step moved them. Several launches share this code,
     * and each finds its own: they differ in the address of their parameters.
     */
    private GemmPlan plan(long params) {
        long[] numbers = new long[numberCount()];
        numbers(params, numbers);
        int place = (int) (params >>> 6) & PLANS - 1;
        Planned last = planned[place];
        if (last == null || !last.isFor(numbers)) last = planned(numbers);
        if (last == null) {
            last = new Planned(numbers, GemmPlan.addressesAt(numbers), new GemmPlan(numbers, tiles(), form));
            planned[place] = last;
        } else if (!last.isAt(numbers)) {
            // For the launch's other tasks.
            last = new Planned(numbers, last.addresses, last.at(numbers));
            planned[place] = last;
        }
        return last.plan;
    }

    /** What was planned for another launch of the same extents and strides, as those of a network's layers are; or null. */
    private Planned planned(long[] numbers) {
        for (Planned p : planned) if (p != null && p.isFor(numbers)) return p;
        return null;
    }

    record Planned(long[] numbers, int[] addresses, GemmPlan plan) {
        /** Equal but for addresses. */
        boolean isFor(long[] other) {
            int from = 0;
            for (int a : addresses) {
                if (!Arrays.equals(numbers, from, a, other, from, a)) return false;
                from = a + 1;
            }
            return Arrays.equals(numbers, from, numbers.length, other, from, numbers.length);
        }

        boolean isAt(long[] other) {
            for (int a : addresses) if (numbers[a] != other[a]) return false;
            return true;
        }

        GemmPlan at(long[] other) {
            return plan.at(other[addresses[0]], other[addresses[1]], other[addresses[2]]);
        }
    }

    private static final int PLANS = 16;

    /** Written by any worker, without order: an entry is immutable, and right or recognized as not. */
    private Planned[] planned = new Planned[PLANS];
}
