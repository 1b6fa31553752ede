// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.PtxRoutine;
import io.sinter.codegen.ptx.TensorBox;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * One run of a program on a GPU, or one stage of a run: puts orders together, and queues them with the parameter blocks that they need. Used with the GPU's
 * monitor held.
 */
final class PtxRunning {
    private final PtxExecutable program;
    private final Gpu gpu;
    private final ParameterBlock parameters;
    private final long[] bases;
    private final long scratch;
    /** Whether the run's error record is on the device already, and may hold an error. */
    private final boolean goesOn;

    private final IntFunction<?> lines;
    /** What has been queued and is to be timed; null if nobody asks. */
    private final GpuTimes times;

    private List<PtxOrder> orders = new ArrayList<>();
    /** Bytes of moving blocks that have been written. */
    private long unrolled;
    /** Whether something has been queued already. */
    private boolean begun;

    /**
     * @param bases addresses by the numbers of {@link ParameterBlock}
     * @param scratch address of the kernels' scratch memory
     * @param goesOn whether a stage before this one has sent the error record
     * @param timing null if nobody asks how long it takes
     */
    PtxRunning(
            PtxExecutable program, long[] bases, long scratch, boolean goesOn, IntFunction<?> lines, RunTiming timing) {
        this.program = program;
        gpu = program.gpu;
        parameters = program.parameters;
        this.bases = bases;
        this.scratch = scratch;
        this.goesOn = goesOn;
        this.lines = lines;
        times = timing != null && timing.timed() ? new GpuTimes(gpu, timing) : null;
    }

    void copy(long from, long to, long bytes) {
        orders.add(new PtxOrder.Copy(from, to, bytes, null));
    }

    void order(List<PtxStep> list) {
        for (PtxStep s : list) {
            switch (s) {
                case PtxStep.Launch l -> {
                    long block = block(l); // which may flush the orders
                    orders.add(new PtxOrder.Kernel(l, block, l.scratchBytes == 0 ? 0 : scratch, tensors(l)));
                }
                case PtxStep.Copy c ->
                    orders.add(new PtxOrder.Copy(c.from().address(bases), c.to().address(bases), c.bytes(), c.site()));
                case PtxStep.Product p -> {
                    LibraryMatmul m = p.matmul;
                    orders.add(new PtxOrder.Multiply(
                            p,
                            m.a().address(p.block),
                            m.b().address(p.block),
                            m.c().address(p.block),
                            m.bias() == null ? 0 : m.bias().address(p.block),
                            m.kept() == null ? 0 : m.kept().address(p.block)));
                }
                case PtxStep.Routine r -> orders.add(new PtxOrder.Call(r, parameters(r), scratch));
                case PtxStep.Repeat r -> {
                    for (long k = 0; k < r.times(); k++) {
                        r.section().enter(bases, k);
                        order(r.body());
                    }
                }
            }
        }
    }

    /** Maps of a launch, for the addresses that its block holds now. */
    private static List<TensorBox> tensors(PtxStep.Launch l) {
        if (l.tensors.isEmpty()) return List.of();
        return l.tensors.stream().map(t -> t.at(ParameterBlock.slots(l.block))).toList();
    }

    private List<Long> parameters(PtxStep.Routine r) {
        return r.arguments.stream()
                .map(a -> switch (a) {
                    case PtxRoutine.Argument.Operand o ->
                        r.places.get(o.ordinal()).address(bases);
                    case PtxRoutine.Argument.Scratch s -> scratch + s.offset();
                    case PtxRoutine.Argument.Number n -> n.value();
                })
                .toList();
    }

    /** Where the device finds the blocks of a launch. */
    private long block(PtxStep.Launch l) {
        if (!l.moves) return parameters.seen(l.block);
        long bytes = l.blockBytes * l.count;
        if (unrolled + bytes > program.unrolledBytes) flush();
        long at = parameters.more() + unrolled;
        Memory.copy(l.block, at, bytes);
        unrolled += bytes;
        return parameters.seen(at);
    }

    /** Copies the blocks that have been written and queues what has been ordered. */
    private void flush() {
        upload();
        begun = true;
        PtxQueue.issue(gpu, orders, times, lines);
        orders = new ArrayList<>();
        unrolled = 0;
    }

    private void upload() {
        long blocks = parameters.more();
        // The program's own blocks are the same all through a run.
        if (!begun) {
            long from = goesOn ? ParameterBlock.RECORD_BYTES : 0;
            gpu.write(
                    parameters.seen(parameters.record().address()) + from,
                    parameters.segment(unrolled).asSlice(from));
        } else if (unrolled > 0) {
            gpu.write(parameters.seen(blocks), Memory.ALL.asSlice(blocks, unrolled));
        }
    }

    /** Queues what has been ordered and is not queued yet: all of it by {@code queue}, if it is all. */
    void end(PtxQueue queue) {
        if (begun) {
            flush();
        } else {
            upload();
            queue.queue(orders, times, lines);
        }
        if (times != null) times.end();
    }
}
