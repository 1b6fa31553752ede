// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import java.util.ArrayList;
import java.util.List;

/**
 * The loop over k of products by tensor cores whose operands both come by asynchronous copies. The fragments of a step are loaded while the step before is
 * multiplied, across stages too: threads meet before a stage's last products, which need nothing of the next one, whose first fragments come meanwhile. So
 * shared memory, which is needed nearly as long as the tensor cores are, does not wait for them, nor they for it. Copies stand between the products.
 *
 * <p>While chunks are whole, copies are an address that grows by a constant; the last stages have a loop of their own, with masks, and so has all of an operand whose
 * rows end within a chunk. It is the same but for speed. Arithmetic for copies would undo the order of things: the assembler, free to move products across barriers, fills up with them what copies,
 * and the barrier behind, wait for their addresses. There is no branch in a stage: what lies behind the end is copied as zeros.
 */
final class MmaPipeline {
    private final GemmCode g;
    private final GemmSchedule.Tile tile;
    private final PanelRing ring;
    private final AsyncWriter left;
    private final AsyncWriter right;
    private final MmaMultiplier multiplier;

    /** @param multiplier whose steps are an even number: each is loaded while one of the other parity is multiplied */
    MmaPipeline(GemmCode g, PanelRing ring, AsyncWriter left, AsyncWriter right, MmaMultiplier multiplier) {
        this.g = g;
        this.ring = ring;
        this.left = left;
        this.right = right;
        this.multiplier = multiplier;
        tile = g.schedule.tile();
    }

    /** Adds the products of steps of k. */
    void sum(Operand from, Operand end) {
        int ahead = tile.stages() - 1;
        left.begin(from);
        right.begin(from);
        for (int s = 0; s < ahead; s++) {
            copies(after(from, s), end, ring.stage(s)).forEach(Runnable::run);
            g.out.add(new AsyncCopy.Commit());
        }
        PanelRing.Stage read = ring.stage(0);
        PanelRing.Stage write = ring.stage(ahead);
        enter(read);
        Reg k0 = g.out.mov(PtxType.B64, from);
        Operand depth = g.out.constant(tile.depth());
        if (left.hasWholeCopies() && right.hasWholeCopies())
            g.loop(k0, endOfWhole(from, end), depth, () -> {
                List<Runnable> copies = new ArrayList<>(left.wholeCopies(write.left));
                copies.addAll(right.wholeCopies(write.right));
                stage(copies, read, write);
            });
        g.loop(k0, end, depth, () -> stage(copies(after(k0, ahead), end, write), read, write));
        // Copies of what lies behind the end write shared memory, too.
        g.out.add(new AsyncCopy.Wait(0));
    }

    /** The end of stages during which whole panels are copied. */
    private Operand endOfWhole(Operand from, Operand end) {
        Operand last = after(end, -tile.stages());
        for (AsyncWriter w : List.of(left, right)) {
            Reg whole = w.wholeChunks();
            if (whole != null) last = g.out.selp(PtxType.B64, last, g.out.constant(-1), whole);
        }
        return g.c.scalars.addLong(last, g.out.constant(1));
    }

    /** The first step of k of a stage that comes later. */
    private Operand after(Operand k0, int stages) {
        return g.c.scalars.addLong(k0, g.out.constant((long) stages * tile.depth()));
    }

    private List<Runnable> copies(Operand k0, Operand end, PanelRing.Stage to) {
        List<Runnable> all = new ArrayList<>(left.copies(k0, end, to.left));
        all.addAll(right.copies(k0, end, to.right));
        return all;
    }

    /** Waits until a stage is there for all, and nobody reads the one before any more; then loads its first step. */
    private void enter(PanelRing.Stage read) {
        g.out.add(new AsyncCopy.Wait(tile.stages() - 2));
        g.out.barrier();
        multiplier.load(0, read.left, read.right);
    }

    /** Adds the products of a stage, whose first step is loaded, and loads the first one of the next. */
    private void stage(List<Runnable> copies, PanelRing.Stage read, PanelRing.Stage write) {
        int last = multiplier.steps() - 1;
        int places = last * multiplier.rowBlocks();
        for (int s = 0; s < last; s++) {
            int step = s;
            multiplier.load(step + 1, read.left, read.right);
            multiplier.multiply(step, row -> {
                int place = step * multiplier.rowBlocks() + row;
                for (int c = place * copies.size() / places; c < (place + 1) * copies.size() / places; c++)
                    copies.get(c).run();
            });
        }
        g.out.add(new AsyncCopy.Commit());
        read.advance();
        write.advance();
        enter(read);
        multiplier.multiply(last, _ -> {});
    }
}
