// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.Locale;

/**
 * How an instruction on floats rounds and treats special values.
 *
 * @param rounding NONE where the instruction has no choice, or leaves it to the assembler
 * @param ftz subnormal operands and results of f32 are zero
 * @param nan the minimum or maximum is NaN if an operand is
 * @param xorSignAbs the minimum or maximum of magnitudes, with the exclusive or of the signs
 * @param relu negative results and NaN become zero
 * @param sat the result is clamped to [0, 1], or to the range of an integer
 * @param satFinite a result out of range becomes the greatest finite value
 */
public record FloatMode(
        Rounding rounding, boolean ftz, boolean nan, boolean xorSignAbs, boolean relu, boolean sat, boolean satFinite) {
    /** Rounding and accuracy. */
    public enum Rounding {
        NONE,
        /** To nearest, ties to even. */
        RN,
        /** To nearest, ties away from zero (to tf32). */
        RNA,
        /** Towards zero. */
        RZ,
        /** Towards minus infinity. */
        RM,
        /** Towards plus infinity. */
        RP,
        /** To an integer: to nearest even, towards zero, down, up. */
        RNI,
        RZI,
        RMI,
        RPI,
        /** Fast, to the bound that the PTX documentation states. */
        APPROX,
        /** A division within 2 ulp. */
        FULL;

        /** The name as a modifier, with its dot. */
        public String modifier() {
            return this == NONE ? "" : "." + name().toLowerCase(Locale.ROOT);
        }
    }

    public static final FloatMode DEFAULT = of(Rounding.NONE);
    public static final FloatMode RN = of(Rounding.RN);
    public static final FloatMode RZ = of(Rounding.RZ);
    public static final FloatMode APPROX = of(Rounding.APPROX);

    public static FloatMode of(Rounding rounding) {
        return new FloatMode(rounding, false, false, false, false, false, false);
    }

    public FloatMode withFtz() {
        return new FloatMode(rounding, true, nan, xorSignAbs, relu, sat, satFinite);
    }

    public FloatMode withNan() {
        return new FloatMode(rounding, ftz, true, xorSignAbs, relu, sat, satFinite);
    }

    public FloatMode withSat() {
        return new FloatMode(rounding, ftz, nan, xorSignAbs, relu, true, satFinite);
    }

    /** All modifiers, each with its dot. */
    @Override
    public String toString() {
        return rounding.modifier()
                + Instruction.flag(ftz, "ftz")
                + Instruction.flag(nan, "NaN")
                + Instruction.flag(xorSignAbs, "xorsign.abs")
                + Instruction.flag(relu, "relu")
                + Instruction.flag(sat, "sat")
                + Instruction.flag(satFinite, "satfinite");
    }
}
