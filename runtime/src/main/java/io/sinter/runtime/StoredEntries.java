// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.Tuning;

/** Entries of a cache on disk as data: what can be said of them without the program that they are of. */
public final class StoredEntries {
    private StoredEntries() {}

    /**
     * Reads all that an entry holds and checks it as a process does that finds it. PTX and cubins are judged by the device that they are for, and by the kernel
     * whose launches they are; of them no more is known here than that the bytes are those that were written.
     *
     * @throws FormatException naming what is wrong
     */
    public static void check(Entry entry) {
        entry.text();
        switch (entry.key().kind()) {
            case PLAN -> StoredPlan.read(entry.payload());
            case CLASS -> JvmCode.check(entry);
            case TUNING -> Tuning.read(entry.payload());
            case PTX, CUBIN -> {
                if (entry.payload().length == 0) throw new FormatException("no code");
            }
        }
    }
}
