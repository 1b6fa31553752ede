// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** An argument of an {@link Executable}: memory, or a host scalar by value. */
public sealed interface Arg permits Buffer, Arg.Scalar {
    /**
     * A host scalar: the raw bits of its dtype. For f64 the bits of the double; f32, f16 and bf16 the bits of the f32 value in the low 32 bits;
     * integers the value; bool 0 or 1.
     */
    record Scalar(long bits) implements Arg {
        public static Scalar ofDouble(double value) {
            return new Scalar(Double.doubleToRawLongBits(value));
        }

        public static Scalar ofFloat(float value) {
            return new Scalar(Float.floatToRawIntBits(value) & 0xffffffffL);
        }

        public static Scalar ofLong(long value) {
            return new Scalar(value);
        }

        public static Scalar ofBoolean(boolean value) {
            return new Scalar(value ? 1 : 0);
        }
    }
}
