// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

/**
 * One-operand primitives that a generator must implement. Accuracy: within 4 ulp of the exact result in f32, 4 ulp in f64 (sqrt, abs, neg
 * and the roundings exact); NaN in gives NaN out; IEEE results at infinities and zeros.
 */
public enum Prim1 {
    /** Integers wrap. */
    NEG,
    ABS,
    SQRT,
    EXP,
    EXPM1,
    LOG,
    LOG1P,
    SIN,
    COS,
    TAN,
    ASIN,
    ACOS,
    ATAN,
    SINH,
    COSH,
    TANH,
    ERF,
    /** log of the absolute value of the gamma function. */
    LGAMMA,
    DIGAMMA,
    ERFINV,
    FLOOR,
    CEIL,
    /** To nearest, ties to even. */
    RINT,
    TRUNC,
    /** Bitwise complement of integers, logical of bool. */
    NOT,
    /** Float to bool: is not a number. */
    ISNAN;

    /** Whether generators spell it out as a polynomial or a loop: many instructions. */
    public boolean isTranscendental() {
        return switch (this) {
            case NEG, ABS, SQRT, FLOOR, CEIL, RINT, TRUNC, NOT, ISNAN -> false;
            default -> true;
        };
    }

    public boolean isTest() {
        return this == ISNAN;
    }
}
