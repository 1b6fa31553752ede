// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel.Preparation;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A piece of a device's memory outside the Java heap, 64-byte aligned, with reference semantics: it goes back to its {@link Allocator} some time
 * after the last reference to it is gone, or at once by {@link #release}. Its contents are undefined until written.
 *
 * <p>{@link #address} is a number: it keeps nothing alive. Code that works with it holds a {@linkplain #pin pin}, or a reference to the
 * buffer up to a {@link Reference#reachabilityFence}; {@link #read} and {@link #write} do so themselves. It is an address of the device's memory,
 * which the host can access only if the device is the JVM.
 */
public final class Buffer implements Arg {
    private final Allocator.Lease lease;
    private final long address;
    private final long bytes;

    /** The run that has computed the contents, where that may be found wrong yet; 0 for none. */
    private volatile long run;

    /** What kernels have computed of the contents; null before the first time. */
    private volatile PreparedOperands prepared;

    Buffer(long address, long bytes, Allocator.Lease lease) {
        this.address = address;
        this.bytes = bytes;
        this.lease = lease;
    }

    /**
     * The address of the first byte.
     *
     * @throws IllegalStateException after {@link #release}
     */
    public long address() {
        if (lease.isReleased()) throw lease.usedAfterRelease();
        return address;
    }

    /** Size in bytes, as asked for. */
    public long bytes() {
        return bytes;
    }

    /** Where it comes from. */
    Allocator allocator() {
        return lease.allocator();
    }

    public Device device() {
        return lease.device();
    }

    /** True after {@link #release}, or after the session was closed. */
    public boolean isReleased() {
        return lease.isReleased();
    }

    /**
     * Gives the memory back now. Every later access is an {@link IllegalStateException}; releasing again does nothing. A run that is using the buffer
     * finishes first: the memory is handed out again when its pin is gone.
     */
    public void release() {
        lease.release();
        changed();
    }

    /** The address of the first byte, whoever has released it: for what holds a pin. */
    long startAddress() {
        return address;
    }

    /** The contents have changed, or may have: what was computed of them goes. Who writes by address says so before and after. */
    void changed() {
        PreparedOperands p = prepared;
        if (p != null) p.clear();
    }

    /** See {@link PreparedOperands#get}; for runs, which hold the pool and a pin. */
    PreparedOperands.Prepared prepared(Preparation preparation, long offset) {
        if (prepared == null) prepared = new PreparedOperands();
        return prepared.get(preparation, offset, lease.allocator(), lease.tag());
    }

    /**
     * Keeps the memory from being handed out again until {@link #unpin}; pins nest.
     *
     * @throws IllegalStateException after {@link #release}
     */
    public void pin() {
        lease.pin();
    }

    /** Ends one {@link #pin}. */
    public void unpin() {
        lease.unpin();
    }

    /** Marks the contents as computed by a run, which {@link IndexChecks} may find wrong later; 0: nobody doubts them. */
    void madeBy(long number) {
        run = number;
    }

    /** Throws the error of the run that has computed the contents, if it had one. */
    void check() {
        if (run != 0) lease.source().check(run);
    }

    /**
     * Copies {@code target.byteSize()} bytes out of this buffer, from byte {@code offset} on, when it has been computed.
     *
     * @throws io.sinter.ir.IndexError if a run with a wrong index is found to have been among those waited for, or to have computed this
     */
    public void read(long offset, MemorySegment target) {
        Objects.checkFromIndexSize(offset, target.byteSize(), bytes);
        pin();
        try {
            check();
            if (target.byteSize() > 0) lease.source().read(address + offset, target);
        } finally {
            unpin();
            Reference.reachabilityFence(this);
        }
    }

    /** Copies all of {@code source} into this buffer, from byte {@code offset} on. */
    public void write(long offset, MemorySegment source) {
        Objects.checkFromIndexSize(offset, source.byteSize(), bytes);
        pin();
        try {
            changed();
            if (source.byteSize() > 0) lease.source().write(address + offset, source);
            if (source.byteSize() == bytes) run = 0;
        } finally {
            changed();
            unpin();
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return "buffer of " + bytes + " bytes on " + device() + (isReleased() ? " (released)" : "");
    }
}
