// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.IndexError;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Slots;
import io.sinter.ir.ref.RefArray;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.LongUnaryOperator;

/**
 * The parameter blocks of all launches of one program, in one piece of memory, after the program's error record and a cell for each argument, which
 * holds the value of a scalar one. Numbers are written once, scalars at the start of each run,
 * and so are addresses if the memory is another than in the run before. One run at a time. Until the first run
 * there stands for each address the power of two (up to {@link #ALIGNMENT}) that it is always a multiple of, and nothing else of the address: launches that differ only in where their memory is have equal blocks.
 */
final class ParameterBlock {
    static final int RECORD_BYTES = 64;

    /** Every buffer begins at a multiple of this. */
    static final long ALIGNMENT = 64;

    /** A place as the number of a base address and bytes from there. */
    record Spot(int base, long offset) {
        long address(long[] bases) {
            return bases[base] + offset;
        }
    }

    /** The slots that hold {@code base + offset} for one base address: to be written when that is another one than they were written for. */
    private static final class Patches {
        private long[] slots = new long[4];
        private long[] offsets = new long[4];
        private int count;
        private boolean written;
        private long last;

        void add(long slot, long offset) {
            if (count == slots.length) {
                slots = Arrays.copyOf(slots, 2 * count);
                offsets = Arrays.copyOf(offsets, 2 * count);
            }
            slots[count] = slot;
            offsets[count++] = offset;
        }

        /** From step to step most memory stays where it is, and until HotSpot has compiled it a write takes as long as a comparison of all. */
        void write(long base) {
            if (written && last == base) return;
            for (int i = 0; i < count; i++) Memory.putLong(slots[i], base + offsets[i]);
            written = true;
            last = base;
        }
    }

    /** A slot to write at each run: scalar argument {@code index}. */
    private record ScalarPatch(long slot, int index, DType dtype) {}

    /** A base address that follows from another one: memory of a {@link Plan.Repeat}'s body, as it is in a run of the body. */
    private record Move(int to, int from, long offset, Plan.Moving by) {}

    /** What is known of the values in a table of slots, in one section: most launches name memory that others name, too. */
    private static final class Known {
        private final Slots.Tables tables;
        /** Of an address, the number of its base address and 1; 0 of what is not known yet, -1 of what is no address. */
        private final int[] bases;

        private final long[] offsets;
        /** What is in the slot until the first run. */
        private final long[] words;

        Known(Slots.Tables tables) {
            this.tables = tables;
            bases = new int[tables.values().length];
            offsets = new long[bases.length];
            words = new long[bases.length];
        }
    }

    /** The launches and the memory of one plan: the program's, or that of the body of a repeat. */
    final class Section {
        private final Plan plan;
        private final Section outer;
        private final Plan.Repeat repeat;
        /** Number of its first base address: arguments, then results, then the arena. */
        private final int first;

        private final List<long[]> blocks = new ArrayList<>();
        private final List<Section> bodies = new ArrayList<>();
        /** By base address, from {@link #first} on. */
        private final Patches[] patches;

        private final List<Move> moves = new ArrayList<>();
        /** Those {@link #moves} that are somewhere else in each run. */
        private Move[] moving = {};
        /** While the section is built. */
        private Known known;

        private Section(Plan plan, Section outer, Plan.Repeat repeat) {
            this.plan = plan;
            this.outer = outer;
            this.repeat = repeat;
            first = bases;
            patches = new Patches[plan.argTypes().size() + plan.resultTypes().size() + 1];
            for (int i = 0; i < patches.length; i++) patches[i] = new Patches();
            bases += patches.length;
        }

        /** Which base address a place is relative to. */
        int base(Place place) {
            return first + ParameterBlock.base(plan, place);
        }

        /** A number whose low bits are 0 where those of the place's address are, in every run. */
        private long alignment(Place place) {
            return switch (place) {
                case Place.Part p -> alignment(p.of()) | p.offset();
                case Place.Temp t -> (outer == null ? 0 : outer.alignment(repeat.arena())) | t.offset();
                case Place.Argument a when outer == null -> plan.scalarArgs().get(a.index()) ? Long.BYTES : ALIGNMENT;
                case Place.Argument a -> moving(repeat.arguments().get(a.index()));
                case Place.Result _ when outer == null -> ALIGNMENT;
                case Place.Result r -> moving(repeat.results().get(r.index()));
            };
        }

        private long moving(Plan.Moving m) {
            return outer.alignment(m.first()) | m.step();
        }

        /** Where a place is, whatever the addresses of a run. */
        Spot spot(Place place) {
            return new Spot(base(place), place.start());
        }

        /** Addresses of the blocks of launch number {@code launch}, one per segment. */
        long[] blocks(int launch) {
            return blocks.get(launch);
        }

        /** The section of the body of repeat number {@code number}. */
        Section body(int number) {
            return bodies.get(number);
        }

        /** The program's memory that a place is in. */
        Place outermost(Place place) {
            if (outer == null) return place;
            return switch (place) {
                case Place.Part p -> outermost(p.of());
                case Place.Temp _ -> outer.outermost(repeat.arena());
                case Place.Argument a ->
                    outer.outermost(repeat.arguments().get(a.index()).first());
                case Place.Result r ->
                    outer.outermost(repeat.results().get(r.index()).first());
            };
        }

        private void build() {
            for (Plan.Step step : plan.steps()) {
                switch (step) {
                    case Plan.Launch launch -> {
                        long[] at = new long[launch.segments().size()];
                        for (int s = 0; s < at.length; s++, next += blockBytes(launch)) {
                            at[s] = next;
                            fill(this, next, launch, launch.slots(s));
                        }
                        blocks.add(at);
                    }
                    case Plan.Repeat r -> {
                        Section body = new Section(r.body(), this, r);
                        bodies.add(body);
                        body.bind();
                        body.build();
                        body.moving = body.moves.stream()
                                .filter(m -> m.by.step() != 0)
                                .toArray(Move[]::new);
                    }
                    case Plan.LibraryCall _, Plan.Copy _ -> {}
                }
            }
            known = null;
        }

        private void bind() {
            int to = first;
            for (Plan.Moving m : repeat.arguments()) bind(to++, m);
            for (Plan.Moving m : repeat.results()) bind(to++, m);
            bind(to, new Plan.Moving(repeat.arena(), 0, 0));
        }

        private void bind(int to, Plan.Moving m) {
            moves.add(new Move(to, outer.base(m.first()), m.first().start(), m));
        }

        /** Of a body: its base addresses and its launches' addresses for run {@code k}. Runs are entered in order. */
        void enter(long[] addresses, long k) {
            if (k > 0) {
                for (Move m : moving) {
                    long to = addresses[m.from] + m.offset + m.by.offset(k);
                    addresses[m.to] = to;
                    patches[m.to - first].write(to);
                }
                return;
            }
            for (Move m : moves) addresses[m.to] = addresses[m.from] + m.offset + m.by.offset(0);
            write(addresses);
        }

        private void write(long[] addresses) {
            for (int i = 0; i < patches.length; i++) patches[i].write(addresses[first + i]);
            for (Section body : bodies) body.enter(addresses, 0);
        }
    }

    private final Plan plan;
    private final Buffer memory;
    private final long start;
    /** Bytes up to the end of the last block. */
    private final long blocksEnd;

    /** From an address here to the one at which kernels see it: 0 unless the device has memory of its own. */
    private final long shift;

    /** All of this memory up to the end of the last block, as it is until the first run. Made here and copied at once: until HotSpot has compiled it, writing a word to memory by its address is two hundred bytecodes. */
    private final long[] words;

    private final Section program;
    private final List<ScalarPatch> scalarPatches = new ArrayList<>();
    private int bases;
    /** While building: where the next block goes. */
    private long next;

    ParameterBlock(Plan plan, Allocator allocator) {
        this(plan, allocator, 0, null);
    }

    /**
     * @param more bytes wanted behind all blocks, see {@link #more}
     * @param copy gives the address of a copy of this memory, of so many bytes, in the device's own; null if kernels work on this memory
     */
    ParameterBlock(Plan plan, Allocator allocator, long more, LongUnaryOperator copy) {
        this.plan = plan;
        long cells = (plan.argTypes().size() * (long) Long.BYTES + 63) & -64;
        blocksEnd = RECORD_BYTES + cells + blockBytes(plan);
        long bytes = blocksEnd + more;
        memory = allocator.allocate(bytes, "parameters of a program");
        start = memory.address();
        shift = copy == null ? 0 : copy.applyAsLong(bytes) - start;
        next = start + RECORD_BYTES + cells;
        words = new long[Math.toIntExact(blocksEnd / Long.BYTES)];
        program = new Section(plan, null, null);
        program.build();
        Memory.putLongs(start, words);
        Memory.fill(start + blocksEnd, more, (byte) 0);
    }

    /** Gives the memory back. Nothing of this may be used afterwards. */
    void release() {
        memory.release();
    }

    /** The program's own section. */
    Section program() {
        return program;
    }

    private static long blockBytes(Plan plan) {
        long bytes = 0;
        for (Plan.Step step : plan.steps()) {
            if (step instanceof Plan.Launch launch) bytes += launch.segments().size() * blockBytes(launch);
            if (step instanceof Plan.Repeat r) bytes += blockBytes(r.body());
        }
        return bytes;
    }

    /** What is in the first slots of the block at an address of this memory until the first run: a copy. */
    long[] numbers(long block, int slots) {
        int from = index(block);
        return Arrays.copyOfRange(words, from, from + slots);
    }

    /** The numbers in the slots of the block at an address of this memory. */
    static IntToLongFunction slots(long block) {
        return slot -> Memory.getLong(block + (long) slot * Long.BYTES);
    }

    /** Bytes of the blocks of one segment of a launch. */
    static long blockBytes(Plan.Launch launch) {
        return (launch.kernel().slots() * (long) Long.BYTES + 63) & -64;
    }

    /** Which of {@link #words} is at an address. */
    private int index(long address) {
        return (int) ((address - start) / Long.BYTES);
    }

    private void fill(Section section, long at, Plan.Launch launch, Slots values) {
        if (values.size() != launch.kernel().slots()) {
            throw new IllegalArgumentException("kernel " + launch.kernel().name() + " has "
                    + launch.kernel().slots() + " slots, its launch gives " + values.size());
        }
        int first = index(at);
        values.copyNumbers(words, first);
        if (section.known == null || section.known.tables != values.tables())
            section.known = new Known(values.tables());
        Known known = section.known;
        for (int i = 0; i < values.others(); i++) {
            int slot = values.place(i);
            int value = values.index(i);
            if (known.bases[value] == 0) note(section, known, value);
            words[first + slot] = known.words[value];
            long address = at + (long) slot * Long.BYTES;
            if (known.bases[value] > 0) section.patches[known.bases[value] - 1].add(address, known.offsets[value]);
            else if (values.other(i) instanceof SlotValue.ScalarArgument s)
                scalarPatches.add(new ScalarPatch(
                        address, s.index(), plan.argTypes().get(s.index()).dtype()));
        }
    }

    /** What is in a slot with this value until the first run, and what runs will write into it. */
    private void note(Section section, Known known, int value) {
        known.bases[value] = -1;
        switch (known.tables.values()[value]) {
            case SlotValue.ErrorRecord _ -> known.words[value] = start + shift;
            case SlotValue.Address a -> {
                Place place = a.place();
                known.bases[value] = section.base(place) - section.first + 1;
                known.offsets[value] = place.start();
                known.words[value] = Long.lowestOneBit(section.alignment(place) | ALIGNMENT);
            }
            case SlotValue.ScalarArgument _ -> {}
            case SlotValue.Number _ -> throw new IllegalStateException("numbers stand apart");
        }
    }

    /** The error record and what follows it, up to {@code used} bytes behind the last block. */
    MemorySegment segment(long used) {
        return Memory.ALL.asSlice(start, blocksEnd + used);
    }

    /** The address of the bytes behind all blocks. */
    long more() {
        return start + blocksEnd;
    }

    /** The words of the error record. */
    MemorySegment record() {
        return Memory.ALL.asSlice(start, 4L * Long.BYTES);
    }

    /** The address at which kernels see what is at an address of this memory. */
    long seen(long address) {
        return address + shift;
    }

    /** Number of base addresses: the program's arguments, then its results, then the arena; then those of the bodies of its repeats. */
    int bases() {
        return bases;
    }

    /** Which base address a place is relative to. */
    static int base(Plan plan, Place place) {
        return switch (place) {
            case Place.Argument a -> a.index();
            case Place.Result r -> plan.argTypes().size() + r.index();
            case Place.Temp _ -> plan.argTypes().size() + plan.resultTypes().size();
            case Place.Part p -> base(plan, p.of());
        };
    }

    /**
     * Writes what differs from run to run, and clears the error record.
     *
     * @param bases base addresses; those of scalar arguments are filled in
     * @param args null where an argument is not known yet: what stands for it will be written when it is
     */
    void prepare(long[] bases, List<? extends Arg> args) {
        for (int i = 0; i < args.size(); i++) {
            if (!(args.get(i) instanceof Arg.Scalar s)) continue;
            long cell = start + RECORD_BYTES + (long) i * Long.BYTES;
            bases[i] = cell + shift;
            Elements.store(plan.argTypes().get(i).dtype(), s.bits(), cell);
        }
        program.write(bases);
        for (ScalarPatch p : scalarPatches) {
            if (args.get(p.index) instanceof Arg.Scalar s) Memory.putLong(p.slot, registerBits(p.dtype, s.bits()));
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
        throw new IndexError(site.operator(), Memory.getLong(start + 16), Memory.getLong(start + 24), site.origin());
    }
}
