// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.plan.Plan.SlotValue;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.RandomAccess;

/**
 * What goes into the slots of one parameter block: an immutable list of {@link SlotValue}s. Nearly all of them are numbers, which stand in an array, so that whoever reads, checks or lays out
 * a plan passes them as a whole: a plan has thousands, and a process that finds its plan in a cache does all that before HotSpot has compiled anything.
 */
public final class Slots extends AbstractList<SlotValue> implements RandomAccess {
    /** Those of this block begin at {@link #from}; 0 where there is something else. Never written. */
    private final long[] numbers;

    private final int from;
    private final int size;
    /** The slots that hold no numbers, ascending. */
    private final int[] places;

    private final SlotValue[] others;

    private Slots(long[] numbers, int from, int size, int[] places, SlotValue[] others) {
        this.numbers = numbers;
        this.from = from;
        this.size = size;
        this.places = places;
        this.others = others;
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
        SlotValue[] others = new SlotValue[at.length];
        for (int i = 0; i < at.length; i++) others[i] = values.get(at[i]);
        return new Slots(numbers, 0, numbers.length, at, others);
    }

    /**
     * Numbers that many blocks share, and what else there is.
     *
     * @param numbers of this block from {@code from} on, 0 where it has none; not copied, and not to be changed any more
     * @param places slots that hold {@code others}, ascending; not copied
     * @throws IllegalArgumentException if that is not so
     */
    public static Slots of(long[] numbers, int from, int size, int[] places, SlotValue[] others) {
        if (from < 0 || size < 0 || size > numbers.length - from || places.length != others.length)
            throw new IllegalArgumentException("no " + size + " slots at " + from + " of " + numbers.length);
        int last = -1;
        for (int i = 0; i < places.length; i++) {
            if (places[i] <= last || places[i] >= size || numbers[from + places[i]] != 0)
                throw new IllegalArgumentException("slot " + places[i] + " of " + size + " after slot " + last);
            if (others[i] instanceof SlotValue.Number)
                throw new IllegalArgumentException("a number beside the numbers: slot " + places[i]);
            last = places[i];
        }
        return new Slots(numbers, from, size, places, others);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public SlotValue get(int slot) {
        if (slot < 0 || slot >= size) throw new IndexOutOfBoundsException("slot " + slot + " of " + size);
        SlotValue other = find(slot);
        return other != null ? other : new SlotValue.Number(numbers[from + slot]);
    }

    /** What is in a slot, if that is no number; else null. */
    private SlotValue find(int slot) {
        int low = 0;
        int high = places.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (places[middle] < slot) low = middle + 1;
            else high = middle;
        }
        return low < places.length && places[low] == slot ? others[low] : null;
    }

    /** Copies the numbers to where the block's first slot is; 0 to slots that hold something else. */
    public void copyNumbers(long[] to, int at) {
        System.arraycopy(numbers, from, to, at, size);
    }

    /** How many slots hold something else than a number. */
    public int others() {
        return places.length;
    }

    /** The {@code i}-th slot that holds no number. */
    public int place(int i) {
        return places[i];
    }

    /** What is in it. */
    public SlotValue other(int i) {
        return others[i];
    }
}
