// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.sim.SimFault.Kind;

/**
 * The shared memory of one CTA, with what its checks need: which bytes belong to a variable, which have been written, and which an
 * asynchronous copy is about to write.
 */
final class SharedMemory {
    final Store store;
    private final Bitmap variables;
    private final Bitmap pending;
    private final Races races;

    /**
     * @param granule bytes that are watched for races together: the least that the kernel accesses at once, at most 4; 0: no watching
     */
    SharedMemory(int bytes, int granule, int warps) {
        store = new Store(bytes);
        variables = new Bitmap(bytes);
        pending = new Bitmap(bytes);
        races = granule == 0 ? null : new Races("shared address", 0, bytes, granule, warps);
    }

    /** Says that bytes belong to a variable. */
    void declare(int at, int bytes) {
        variables.fill(at, bytes, true);
    }

    /** Checks that an access lies in a variable. */
    void check(Agent w, int lane, int at, int bytes) {
        if (at < 0 || at + bytes > store.data.length) {
            throw w.fault(Kind.OUT_OF_BOUNDS, lane, outside(at, bytes));
        }
        if (at % bytes != 0) {
            throw w.fault(Kind.MISALIGNED, lane, "shared address " + at + " is no multiple of " + bytes);
        }
        if (!variables.all(at, bytes)) throw w.fault(Kind.OUT_OF_BOUNDS, lane, outside(at, bytes));
    }

    private String outside(int at, int bytes) {
        return bytes + " bytes at shared address " + at + " lie in no variable; shared memory ends at "
                + store.data.length;
    }

    /** Checks a read of bytes that lie in one variable. */
    void reading(Agent w, int lane, int at, int bytes, boolean atomic) {
        if (pending.any(at, bytes)) {
            throw w.fault(
                    Kind.ASYNC_NOT_WAITED,
                    lane,
                    "shared address " + at + " is the target of a copy that was not waited for");
        }
        if (w.options.checkInitialized() && !store.written.all(at, bytes)) {
            throw w.fault(Kind.UNINITIALIZED_MEMORY, lane, "shared address " + at + " was never written");
        }
        if (races != null && w.cta.shared == this) races.read(w, lane, at, bytes, atomic);
    }

    /** Checks a write of bytes that lie in one variable. */
    void writing(Agent w, int lane, int at, int bytes, boolean atomic) {
        if (pending.any(at, bytes)) {
            throw w.fault(
                    Kind.ASYNC_NOT_WAITED,
                    lane,
                    "shared address " + at + " is the target of a copy that was not waited for");
        }
        if (races != null && w.cta.shared == this) races.write(w, lane, at, bytes, atomic);
    }

    /** Bytes that an asynchronous copy is about to write: nobody may touch them. */
    void announce(Agent w, int lane, int at, int bytes) {
        writing(w, lane, at, bytes, false);
        pending.put(at, bytes, true);
    }

    void arrived(int at, int bytes) {
        pending.fill(at, bytes, false);
    }
}
