// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;

/** Products of matrices by tensor cores, and the loads and stores of their fragments. */
public sealed interface Matrix extends Instruction {
    /** Extents of a product: {@code d[m,n] += Σ_k a[m,k] * b[k,n]}. */
    record Shape(int m, int n, int k) {
        @Override
        public String toString() {
            return "m" + m + "n" + n + "k" + k;
        }
    }

    /**
     * Loads 1, 2 or 4 matrices of 8 rows of 16 bytes; lanes 8i … 8i+7 give the addresses of the rows of matrix i.
     *
     * @param transposed each matrix of 8×8 halves is transposed
     */
    record LoadMatrix(int count, boolean transposed, Space space, Operand d, Operand.Address address)
            implements Matrix {
        @Override
        public String opcode() {
            return "ldmatrix.sync.aligned.m8n8.x" + count + Instruction.flag(transposed, "trans") + space.modifier()
                    + ".b16";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, address);
        }
    }

    /** Stores 1, 2 or 4 matrices; the inverse of {@link LoadMatrix}. */
    record StoreMatrix(int count, boolean transposed, Space space, Operand.Address address, Operand value)
            implements Matrix {
        @Override
        public String opcode() {
            return "stmatrix.sync.aligned.m8n8.x" + count + Instruction.flag(transposed, "trans") + space.modifier()
                    + ".b16";
        }

        @Override
        public List<Operand> operands() {
            return List.of(address, value);
        }
    }

    /**
     * {@code d = a * b + c} by one warp; a by rows, b by columns.
     *
     * @param satFinite integer sums are clamped
     */
    record Mma(
            Shape shape,
            boolean satFinite,
            PtxType dType,
            PtxType aType,
            PtxType bType,
            PtxType cType,
            Operand d,
            Operand a,
            Operand b,
            Operand c)
            implements Matrix {
        @Override
        public String opcode() {
            return "mma.sync.aligned." + shape + ".row.col" + Instruction.flag(satFinite, "satfinite") + "." + dType
                    + "." + aType + "." + bType + "." + cType;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /**
     * {@code d = a * b + d} by four warps, while they go on; reads shared memory by descriptors.
     *
     * @param a a descriptor of 64 bits, or a vector of registers
     * @param scaleD a predicate; false: d is not added
     * @param scaleA 1 or −1
     * @param transposeA a is stored by columns; only of a 16-bit type in shared memory
     */
    record Wgmma(
            Shape shape,
            PtxType dType,
            PtxType aType,
            PtxType bType,
            Operand d,
            Operand a,
            Operand b,
            Operand scaleD,
            int scaleA,
            int scaleB,
            boolean transposeA,
            boolean transposeB)
            implements Matrix {
        /** Whether the form has scales: that of integers has none. */
        private boolean scaled() {
            return aType.isFloat();
        }

        @Override
        public String opcode() {
            return "wgmma.mma_async.sync.aligned." + shape + "." + dType + "." + aType + "." + bType;
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>(List.of(d, a, b, scaleD));
            if (!scaled()) return o;
            o.add(new Operand.Int(scaleA));
            o.add(new Operand.Int(scaleB));
            if (aType.bits() == 16) {
                if (!(a instanceof Operand.Vector)) o.add(new Operand.Int(transposeA ? 1 : 0));
                o.add(new Operand.Int(transposeB ? 1 : 0));
            }
            return o;
        }
    }

    /** Orders accesses to registers and shared memory before products that follow. */
    record WgmmaFence() implements Matrix {
        @Override
        public String opcode() {
            return "wgmma.fence.sync.aligned";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Closes the group of the products so far. */
    record WgmmaCommit() implements Matrix {
        @Override
        public String opcode() {
            return "wgmma.commit_group.sync.aligned";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Waits until at most {@code pending} of the latest groups are not complete. */
    record WgmmaWait(int pending) implements Matrix {
        @Override
        public String opcode() {
            return "wgmma.wait_group.sync.aligned";
        }

        @Override
        public List<Operand> operands() {
            return List.of(new Operand.Int(pending));
        }
    }
}
