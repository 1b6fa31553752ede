// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.plan.Plan.SlotValue;
import java.util.List;
import org.junit.jupiter.api.Test;

class SlotsTest {
    private static final SlotValue RECORD = new SlotValue.ErrorRecord();
    private static final SlotValue ADDRESS = new SlotValue.Address(new Plan.Place.Argument(3));

    private static SlotValue number(long n) {
        return new SlotValue.Number(n);
    }

    @Test
    void areTheListThatTheyWereMadeOf() {
        List<SlotValue> values =
                List.of(RECORD, number(7), ADDRESS, number(0), number(-1), new SlotValue.ScalarArgument(2));
        Slots slots = Slots.of(values);
        assertEquals(values, slots);
        assertEquals(slots, values);
        assertEquals(values.hashCode(), slots.hashCode());
        assertSame(slots, Slots.of(slots));
        assertSame(ADDRESS, slots.get(2));
        assertThrows(IndexOutOfBoundsException.class, () -> slots.get(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> slots.get(6));

        long[] words = {9, 9, 9, 9, 9, 9, 9, 9};
        slots.copyNumbers(words, 1);
        assertArrayEquals(new long[] {9, 0, 7, 0, 0, -1, 0, 9}, words);
        assertEquals(3, slots.others());
        assertEquals(5, slots.place(2));
        assertEquals(new SlotValue.ScalarArgument(2), slots.other(2));
        assertEquals(List.of(), Slots.of(List.of()));
    }

    @Test
    void aLaunchKeepsItsSegmentsAsSlots() {
        Plan.Launch launch = new Plan.Launch(null, List.of(List.of(RECORD, number(4)), List.of(RECORD, number(5))));
        assertEquals(List.of(RECORD, number(5)), launch.slots(1));
        assertEquals(launch, new Plan.Launch(null, List.of(List.of(RECORD, number(4)), launch.slots(1))));
    }

    @Test
    void blocksShareNumbersAndMustFitThem() {
        long[] numbers = {1, 2, 0, 4};
        Slots.Tables tables =
                new Slots.Tables(numbers, new int[] {2, 1}, new int[] {1, 0}, new SlotValue[] {ADDRESS, RECORD});
        Slots slots = Slots.of(tables, 1, 3, 1, 1);
        assertEquals(List.of(number(2), ADDRESS, number(4)), slots);
        assertEquals(List.of(number(1), number(2), RECORD, number(4)), Slots.of(tables, 0, 4, 0, 1));
        assertTrue(slots.isAddress(1));
        assertFalse(slots.isAddress(0));
        assertFalse(Slots.of(tables, 0, 4, 0, 1).isAddress(2));
        assertTrue(slots.sharesNumbers(Slots.of(tables, 1, 3, 0, 0)));
        assertFalse(slots.sharesNumbers(Slots.of(tables, 0, 3, 0, 0)));
        assertFalse(slots.sharesNumbers(Slots.of(List.copyOf(slots))));
        assertThrows(IllegalArgumentException.class, () -> Slots.of(tables, 0, 4, -1, 1));
        assertThrows(IllegalArgumentException.class, () -> Slots.of(tables, 0, 4, 1, 2));
        assertThrows(IllegalArgumentException.class, () -> Slots.of(tables, 0, 4, 0, -1));
        refused(numbers, 1, 4, new int[0]);
        refused(numbers, -1, 2, new int[0]);
        refused(numbers, 1, -1, new int[0]);
        refused(numbers, Integer.MAX_VALUE, 2, new int[0]);
        // Beside a number, twice, outside, out of order, without a value.
        refused(numbers, 0, 4, new int[] {1}, ADDRESS);
        refused(numbers, 1, 3, new int[] {1, 1}, ADDRESS, ADDRESS);
        refused(numbers, 0, 3, new int[] {3}, ADDRESS);
        refused(numbers, 0, 3, new int[] {-1}, ADDRESS);
        refused(new long[4], 0, 4, new int[] {2, 1}, ADDRESS, ADDRESS);
        refused(numbers, 0, 4, new int[] {2});
        refused(numbers, 0, 4, new int[] {2}, number(3));
        for (int value : new int[] {-1, 1}) {
            Slots.Tables other = new Slots.Tables(numbers, new int[] {2}, new int[] {value}, new SlotValue[] {ADDRESS});
            assertThrows(IllegalArgumentException.class, () -> Slots.of(other, 0, 4, 0, 1));
        }
    }

    private static void refused(long[] numbers, int from, int size, int[] places, SlotValue... values) {
        int[] others = new int[values.length];
        for (int i = 0; i < others.length; i++) others[i] = i;
        assertThrows(
                IllegalArgumentException.class,
                () -> Slots.of(new Slots.Tables(numbers, places, others, values), from, size, 0, places.length));
    }
}
