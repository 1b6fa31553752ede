// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelHost;
import io.sinter.ir.DType;
import java.lang.foreign.ValueLayout;

/**
 * Code of {@link PracticeKernels}: it plans launches by the same classes as generated code, of numbers that stand in the parameter block as they are, and has nothing to run.
 */
final class PracticeCode {
    private PracticeCode() {}

    private static void read(long params, long[] to) {
        for (int i = 0; i < to.length; i++)
            to[i] = SinterKernelHost.MEMORY.get(
                    ValueLayout.JAVA_LONG_UNALIGNED, params + 8L * (PracticeKernels.NUMBERS + i));
    }

    private static IllegalStateException runs(JvmKernel kernel) {
        return new IllegalStateException(kernel.name() + " is for practice, and cannot run");
    }

    /** A product of f32, or a convolution. */
    static final class Product extends GemmCode {
        private final String name;
        private final int bits;
        private final int numbers;
        private final int stencilAt;

        /** @param stencilAt as {@link GemmCode#stencilAt} */
        Product(String name, int bits, int numbers, int stencilAt) {
            this.name = name;
            this.bits = bits;
            this.numbers = numbers;
            this.stencilAt = stencilAt;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        protected DType type() {
            return DType.F32;
        }

        @Override
        protected int vectorBits() {
            return bits;
        }

        @Override
        protected void numbers(long params, long[] to) {
            read(params, to);
        }

        @Override
        protected int numberCount() {
            return numbers;
        }

        @Override
        protected int stencilAt() {
            return stencilAt;
        }

        @Override
        protected int leftSlot() {
            return PracticeKernels.LEFT;
        }

        @Override
        protected void place(long params, long batch, long[] to) {
            to[0] = SinterKernelHost.MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, params + 8L * PracticeKernels.LEFT);
        }

        @Override
        protected void epilogue(
                long params, long batch, long row, long column, int run, int rows, long from, long step, long scratch) {
            throw runs(this);
        }
    }

    /** Attention in f32, causal. */
    static final class Attention extends AttentionCode {
        private final String name;
        private final int bits;
        private final int numbers;
        private final boolean backward;

        Attention(String name, int bits, int numbers, boolean backward) {
            this.name = name;
            this.bits = bits;
            this.numbers = numbers;
            this.backward = backward;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        protected DType type() {
            return DType.F32;
        }

        @Override
        protected int vectorBits() {
            return bits;
        }

        @Override
        protected boolean isBackward() {
            return backward;
        }

        @Override
        protected boolean isCausal() {
            return true;
        }

        @Override
        protected boolean hasBias() {
            return false;
        }

        @Override
        protected void numbers(long params, long[] to) {
            PracticeCode.read(params, to);
        }

        @Override
        protected int numberCount() {
            return numbers;
        }

        @Override
        protected void read(
                int which,
                long params,
                long batch,
                long row,
                long column,
                int run,
                int steps,
                long memory,
                long step,
                long scratch) {
            throw runs(this);
        }

        @Override
        protected void write(
                int which,
                long params,
                long batch,
                long row,
                long column,
                int run,
                int steps,
                long memory,
                long step,
                long scratch) {
            throw runs(this);
        }
    }
}
