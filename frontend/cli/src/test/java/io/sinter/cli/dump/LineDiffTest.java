// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LineDiffTest {
    @Test
    void showsWhatChangedAndWhere() {
        assertEquals(List.of("@@ 2,2 @@", "- b", "+ x", "@@ 4,4 @@", "+ e"), LineDiff.of("a\nb\nc\n", "a\nx\nc\ne\n"));
        assertEquals(List.of(), LineDiff.of("a\nb", "a\nb\n"));
    }

    /** The removed and added lines make the second text of the first; and there are no more of them than the texts have lines. */
    @Property(tries = 300)
    void theScriptMakesTheSecondTextOfTheFirst(
            @ForAll @Size(max = 12) List<@IntRange(max = 3) Integer> a,
            @ForAll @Size(max = 12) List<@IntRange(max = 3) Integer> b) {
        List<String> x = a.stream().map(String::valueOf).toList();
        List<String> y = b.stream().map(String::valueOf).toList();
        List<String> script = LineDiff.of(String.join("\n", x), String.join("\n", y));
        List<String> made = new ArrayList<>();
        int at = 0;
        for (String line : script) {
            if (line.startsWith("@@")) {
                int from = Integer.parseInt(line.split("[ ,]")[1]) - 1;
                while (at < from) made.add(x.get(at++));
            } else if (line.startsWith("- ")) {
                assertEquals(x.get(at++), line.substring(2));
            } else {
                made.add(line.substring(2));
            }
        }
        while (at < x.size()) made.add(x.get(at++));
        assertEquals(y, made, script.toString());
        long edits = script.stream().filter(l -> !l.startsWith("@@")).count();
        assertEquals(x.size() + y.size() - 2L * common(x, y), edits, "the shortest");
        assertTrue(script.isEmpty() == x.equals(y));
    }

    /** Length of the longest common subsequence. */
    private static int common(List<String> a, List<String> b) {
        int[][] best = new int[a.size() + 1][b.size() + 1];
        for (int i = 1; i <= a.size(); i++)
            for (int j = 1; j <= b.size(); j++)
                best[i][j] = a.get(i - 1).equals(b.get(j - 1))
                        ? best[i - 1][j - 1] + 1
                        : Math.max(best[i - 1][j], best[i][j - 1]);
        return best[a.size()][b.size()];
    }
}
