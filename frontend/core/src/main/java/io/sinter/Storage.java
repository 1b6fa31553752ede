// SPDX-License-Identifier: Apache-2.0
package io.sinter;

/**
 * What tensors that alias one another share: the current value of their common base, and how often it was
 * written. A view is a storage and a chain of view operators; a write makes a new value of the base.
 */
final class Storage {
    Value value;
    /** Counts in-place writes; saved tensors compare it. */
    int version;
    /**
     * The base's value when the current trace first wrote the storage: what a step boundary may give away.
     * Null if not written.
     */
    Value overwritten;
    /** The trace that {@link #overwritten} is of. */
    Trace writer;
    /** The recording during which it was made, or null. */
    final Recording recorded = Trace.current().recording;

    Storage(Value value) {
        this.value = value;
        if (value.home == null) value.home = this;
        else value.share();
    }

    /** Whether the memory of the value that was overwritten may become that of the present one, which is pending: nobody else holds it. */
    boolean gives() {
        return !overwritten.pinned()
                && overwritten.data != null
                && (overwritten.flags & Value.SHARED) == 0
                && value.pending()
                && value.type.bytes() == overwritten.type.bytes();
    }

    /** Replaces the base's value. */
    void write(Trace trace, Value v) {
        if (overwritten == null) {
            overwritten = value;
            trace.work.written(this);
        } else if (writer != trace) {
            // The new value is pending in one trace and known as written to another: this one does not run it.
            trace.exposeGradients();
        }
        value.flags &= ~Value.WRITTEN;
        if (v.home != null && v.home != this) v.share();
        value = v;
        v.home = this;
        v.flags |= Value.WRITTEN;
        version++;
    }

    /** A computed value takes the place of the present one, outside any trace. */
    void replace(Value v) {
        value.flags &= ~Value.WRITTEN;
        if (v.home != null && v.home != this) v.share();
        value = v;
        v.home = this;
        version++;
    }
}
