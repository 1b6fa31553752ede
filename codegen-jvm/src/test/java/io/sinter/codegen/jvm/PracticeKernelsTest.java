// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.PracticeKernels.Practice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PracticeKernelsTest {
    /** What each launch asks for, by its kernel's name. */
    private static Map<String, List<JvmKernel.Demand>> demands() {
        Map<String, List<JvmKernel.Demand>> all = new HashMap<>();
        for (Practice p : PracticeKernels.templates()) {
            for (long[] numbers : p.launches()) {
                assertEquals(
                        PracticeKernels.NUMBERS + numbers.length, p.kernel().slots());
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment block = arena.allocate(8L * p.kernel().slots(), 64);
                    MemorySegment.copy(
                            MemorySegment.ofArray(numbers),
                            0,
                            block,
                            8L * PracticeKernels.NUMBERS,
                            8L * numbers.length);
                    for (int slot : PracticeKernels.OPERANDS) block.setAtIndex(ValueLayout.JAVA_LONG, slot, 64);
                    String name = p.kernel().name();
                    all.computeIfAbsent(name, _ -> new ArrayList<>())
                            .add(p.code().demand(block.address()));
                }
            }
        }
        return all;
    }

    @Test
    void launchesArePlannedInAllWays() {
        int bits = Options.preferred().vectorBits();
        for (WinogradMatrix m : WinogradMatrix.values()) m.map(bits);
        Map<String, List<JvmKernel.Demand>> all = demands();
        all.forEach((name, demands) -> {
            for (JvmKernel.Demand d : demands) assertTrue(d.tasks()[0] > 0, name);
        });
        assertEquals(
                List.of("attention", "attention_grad", "convolution", "product", "weight_grad"),
                all.keySet().stream().sorted().toList());
        assertNotNull(all.get("convolution").getFirst().preparation(), "weights transformed by Winograd's algorithm");
    }
}
