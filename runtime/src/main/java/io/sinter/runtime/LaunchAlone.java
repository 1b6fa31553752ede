// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A launch of a plan as a program of its own, whose arguments are all the memory that the launch works on: to run it on scratch memory. */
final class LaunchAlone {
    /** Memory is filled with pieces of so many bytes. */
    private static final int PIECE = 1 << 16;

    private final Plan plan;
    /** Types of the elements, as the kernel sees them, of each argument. */
    private final List<DType> elements = new ArrayList<>();

    /**
     * @param of the plan that the launch is in, which may be a loop's body
     * @param sites of the whole program's index checks
     */
    LaunchAlone(Plan of, Plan.Launch launch, List<Plan.Site> sites) {
        Map<Place, Integer> arguments = new LinkedHashMap<>();
        List<Type> types = new ArrayList<>();
        List<List<SlotValue>> segments = new ArrayList<>();
        for (List<SlotValue> segment : launch.segments()) {
            List<SlotValue> values = new ArrayList<>();
            for (int slot = 0; slot < segment.size(); slot++) {
                values.add(
                        switch (segment.get(slot)) {
                            case SlotValue.Address a -> {
                                Place root = root(a.place());
                                Integer number = arguments.get(root);
                                if (number == null) {
                                    number = types.size();
                                    arguments.put(root, number);
                                    types.add(type(of, root));
                                    elements.add(element(launch, slot));
                                }
                                yield new SlotValue.Address(moved(a.place(), new Place.Argument(number)));
                            }
                            case SlotValue.ScalarArgument x ->
                                new SlotValue.Number(
                                        one(of.argTypes().get(x.index()).dtype()));
                            case SlotValue.Number n -> n;
                            case SlotValue.ErrorRecord e -> e;
                        });
            }
            segments.add(List.copyOf(values));
        }
        plan = new Plan(
                new Graph(List.of(), List.of(), List.of(), List.of()),
                types,
                Collections.nCopies(types.size(), false),
                List.of(),
                List.of(),
                List.of(new Plan.Launch(launch.kernel(), List.copyOf(segments))),
                0,
                sites);
    }

    /** The program: a plan of one step and no results. */
    Plan plan() {
        return plan;
    }

    private static Place root(Place p) {
        return p instanceof Place.Part part ? root(part.of()) : p;
    }

    private static Place moved(Place p, Place root) {
        return p instanceof Place.Part part
                ? new Place.Part(moved(part.of(), root), part.offset(), part.bytes())
                : root;
    }

    private static Type type(Plan of, Place root) {
        return switch (root) {
            case Place.Argument a -> of.argTypes().get(a.index());
            case Place.Result r -> of.resultTypes().get(r.index());
            case Place.Temp t -> new Type(DType.U8, Shape.of(t.bytes()));
            case Place.Part _ -> throw new IllegalArgumentException("a part is no root");
        };
    }

    private static DType element(Plan.Launch launch, int slot) {
        for (Buf b : launch.kernel().buffers()) if (b.slot() == slot) return b.dtype();
        return DType.U8;
    }

    private static long one(DType type) {
        return switch (type) {
            case F64 -> Double.doubleToRawLongBits(1);
            case F32, F16, BF16 -> ParameterBlock.registerBits(type, Float.floatToRawIntBits(1));
            case I64, I32, I16, I8, U8, BOOL -> 1;
        };
    }

    /**
     * Memory for it: floats between -1 and 1, the same ones always, and zeros elsewhere, which no index check refuses.
     *
     * @throws OutOfDeviceMemoryException if there is not so much
     */
    List<Buffer> memory(Allocator allocator) {
        List<Buffer> buffers = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < plan.argTypes().size(); i++) {
                Buffer b = allocator.allocate(plan.argTypes().get(i).bytes(), "scratch memory of the autotuner");
                buffers.add(b);
                fill(b, piece(elements.get(i), arena));
            }
            return buffers;
        } catch (OutOfDeviceMemoryException e) {
            buffers.forEach(Buffer::release);
            throw e;
        }
    }

    private static void fill(Buffer b, MemorySegment piece) {
        for (long at = 0; at < b.bytes(); at += PIECE) b.write(at, piece.asSlice(0, Math.min(PIECE, b.bytes() - at)));
    }

    private static MemorySegment piece(DType type, Arena arena) {
        MemorySegment piece = arena.allocate(PIECE, 64);
        if (!type.isFloat()) return piece;
        Random random = new Random(type.bytes());
        for (int at = 0; at < PIECE; at += type.bytes()) {
            float x = 2 * random.nextFloat() - 1;
            switch (type) {
                case F64 -> piece.set(ValueLayout.JAVA_DOUBLE, at, x);
                case F32 -> piece.set(ValueLayout.JAVA_FLOAT, at, x);
                case F16 -> piece.set(ValueLayout.JAVA_SHORT, at, Float.floatToFloat16(x));
                case BF16 -> piece.set(ValueLayout.JAVA_SHORT, at, (short) (Float.floatToRawIntBits(x) >>> 16));
                case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("no float: " + type);
            }
        }
        return piece;
    }
}
