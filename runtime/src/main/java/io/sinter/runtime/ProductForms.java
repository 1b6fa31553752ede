// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.GemmSchedule;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Times each form that the launch of a product of square matrices may take on a session's GPU: what tables of tiles are made by. Forms that multiply by the
 * same instructions and have as many parts of sums add in one order, so their results are compared bit by bit.
 */
public final class ProductForms {
    private static final int WARM_UP = 2;
    private static final int QUEUED = 3;
    private static final int PIECE = 1 << 20;

    /**
     * One form.
     *
     * @param text the form's, see {@link Schedule#text}
     * @param millis of a product, at best
     * @param agrees whether its result has the bits of the first form's that adds in the same order
     */
    public record Timed(String text, double millis, boolean agrees) {}

    /** What decides the order in which a form adds. */
    private record Order(boolean byWarpgroups, int parts) {}

    private ProductForms() {}

    /**
     * Times all forms.
     *
     * @param n rows and columns
     * @param type of the elements, 2 or 4 bytes; precision is the session's
     * @param seconds for each form
     * @throws IllegalArgumentException if the session's device is no GPU
     */
    public static List<Timed> measure(Session session, long n, DType type, double seconds) {
        if (session.gpu() == null) throw new IllegalArgumentException(session.device() + " is no GPU");
        Type matrix = Type.of(type, n, n);
        GraphBuilder g = new GraphBuilder();
        Graph graph = g.build(g.matmul(g.input(matrix), g.input(matrix)));
        CompileContext context = CompileContext.of(session).withAutotune(null);
        StoredPlan plan = Programs.plan(graph, Fusion.MAX_WEIGHT, Executable.capabilities(session.device()), null);
        Plan.Launch launch = (Plan.Launch) plan.plan().steps().getFirst();
        List<Schedule> forms;
        ParameterBlock parameters = new ParameterBlock(plan.plan(), session.hostMemory());
        try {
            forms = PtxCodegen.schedules(
                    launch.kernel(),
                    ParameterBlock.slots(parameters.program().blocks(0)[0]),
                    session.gpu().modules().target(),
                    context.numerics());
        } finally {
            parameters.release();
        }
        List<Buffer> args = List.of(random(session, matrix, 1), random(session, matrix, 2));
        try {
            List<Timed> all = new ArrayList<>();
            Map<Order, Long> firsts = new HashMap<>();
            for (Schedule form : forms) {
                Executable e = Programs.linked(plan.withForms(List.of(form.text())), context)
                        .executable();
                long bits = bits(session, e, args);
                GemmSchedule s = (GemmSchedule) form;
                Order order = new Order(s.left() == GemmSchedule.Source.TENSOR, s.splits());
                boolean agrees = firsts.computeIfAbsent(order, _ -> bits) == bits;
                all.add(new Timed(form.text(), millis(session, e, args, seconds), agrees));
            }
            return all;
        } finally {
            args.forEach(Buffer::release);
        }
    }

    /** Numbers from −½ to ½. */
    private static Buffer random(Session session, Type type, long seed) {
        Buffer b = session.allocator().allocate(type.bytes(), "operands of a measurement");
        SplittableRandom random = new SplittableRandom(seed);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(Math.min(PIECE, type.bytes()), Long.BYTES);
            int bytes = type.dtype().bytes();
            for (long at = 0; at < type.bytes(); at += piece.byteSize()) {
                long size = Math.min(piece.byteSize(), type.bytes() - at);
                for (long i = 0; i < size; i += bytes) {
                    float x = random.nextFloat() - 0.5f;
                    switch (type.dtype()) {
                        case F32 -> piece.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i, x);
                        case F16 -> piece.set(ValueLayout.JAVA_SHORT_UNALIGNED, i, Float.floatToFloat16(x));
                        case BF16 ->
                            piece.set(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short)
                                    (Float.floatToRawIntBits(x) >>> Short.SIZE));
                        default -> throw new IllegalArgumentException("products of " + type + " are not measured");
                    }
                }
                b.write(at, piece.asSlice(0, size));
            }
        }
        return b;
    }

    /** A number that results with other bits do not have, but for chance. */
    private static long bits(Session session, Executable e, List<Buffer> args) {
        Run run = e.run(args);
        Buffer result = run.results().getFirst();
        long hash = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(Math.min(PIECE, result.bytes()), Long.BYTES);
            for (long at = 0; at < result.bytes(); at += piece.byteSize()) {
                long size = Math.min(piece.byteSize(), result.bytes() - at);
                result.read(at, piece.asSlice(0, size));
                for (long i = 0; i < size; i += Short.BYTES)
                    hash = 0x9E3779B97F4A7C15L * (hash + 1 + piece.get(ValueLayout.JAVA_SHORT_UNALIGNED, i));
            }
        }
        run.results().forEach(Buffer::release);
        session.synchronize();
        return hash;
    }

    private static double millis(Session session, Executable e, List<Buffer> args, double seconds) {
        for (int i = 0; i < WARM_UP; i++) e.run(args).results().forEach(Buffer::release);
        session.synchronize();
        double best = Double.POSITIVE_INFINITY;
        long end = System.nanoTime() + (long) (seconds * 1e9);
        do {
            long start = System.nanoTime();
            for (int i = 0; i < QUEUED; i++) e.run(args).results().forEach(Buffer::release);
            session.synchronize();
            best = Math.min(best, (System.nanoTime() - start) / 1e6 / QUEUED);
        } while (System.nanoTime() < end);
        return best;
    }
}
