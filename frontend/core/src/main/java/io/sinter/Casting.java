// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.runtime.Device;
import io.sinter.runtime.Session;

/**
 * Conversions of dtype. Floats to integers truncate; to bool, {@code x != 0}. A tensor that has the dtype is
 * returned as it is.
 */
public sealed interface Casting permits Tensor {
    Tensor self();

    default Tensor to(DType dtype) {
        return Operators.cast(self(), dtype);
    }

    /**
     * This tensor on {@code device}: itself, if it is there.
     *
     * @throws TensorException if the session runs on another device: a session has one, chosen when it is
     *     opened
     */
    default Tensor to(Device device) {
        Device here = Session.current().device();
        if (!here.equals(device)) {
            throw Errors.argument(
                    "to",
                    self(),
                    "device " + device + ": this session's tensors are on " + here
                            + "; open the session with it (-Dsinter.device=" + device + ")");
        }
        return self();
    }

    /** Where the elements are. */
    default Device device() {
        return Session.current().device();
    }

    /** f32. */
    default Tensor toFloat() {
        return to(DType.F32);
    }

    /** f64. */
    default Tensor toDouble() {
        return to(DType.F64);
    }

    /** f16. */
    default Tensor toHalf() {
        return to(DType.F16);
    }

    default Tensor toBfloat16() {
        return to(DType.BF16);
    }

    /** i64. */
    default Tensor toLong() {
        return to(DType.I64);
    }

    /** i32. */
    default Tensor toInt() {
        return to(DType.I32);
    }

    default Tensor toBool() {
        return to(DType.BOOL);
    }

    /** The dtype of {@code other}. */
    default Tensor typeAs(Tensor other) {
        return to(other.dtype());
    }
}
