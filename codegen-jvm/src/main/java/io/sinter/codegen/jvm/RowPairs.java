// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import java.util.List;

/**
 * Two tasks of a kernel that reduces a row each, and goes over it once, run side by side: sums of rows of 4096 from memory take a tenth less time so, since
 * the processor fetches two streams ahead, and the end of one row, where each instruction waits for the one before, passes while the other is read. Rows
 * that are gone over several times gain in cache only (a layer norm 88 → 65 ns, a softmax 220 → 198): from memory the passes that read, compute and write
 * overlap less when each is twice as long (a softmax of 16 MB 0.69 → 0.86 ms).
 *
 * @param tiles the method of two tasks: {@code tiles(slots, scratch, grid variables, scratch, grid variables)}
 * @param scratchBytes from the first task's scratch memory to the second's
 */
record RowPairs(MethodBuilder tiles, long scratchBytes) {
    /** Whether a kernel's tasks are such. */
    static boolean suit(LoopKernel kernel, List<Stmt> body) {
        if (kernel.grid().isEmpty()) return false;
        int passes = 0;
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Let _, Stmt.Declare _, Stmt.Set _, Stmt.Accumulate _, Stmt.Store _ -> {}
                case Stmt.If _ -> {
                    return false;
                }
                case Stmt.Loop l -> {
                    // Chunks of both tasks take turns: the loops must be equally long.
                    boolean reduces = l.body().stream().anyMatch(x -> x instanceof Stmt.Accumulate);
                    if (l.kind() != Kind.VECTOR || l.limit() != null || !reduces) return false;
                    passes++;
                }
            }
        }
        return passes == 1;
    }
}
