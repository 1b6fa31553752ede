// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.store.FormatException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GemmFormTest {
    /** All forms that two steps lead to. */
    private static Set<GemmForm> twoSteps(boolean convolution) {
        Set<GemmForm> all = new HashSet<>(Set.of(GemmForm.TABLE));
        for (GemmForm f : GemmForm.TABLE.neighbours(convolution)) {
            all.add(f);
            all.addAll(f.neighbours(convolution));
        }
        return all;
    }

    @Test
    void formsAreReadAsTheyAreWritten() {
        assertEquals("", GemmForm.TABLE.toString());
        for (boolean convolution : new boolean[] {false, true}) {
            Set<String> texts = new HashSet<>();
            for (GemmForm f : twoSteps(convolution)) {
                assertEquals(f, GemmForm.parse(f.toString()));
                assertTrue(texts.add(f.toString()), f::toString);
            }
            assertTrue(texts.size() > 40, texts::toString);
        }
        assertEquals(
                "tiles turned packed depth=512 slices=4 share=50",
                GemmForm.parse("tiles turned packed depth=512 slices=4 share=50")
                        .toString());
    }

    @Test
    void neighboursDifferInOneChoice() {
        GemmForm from = GemmForm.parse("turned slices=4");
        List<GemmForm> near = from.neighbours(false);
        assertFalse(near.contains(from));
        assertTrue(near.contains(GemmForm.parse("slices=4")));
        assertTrue(near.contains(GemmForm.parse("turned")));
        assertTrue(near.contains(GemmForm.parse("turned slices=4 share=200")));
        assertFalse(near.contains(GemmForm.TABLE));
    }

    /** A text that is not exactly what a form is written as may not choose anything. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                " ", "turned ", " turned", "turned  packed", "packed turned", "turned turned", "turned straight",
                        "depth=100",
                "depth=", "depth", "depth=0512", "slices=0", "slices=65", "slices=-1", "slices=99999999999",
                        "share=100",
                "share=3", "Tiles", "width=4", "depth=512=1"
            })
    void otherTextsAreRefused(String text) {
        assertThrows(FormatException.class, () -> GemmForm.parse(text));
    }
}
