// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Where the parts of a kernel stand in {@link KernelText#print}: the lines that line tables name, counted from 1. */
final class ListingLines {
    private final List<String> lines;

    ListingLines(Kernel kernel) {
        lines = KernelText.print(kernel).lines().toList();
    }

    /** The {@code n}-th line, from 0, that begins with a label ({@code "a = "}). */
    int of(String label, int n) {
        int left = n;
        for (int i = 0; i < lines.size(); i++) if (lines.get(i).strip().startsWith(label) && left-- == 0) return i + 1;
        throw new IllegalStateException("no line '" + label + "' in " + lines);
    }

    int of(String label) {
        return of(label, 0);
    }

    /** Lines of the statements that stand last, one to a line, outer before inner; by identity. */
    Map<Stmt, Integer> last(List<Stmt> statements) {
        List<Stmt> all = new ArrayList<>();
        Facts.walk(statements, all::add);
        int before = lines.size() - all.size();
        Map<Stmt, Integer> numbers = new IdentityHashMap<>();
        for (int i = 0; i < all.size(); i++) numbers.put(all.get(i), before + 1 + i);
        return numbers;
    }
}
