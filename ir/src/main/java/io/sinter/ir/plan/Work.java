// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan.Place;
import java.util.List;

/**
 * What one run of a step has to do, counted in its loop IR: what its time is compared with.
 *
 * <p>Bytes are those of the distinct elements that the step reads and those that it writes, as far as the indices tell, and of no piece of memory more than
 * there are: what a cache holds between two reads of one kernel counts once. FLOPs are the floating-point operations that the kernel's code writes
 * down, whatever they cost: one for an addition, a product, an exponential, a step of a sum; two for each {@code k} of a matrix product or a
 * convolution, whatever algorithm the generator uses for it. Comparisons, selections, conversions and all work on integers count nothing.
 *
 * @param readBytes bytes read
 * @param writtenBytes bytes written
 * @param flops floating-point operations
 * @param unit the type that most of them are done in: operands' type of products ({@code bf16}, …), else {@code f64} or {@code f32}
 */
public record Work(long readBytes, long writtenBytes, long flops, DType unit) {
    private static final Work NONE = new Work(0, 0, 0, DType.F32);

    /** Bytes read and written. */
    public long bytes() {
        return readBytes + writtenBytes;
    }

    /**
     * The work of a step.
     *
     * @param plan the plan whose step it is: of a step in a loop's body, the body
     * @param step of a {@link Plan.Repeat} all its runs count
     */
    public static Work of(Plan plan, Plan.Step step) {
        return switch (step) {
            case Plan.Launch l -> {
                Work sum = NONE;
                for (List<Plan.SlotValue> segment : l.segments())
                    sum = sum.plus(new WorkCounter(plan, l.kernel(), segment).count());
                yield sum;
            }
            case Plan.LibraryCall c -> new Work(bytes(c.inTypes()), bytes(c.outTypes()), 0, DType.F32);
            case Plan.Copy c -> new Work(c.bytes(), c.bytes(), 0, DType.F32);
            case Plan.Repeat r -> {
                Work sum = NONE;
                for (Plan.Step s : r.body().steps()) sum = sum.plus(of(r.body(), s));
                yield new Work(
                        sum.readBytes * r.steps(), sum.writtenBytes * r.steps(), sum.flops * r.steps(), sum.unit);
            }
        };
    }

    /** Both together; the unit is that of the one with more operations. */
    public Work plus(Work other) {
        return new Work(
                readBytes + other.readBytes,
                writtenBytes + other.writtenBytes,
                flops + other.flops,
                other.flops > flops ? other.unit : unit);
    }

    private static long bytes(List<Type> types) {
        return types.stream().mapToLong(Type::bytes).sum();
    }

    /** Size of a place of a plan's. */
    static long bytes(Plan plan, Place place) {
        return switch (place) {
            case Place.Argument a -> plan.argTypes().get(a.index()).bytes();
            case Place.Result r -> plan.resultTypes().get(r.index()).bytes();
            case Place.Temp t -> t.bytes();
            case Place.Part p -> p.bytes();
        };
    }
}
