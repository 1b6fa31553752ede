// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.util.List;

/**
 * A kernel as executable code. Generated classes extend this.
 *
 * <p>A launch runs {@link #phases} phases one after another; within a phase, its {@link #tasks} tasks may run
 * in any order and on any thread. {@code params} is the address of the kernel's parameter block of 8-byte
 * slots. Nothing here checks an address.
 */
public abstract class JvmKernel {
    /** The kernel's name, for dumps and profiles. */
    public abstract String name();

    /** What a launch's numbers say about its size, for profiles; empty if there is nothing to say. */
    public String describe(long params) {
        return "";
    }

    /**
     * What a launch asks for.
     *
     * @param tasks of each phase
     * @param scratchBytes see {@link JvmKernel#scratchBytes}
     * @param workspaceBytes see {@link JvmKernel#workspaceBytes}
     * @param preparation see {@link JvmKernel#preparation(long)}; or null
     */
    public record Demand(long[] tasks, long scratchBytes, long workspaceBytes, Preparation preparation) {}

    /** All at once, for who prepares many launches: a kernel that plans its launches plans once. */
    public Demand demand(long params) {
        long[] tasks = new long[phases()];
        for (int p = 0; p < tasks.length; p++) tasks[p] = tasks(p, params);
        return new Demand(tasks, scratchBytes(params), workspaceBytes(params), preparation(params));
    }

    /** Number of phases, at least 1; a phase starts when every task of the one before has ended. */
    public int phases() {
        return 1;
    }

    /** Number of independent tasks of a phase. */
    public abstract long tasks(int phase, long params);

    /**
     * Bytes of 64-byte aligned memory that each worker must provide as {@code scratch} while it runs tasks.
     */
    public abstract long scratchBytes(long params);

    /** Bytes of 64-byte aligned memory that all tasks and phases of one launch share. */
    public long workspaceBytes(long params) {
        return 0;
    }

    /** Runs the tasks {@code begin} to below {@code end} of a phase. */
    public abstract void run(int phase, long params, long begin, long end, long scratch, long workspace);

    /**
     * What the first phase computes of one operand alone, for the others to read. Who knows that the operand's memory
     * has not changed may keep it, and leave the first phase out.
     *
     * @param slot of the operand's address
     * @param form a value: over the same memory, equal forms are equal bytes, whatever the kernel
     * @param bytes how many, 64-byte aligned
     */
    public record Preparation(int slot, Object form, long bytes) {}

    /** What there is to keep of the first phase; null if there is nothing. */
    public Preparation preparation(long params) {
        return null;
    }

    /**
     * As {@link #run(int, long, long, long, long, long)}, with what {@link #preparation} describes at {@code prepared};
     * else it is at the beginning of the workspace, which is as large in both cases.
     */
    public void run(int phase, long params, long begin, long end, long scratch, long workspace, long prepared) {
        run(phase, params, begin, end, scratch, workspace);
    }

    /**
     * Runs a small part of a phase (there must be a task) for the sake of running it: calls each method that
     * the phase's tasks call, on a little of their data, so that HotSpot gets to know the methods. Reads and
     * writes what tasks do, and nothing else; what it writes is not the result.
     */
    public void sample(int phase, long params, long scratch, long workspace) {
        run(phase, params, 0, Math.min(sampleTasks(), tasks(phase, params)), scratch, workspace);
    }

    /** Tasks of a sample, if there are as many: a loop that never came round would be compiled as one that never does. */
    protected long sampleTasks() {
        return 2;
    }

    /**
     * This kernel in another form: the same code, that does its work in another way, where there are several. Any form is right for any launch.
     * Forms may give results that differ by rounding.
     *
     * @param form one of {@link #forms}, or of those of such a form, and so on; an empty text for the one that is chosen by extents and strides
     * @throws FormatException if it is no form of the kernel
     */
    public JvmKernel in(String form) {
        if (form.isEmpty()) return this;
        throw new FormatException("kernel " + name() + " has one form only, and none called '" + form + "'");
    }

    /**
     * Forms that differ from {@code form} in one choice, and would do a launch in another way; none if there is nothing to choose. They are a function of
     * extents, strides, and of this machine's caches and processors.
     */
    public List<String> forms(long params, String form) {
        return List.of();
    }

    /** How often a {@link #sample} calls the methods that it calls, about and at least. */
    public int callsPerSample() {
        return 1;
    }
}
