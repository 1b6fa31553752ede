// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.dump;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The shortest edit between two texts, line by line (Myers 1986). */
final class LineDiff {
    private LineDiff() {}

    /**
     * The lines that were removed ({@code - }) and added ({@code + }), each run after its place in both texts ({@code @@ 12,15 @@}); empty if the
     * texts are equal.
     */
    static List<String> of(String before, String after) {
        List<String> a = before.lines().toList();
        List<String> b = after.lines().toList();
        int start = 0;
        while (start < a.size() && start < b.size() && a.get(start).equals(b.get(start))) start++;
        int endA = a.size();
        int endB = b.size();
        while (endA > start && endB > start && a.get(endA - 1).equals(b.get(endB - 1))) {
            endA--;
            endB--;
        }
        return script(a.subList(start, endA), b.subList(start, endB), start);
    }

    private static List<String> script(List<String> a, List<String> b, int offset) {
        int max = a.size() + b.size();
        int[] furthest = new int[2 * max + 2];
        List<int[]> history = new ArrayList<>();
        int d = 0;
        boolean done = max == 0;
        for (; !done; d++) {
            history.add(Arrays.copyOfRange(furthest, max - d, max + d + 2));
            for (int k = -d; k <= d && !done; k += 2) {
                boolean down = k == -d || k != d && furthest[max + k - 1] < furthest[max + k + 1];
                int x = down ? furthest[max + k + 1] : furthest[max + k - 1] + 1;
                while (x < a.size() && x - k < b.size() && a.get(x).equals(b.get(x - k))) x++;
                furthest[max + k] = x;
                done = x >= a.size() && x - k >= b.size();
            }
        }
        List<String> out = new ArrayList<>();
        int x = a.size();
        int y = b.size();
        for (int step = d - 1; step >= 0; step--) {
            // history[step] holds diagonals -step … step + 1 as they were before the step.
            int[] then = history.get(step);
            int k = x - y;
            boolean down = k == -step || k != step && then[step + k - 1] < then[step + k + 1];
            int from = down ? k + 1 : k - 1;
            int fromX = step == 0 ? 0 : then[step + from];
            int fromY = fromX - from;
            if (step == 0) break;
            while (x > (down ? fromX : fromX + 1) && y > (down ? fromY + 1 : fromY)) {
                x--;
                y--;
            }
            String place = "@@ " + (offset + fromX + 1) + "," + (offset + fromY + 1) + " @@";
            out.add(down ? "+ " + b.get(fromY) : "- " + a.get(fromX));
            out.add(place);
            x = fromX;
            y = fromY;
        }
        return grouped(out.reversed());
    }

    /** One place for each run of neighbouring lines. */
    private static List<String> grouped(List<String> pairs) {
        List<String> out = new ArrayList<>();
        int nextA = -1;
        int nextB = -1;
        for (int i = 0; i < pairs.size(); i += 2) {
            String[] at = pairs.get(i).split("[ ,]");
            int a = Integer.parseInt(at[1]);
            int b = Integer.parseInt(at[2]);
            if (a != nextA || b != nextB) out.add(pairs.get(i));
            String line = pairs.get(i + 1);
            out.add(line);
            nextA = line.startsWith("-") ? a + 1 : a;
            nextB = line.startsWith("+") ? b + 1 : b;
        }
        return out;
    }
}
