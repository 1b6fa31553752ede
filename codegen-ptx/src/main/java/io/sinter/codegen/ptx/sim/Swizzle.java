// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** How 16-byte pieces of rows in shared memory are exchanged, so that columns meet no bank conflict. */
enum Swizzle {
    NONE(16, 0),
    BYTES_128(128, 7),
    BYTES_64(64, 3),
    BYTES_32(32, 1);

    private final int width;
    private final int mask;

    Swizzle(int width, int mask) {
        this.width = width;
        this.mask = mask;
    }

    /** Bytes of a row. */
    int width() {
        return width;
    }

    /** Where the byte of an address really lies: bits 4 and up are changed by bits 7 and up. */
    int apply(int address) {
        return address ^ (address >> 7 & mask) << 4;
    }

    /** The mode of bits 62–63 of a matrix descriptor. */
    static Swizzle ofDescriptor(int bits) {
        return values()[bits];
    }
}
