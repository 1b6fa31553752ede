// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;

/**
 * A memory operand of a kernel.
 *
 * @param slot where its address is: 8-byte slot of the parameter block. Scratch buffers are private to one task and their slot holds the
 *     byte offset within the task's scratch memory instead.
 * @param dtype element type in memory
 * @param kind what the kernel does with it
 */
public record Buf(int slot, DType dtype, Kind kind) {
    public enum Kind {
        /** Read only. */
        IN,
        /** Written (and possibly read back by the same task). */
        OUT,
        /** Private to a task. */
        SCRATCH
    }

    @Override
    public String toString() {
        return (kind == Kind.IN ? "in" : kind == Kind.OUT ? "out" : "scratch") + slot;
    }
}
