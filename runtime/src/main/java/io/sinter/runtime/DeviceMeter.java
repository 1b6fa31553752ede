// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** Measures what a GPU's memory can do: what kernels are compared with. */
public final class DeviceMeter {
    private static final int ROUNDS = 5;

    private DeviceMeter() {}

    /**
     * The best rate of copies within the session's GPU, read and written bytes counted, in bytes a second.
     *
     * @param bytes of a copy
     * @throws IllegalArgumentException if the session's device is no GPU
     */
    public static double copyRate(Session session, long bytes) {
        Gpu gpu = session.gpu();
        if (gpu == null) throw new IllegalArgumentException(session.device() + " is no GPU");
        Buffer from = session.allocator().allocate(bytes, "copies that are timed");
        Buffer to = session.allocator().allocate(bytes, "copies that are timed");
        try {
            gpu.driver().fill(gpu.stream(), from.address(), (byte) 1, bytes);
            long best = Long.MAX_VALUE;
            for (int i = 0; i < ROUNDS; i++)
                best = Math.min(
                        best, gpu.time(() -> gpu.driver().copy(gpu.stream(), from.address(), to.address(), bytes)));
            return 2e9 * bytes / Math.max(1, best);
        } finally {
            from.release();
            to.release();
        }
    }
}
