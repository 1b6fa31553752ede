// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel.Preparation;
import java.util.HashMap;
import java.util.Map;

/**
 * What kernels have computed of one buffer's contents alone and read again in later runs, as transformed weights are: kept from the second run
 * on that meets the contents unchanged, until they change or the buffer goes. A training step overwrites its weights and so keeps nothing.
 *
 * <p>Safe for use by many threads.
 */
final class PreparedOperands {
    /** @param offset from the buffer's beginning to where the operand's memory begins */
    private record Key(Object form, long offset) {}

    /** Memory for what one kernel prepares. */
    static final class Prepared {
        private final Buffer memory;
        private volatile boolean complete;

        private Prepared(Buffer memory) {
            this.memory = memory;
        }

        /** Keeps the memory for a run, even if the operand changes meanwhile; false if it has gone already. */
        private boolean pin() {
            try {
                memory.pin();
                return true;
            } catch (IllegalStateException _) {
                return false;
            }
        }

        /** Ends the run's use. */
        void unpin() {
            memory.unpin();
        }

        /** Its address while it is pinned. */
        long address() {
            return memory.startAddress();
        }

        /** Whether it has been computed. */
        boolean isComplete() {
            return complete;
        }

        /** It has been computed. */
        void complete() {
            complete = true;
        }
    }

    /** Whose memory this is, for messages. */
    private record Tag(Object operand) {
        @Override
        public String toString() {
            return "weights in the form that kernels read, of " + operand;
        }
    }

    /** Stands for a form that one run has met, or that there was no memory for. */
    private static final Prepared SEEN = new Prepared(null);

    private static final Prepared REFUSED = new Prepared(null);

    private final Map<Key, Prepared> entries = new HashMap<>();

    /**
     * Where to keep what a run prepares, pinned, or where another run has left it; null if this one should keep it to itself.
     *
     * @param offset from the buffer's beginning to where the operand's memory begins
     * @param tag the buffer's
     */
    synchronized Prepared get(Preparation preparation, long offset, Allocator allocator, Object tag) {
        Key key = new Key(preparation.form(), offset);
        Prepared known = entries.putIfAbsent(key, SEEN);
        if (known == SEEN) {
            try {
                known = new Prepared(allocator.allocate(preparation.bytes(), new Tag(tag)));
            } catch (OutOfDeviceMemoryException _) {
                known = REFUSED;
            }
            entries.put(key, known);
        }
        return known == null || known == REFUSED || !known.pin() ? null : known;
    }

    /** The contents have changed, or are not wanted any more. */
    synchronized void clear() {
        for (Prepared p : entries.values()) if (p.memory != null) p.memory.release();
        entries.clear();
    }
}
