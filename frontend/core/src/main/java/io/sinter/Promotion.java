// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.ir.DType.BF16;
import static io.sinter.ir.DType.BOOL;
import static io.sinter.ir.DType.F16;
import static io.sinter.ir.DType.F32;
import static io.sinter.ir.DType.F64;
import static io.sinter.ir.DType.I16;
import static io.sinter.ir.DType.I32;
import static io.sinter.ir.DType.I64;
import static io.sinter.ir.DType.I8;
import static io.sinter.ir.DType.U8;

import io.sinter.ir.DType;
import io.sinter.ir.Type;

/**
 * PyTorch's type promotion: the higher category (float over integer over bool) wins; within a category the
 * wider type; tensors of rank 0 widen others only by category, and Java numbers likewise ({@code
 * torch.result_type}).
 */
final class Promotion {
    private Promotion() {}

    /** The common dtype of two ({@code torch.promote_types}). */
    static DType promote(DType a, DType b) {
        if (a == b) return a;
        if (a.category() != b.category()) return a.category().compareTo(b.category()) > 0 ? a : b;
        if (a.isFloat()) {
            if (a == F64 || b == F64) return F64;
            return F32; // f16 with bf16, or either with f32
        }
        // Integers: u8 holds no negative numbers and i8 none above 127, so the two meet in i16.
        if (a == U8 && b == I8 || a == I8 && b == U8) return I16;
        return width(a) >= width(b) ? a : b;
    }

    private static int width(DType d) {
        return switch (d) {
            case U8, I8 -> 1;
            case I16 -> 2;
            case I32 -> 4;
            case I64 -> 8;
            case BOOL, F16, BF16, F32, F64 -> throw new IllegalArgumentException(d + " is not an integer type");
        };
    }

    static DType of(Tensor a, Tensor b) {
        Type s = a.type();
        Type t = b.type();
        if (s.dtype() == t.dtype()) return s.dtype();
        if ((s.rank() == 0) != (t.rank() == 0)) {
            DType strong = s.rank() == 0 ? t.dtype() : s.dtype();
            DType weak = s.rank() == 0 ? s.dtype() : t.dtype();
            return weak.category().compareTo(strong.category()) <= 0 ? strong : promote(strong, weak);
        }
        return promote(s.dtype(), t.dtype());
    }

    /** Of a tensor and a Java floating-point number. */
    static DType withDouble(DType d) {
        return d.isFloat() ? d : F32;
    }

    /** Of a tensor and a Java whole number. */
    static DType withLong(DType d) {
        return d == BOOL ? I64 : d;
    }

    /** The float type in which a function of real numbers is computed. */
    static DType toFloat(DType d) {
        return d.isFloat() ? d : F32;
    }

    /** The type of sums and products: integers and bool add up in i64. */
    static DType toSum(DType d) {
        return d.isFloat() ? d : I64;
    }

    /** May a result of {@code from} be written in place into {@code to}? ({@code torch.can_cast}) */
    static boolean canCast(DType from, DType to) {
        return from.category().compareTo(to.category()) <= 0;
    }
}
