// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.plan.Plan.SlotValue;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.RandomAccess;

/**
 * What goes into the slots of one parameter block: an immutable list of {@link SlotValue}s. Nearly all of them are numbers, which stand in an array; the others stand in a table, where each
 * is once, however many launches name it. So whoever reads, checks or lays out a plan passes numbers as a whole, and looks at each piece of memory once: a plan has thousands of slots, and a
 * process that finds its plan in a cache does all that before HotSpot has compiled anything.
 */
public final class Slots extends AbstractList<SlotValue> implements RandomAccess {
    /**
     * What blocks share. Nothing of it is copied, or may be changed any more.
     *
     * @param numbers those of one block after the other, 0 where a slot holds something else
     * @param places slots that hold something else, of one block after the other, ascending in each
     * @param others what they hold: an index of {@code values} for each of {@code places}
     * @param values no numbers, each once
     */
    public record Tables(long[] numbers, int[] places, int[] others, SlotValue[] values) {
        /** @throws IllegalArgumentException if there is a number among the values, or a place without one */
        public Tables {
            if (places.length != others.length)
                throw new IllegalArgumentException(places.length + " slots for " + others.length + " values");
            for (SlotValue v : values)
                if (v instanceof SlotValue.Number)
                    throw new IllegalArgumentException("a number beside the numbers: " + v);
        }
    }

    private final Tables tables;
    /** Where the block's numbers begin, and how many slots it has. */
    private final int from;

    private final int size;
    /** Where what is no number begins, and where it ends. */
    private final int first;

    private final int end;

    private Slots(Tables tables, int from, int size, int first, int count) {
        this.tables = tables;
        this.from = from;
        this.size = size;
        this.first = first;
        end = first + count;
    }

    /** These values; themselves if they are slots already. */
    public static Slots of(List<SlotValue> values) {
        if (values instanceof Slots s) return s;
        long[] numbers = new long[values.size()];
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < numbers.length; i++) {
            if (values.get(i) instanceof SlotValue.Number n) numbers[i] = n.value();
            else places.add(i);
        }
        int[] at = places.stream().mapToInt(Integer::intValue).toArray();
        int[] index = new int[at.length];
        SlotValue[] others = new SlotValue[at.length];
        for (int i = 0; i < at.length; i++) {
            index[i] = i;
            others[i] = values.get(at[i]);
        }
        return new Slots(new Tables(numbers, at, index, others), 0, numbers.length, 0, at.length);
    }

    /**
     * A block among many.
     *
     * @param from where its numbers begin
     * @param size how many slots it has
     * @param first where its slots that hold no number begin among {@link Tables#places}
     * @param count how many of them it has
     * @throws IllegalArgumentException if the tables have no such block
     */
    public static Slots of(Tables tables, int from, int size, int first, int count) {
        long[] numbers = tables.numbers;
        int[] places = tables.places;
        int[] others = tables.others;
        if (from < 0 || size < 0 || size > numbers.length - from)
            throw new IllegalArgumentException("no " + size + " slots at " + from + " of " + numbers.length);
        if (first < 0 || count < 0 || count > places.length - first)
            throw new IllegalArgumentException("no " + count + " values at " + first + " of " + places.length);
        int values = tables.values.length;
        int last = -1;
        for (int i = first; i < first + count; i++) {
            int slot = places[i];
            if (slot <= last || slot >= size || numbers[from + slot] != 0)
                throw new IllegalArgumentException("slot " + slot + " of " + size + " after slot " + last);
            if (others[i] < 0 || others[i] >= values)
                throw new IllegalArgumentException("value " + others[i] + " of " + values + " in slot " + slot);
            last = slot;
        }
        return new Slots(tables, from, size, first, count);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public SlotValue get(int slot) {
        if (slot < 0 || slot >= size) throw new IndexOutOfBoundsException("slot " + slot + " of " + size);
        int i = find(slot);
        return i >= 0 ? tables.values[tables.others[i]] : new SlotValue.Number(tables.numbers[from + slot]);
    }

    /** Whether an address is in a slot, which there must be. */
    public boolean isAddress(int slot) {
        int i = find(slot);
        return i >= 0 && tables.values[tables.others[i]] instanceof SlotValue.Address;
    }

    /** Where a slot stands among the {@link Tables#places}; -1 if it holds a number. */
    private int find(int slot) {
        int low = first;
        int high = end;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (tables.places[middle] < slot) low = middle + 1;
            else high = middle;
        }
        return low < end && tables.places[low] == slot ? low : -1;
    }

    /** Copies the numbers to where the block's first slot is; 0 to slots that hold something else. */
    public void copyNumbers(long[] to, int at) {
        System.arraycopy(tables.numbers, from, to, at, size);
    }

    /** Whether the numbers of both are one piece of a table. If not, they may be equal all the same. */
    public boolean sharesNumbers(Slots other) {
        return tables == other.tables && from == other.from && size == other.size;
    }

    /** What this block shares with others. */
    public Tables tables() {
        return tables;
    }

    /** How many slots hold something else than a number. */
    public int others() {
        return end - first;
    }

    /** The {@code i}-th slot that holds no number. */
    public int place(int i) {
        return tables.places[first + i];
    }

    /** What is in it. */
    public SlotValue other(int i) {
        return tables.values[tables.others[first + i]];
    }

    /** Which of the {@link Tables#values} that is. */
    public int index(int i) {
        return tables.others[first + i];
    }
}
