// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The C library's heap. Arenas of java.lang.foreign would do but for two things: they zero what they hand out, which touches every page
 * twice, and they cannot ask for huge pages. A fresh 64 MB buffer costs 16,384 page faults with small pages and 32 with huge ones.
 */
final class HostMemory implements MemorySource {
    private static final long ALIGNMENT = 64;
    private static final long HUGE_PAGE = 2L << 20;
    private static final int MADV_HUGEPAGE = 14;

    private final MethodHandle malloc;
    private final MethodHandle free;
    /** {@code madvise} on Linux, else null. */
    private final MethodHandle madvise;

    HostMemory() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        malloc = linker.downcallHandle(
                libc.findOrThrow("malloc"), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        free = linker.downcallHandle(libc.findOrThrow("free"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
        madvise = System.getProperty("os.name").equals("Linux")
                ? libc.find("madvise")
                        .map(f -> linker.downcallHandle(
                                f,
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_INT)))
                        .orElse(null)
                : null;
    }

    // The C heap aligns to 16 bytes. A block is aligned by hand; the address that malloc gave lies in the word before
    // it.
    @Override
    public long map(long bytes) {
        boolean huge = madvise != null && bytes >= 2 * HUGE_PAGE;
        long alignment = huge ? HUGE_PAGE : ALIGNMENT;
        try {
            long raw = ((MemorySegment) malloc.invokeExact(bytes + alignment)).address();
            if (raw == 0) return 0;
            // At least 16 bytes after raw, as raw is 16-byte aligned and the result is the next larger multiple.
            long address = (raw + alignment) & -alignment;
            Memory.putLong(address - Long.BYTES, raw);
            if (huge) {
                // A hint: where it is refused the pages stay small.
                int _ = (int) madvise.invokeExact(MemorySegment.ofAddress(address), bytes & -HUGE_PAGE, MADV_HUGEPAGE);
            }
            return address;
        } catch (Throwable e) {
            throw new IllegalStateException("malloc failed", e);
        }
    }

    @Override
    public void unmap(long address, long bytes) {
        try {
            free.invokeExact(MemorySegment.ofAddress(Memory.getLong(address - Long.BYTES)));
        } catch (Throwable e) {
            throw new IllegalStateException("free failed", e);
        }
    }
}
