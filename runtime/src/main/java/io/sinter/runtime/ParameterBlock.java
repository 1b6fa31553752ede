// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * The parameter blocks of all launches of one program, in one piece of memory, after the program's error record and a cell for each argument, which
 * holds the value of a scalar one. Numbers are written once; addresses and scalars at the start of each run. One run at a time.
 */
final class ParameterBlock {
    private static final int RECORD_BYTES = 64;

    /** A slot to write at each run: the address {@code bases[base] + offset}. */
    private record AddressPatch(long slot, int base, long offset) {}

    /** A slot to write at each run: scalar argument {@code index}. */
    private record ScalarPatch(long slot, int index, DType dtype) {}

    private final Plan plan;
    private final Buffer memory;
    private final long start;
    private final List<long[]> addresses = new ArrayList<>();
    private final List<AddressPatch> addressPatches = new ArrayList<>();
    private final List<ScalarPatch> scalarPatches = new ArrayList<>();

    ParameterBlock(Plan plan, Allocator allocator) {
        this.plan = plan;
        long cells = (plan.argTypes().size() * (long) Long.BYTES + 63) & -64;
        long bytes = RECORD_BYTES + cells;
        for (Plan.Step step : plan.steps()) {
            if (step instanceof Plan.Launch launch) bytes += launch.segments().size() * blockBytes(launch);
        }
        memory = allocator.allocate(bytes, "parameters of a program");
        start = memory.address();
        Memory.fill(start, bytes, (byte) 0);
        long at = start + RECORD_BYTES + cells;
        for (Plan.Step step : plan.steps()) {
            if (!(step instanceof Plan.Launch launch)) continue;
            long[] blocks = new long[launch.segments().size()];
            for (int s = 0; s < blocks.length; s++, at += blockBytes(launch)) {
                blocks[s] = at;
                fill(at, launch, launch.segments().get(s));
            }
            addresses.add(blocks);
        }
    }

    private static long blockBytes(Plan.Launch launch) {
        return (launch.kernel().slots() * (long) Long.BYTES + 63) & -64;
    }

    private void fill(long at, Plan.Launch launch, List<SlotValue> values) {
        if (values.size() != launch.kernel().slots()) {
            throw new IllegalArgumentException("kernel " + launch.kernel().name() + " has "
                    + launch.kernel().slots() + " slots, its launch gives " + values.size());
        }
        for (int i = 0; i < values.size(); i++) {
            long slot = at + (long) i * Long.BYTES;
            switch (values.get(i)) {
                case SlotValue.Number n -> Memory.putLong(slot, n.value());
                case SlotValue.ErrorRecord _ -> Memory.putLong(slot, start);
                case SlotValue.Address a ->
                    addressPatches.add(new AddressPatch(slot, base(plan, a.place()), offset(a.place())));
                case SlotValue.ScalarArgument s -> {
                    Type type = plan.argTypes().get(s.index());
                    scalarPatches.add(new ScalarPatch(slot, s.index(), type.dtype()));
                }
            }
        }
    }

    /** Number of base addresses: arguments, then results, then the arena. */
    static int bases(Plan plan) {
        return plan.argTypes().size() + plan.resultTypes().size() + 1;
    }

    /** Which base address a place is relative to. */
    static int base(Plan plan, Place place) {
        return switch (place) {
            case Place.Argument a -> a.index();
            case Place.Result r -> plan.argTypes().size() + r.index();
            case Place.Temp _ -> plan.argTypes().size() + plan.resultTypes().size();
        };
    }

    static long offset(Place place) {
        return place instanceof Place.Temp t ? t.offset() : 0;
    }

    /** Addresses of the blocks of launch number {@code launch}, one per segment. */
    long[] blocks(int launch) {
        return addresses.get(launch);
    }

    /**
     * Writes what differs from run to run, and clears the error record.
     *
     * @param bases base addresses; those of scalar arguments are filled in
     */
    void prepare(long[] bases, List<? extends Arg> args) {
        for (int i = 0; i < args.size(); i++) {
            if (!(args.get(i) instanceof Arg.Scalar s)) continue;
            bases[i] = start + RECORD_BYTES + (long) i * Long.BYTES;
            Elements.store(Elements.scalar(plan.argTypes().get(i).dtype(), s.bits()), bases[i]);
        }
        for (AddressPatch p : addressPatches) Memory.putLong(p.slot, bases[p.base] + p.offset);
        for (ScalarPatch p : scalarPatches) {
            Memory.putLong(p.slot, registerBits(p.dtype, ((Arg.Scalar) args.get(p.index)).bits()));
        }
        Memory.putLong(start, 0);
    }

    /** The raw bits of a scalar argument, as {@link Arg.Scalar} has them, in the type that registers hold it in. */
    static long registerBits(DType dtype, long bits) {
        return switch (dtype) {
            case F64, I64 -> bits;
            case F32, I32 -> bits & 0xffffffffL;
            case F16, BF16 ->
                Float.floatToRawIntBits((float) RefArray.round(dtype, Float.intBitsToFloat((int) bits))) & 0xffffffffL;
            case I16, I8, U8, BOOL -> RefArray.wrap(dtype, bits) & 0xffffffffL;
        };
    }

    /** Throws what the error record says, if anything. */
    void check() {
        if (Memory.getLong(start) == 0) return;
        Plan.Site site = plan.sites().get(Math.toIntExact(Memory.getLong(start + 8)));
        throw new io.sinter.ir.IndexError(
                site.operator(), Memory.getLong(start + 16), Memory.getLong(start + 24), site.origin());
    }
}
