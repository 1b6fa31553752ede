// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;

/**
 * A value that a gradient rule will need, and the version of the storage that held it: PyTorch's check on
 * in-place changes.
 */
final class SavedValue implements Runnable {
    final Value value;
    private final TapeNode by;
    private Tensor owner;
    private int version;

    /** @param by who saves it, and {@linkplain #run checks} it; null for one that calls {@link #check} */
    SavedValue(TapeNode by, Tensor owner, Value value) {
        this.by = by;
        this.owner = owner;
        this.value = value;
        version = owner.version();
        value.saved++;
    }

    /** The value has been written to {@code target} as a whole: its version counts from now on. */
    void moved(Tensor target) {
        owner = target;
        version = target.version();
    }

    void release() {
        value.saved--;
    }

    boolean isModified() {
        return owner.version() != version;
    }

    void check(String op) {
        if (isModified()) throw modified(op, value.type, owner.version(), version);
    }

    /** The check for whoever saved it. */
    @Override
    public void run() {
        check(by.name());
    }

    static RuntimeException modified(String op, Type type, int now, int expected) {
        return Errors.state("one of the tensors needed for the gradient of " + op
                + " was modified by an in-place operation (or an optimizer's step): " + type + " is at version " + now
                + ", expected version " + expected
                + "; clone() it before the modification, or call backward() earlier");
    }
}
