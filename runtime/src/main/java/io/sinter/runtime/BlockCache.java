// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.ArrayDeque;

/** Freed blocks of an allocator, kept by {@linkplain SizeClasses size class} to be handed out again. Not safe for use by several threads: its allocator guards it. */
final class BlockCache {
    /** Blocks at least this large may be served by a somewhat larger one. */
    private static final long LARGE = 1L << 20;

    /** A block of memory: in use by one lease, or here. */
    record Block(long address, int sizeClass, long freedAt) {
        long bytes() {
            return SizeClasses.bytes(sizeClass);
        }
    }

    private final MemorySource source;

    @SuppressWarnings({"unchecked", "rawtypes"})
    private final ArrayDeque<Block>[] blocks = new ArrayDeque[SizeClasses.COUNT];

    private long bytes;
    /** Orders blocks by the time at which they were freed. */
    private long clock;

    /** @param source takes memory back */
    BlockCache(MemorySource source) {
        this.source = source;
    }

    /** Bytes of all blocks here. */
    long bytes() {
        return bytes;
    }

    /** A block of that class, or of up to two more (a quarter of the size) where it is large; the one freed last. Null if there is none. */
    Block take(int sizeClass) {
        int last = SizeClasses.bytes(sizeClass) >= LARGE ? Math.min(sizeClass + 2, SizeClasses.COUNT - 1) : sizeClass;
        for (int c = sizeClass; c <= last; c++) {
            if (blocks[c] == null || blocks[c].isEmpty()) continue;
            Block block = blocks[c].removeLast();
            bytes -= block.bytes();
            return block;
        }
        return null;
    }

    /** Keeps a block that was freed just now. */
    void add(Block block) {
        bytes += block.bytes();
        int c = block.sizeClass;
        if (blocks[c] == null) blocks[c] = new ArrayDeque<>();
        blocks[c].addLast(new Block(block.address, c, clock++));
    }

    /** Gives blocks of at most {@code largest} bytes back, longest unused first, until {@code wanted} bytes are gone. */
    void evict(long wanted, long largest) {
        long gone = 0;
        while (gone < wanted) {
            ArrayDeque<Block> oldest = null;
            for (ArrayDeque<Block> of : blocks) {
                if (of == null || of.isEmpty() || of.peekFirst().bytes() > largest) continue;
                if (oldest == null || of.peekFirst().freedAt < oldest.peekFirst().freedAt) oldest = of;
            }
            if (oldest == null) return;
            Block block = oldest.removeFirst();
            bytes -= block.bytes();
            gone += block.bytes();
            source.unmap(block.address, block.bytes());
        }
    }
}
