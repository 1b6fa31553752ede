// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;

/**
 * e^x of f32 in eight instructions: 2^n · 2^r for x log₂ e = n + r. The hardware's 2^r is within 2⁻²² of the truth, by NVIDIA's documentation, which is two
 * to four units in the last place; by that bound the product is within 4.5, and if 2^r is correctly rounded, as the simulator's, within 1.2. How
 * near a GPU comes has not been measured yet.
 *
 * <p>n is kept from −126 to 127, so that 2^n is a normal number; beyond, r is what is left, and the product reaches into the subnormals, to zero and to
 * infinity. A NaN is no n, and r's.
 */
final class Exponential {
    private static final double LOG2_E = 1 / Math.log(2);

    /** How many values n has beyond the least. */
    private static final int SPAN = 253;

    /** What leaves an integer in the low bits of a sum. */
    private static final float SHIFTER = 0x1.8p23f;

    private final KernelBuilder out;

    Exponential(KernelBuilder out) {
        this.out = out;
    }

    Reg of(Operand x) {
        float high = (float) LOG2_E;
        // Where n lies in its span: 0 to 1, as saturation keeps it.
        Reg share = out.register(PtxType.F32);
        FloatMode saturating = FloatMode.RN.withSat();
        out.add(new Arithmetic.Fma(
                saturating, PtxType.F32, share, x, out.constant((float) (LOG2_E / SPAN)), out.constant(126f / SPAN)));
        // The exponent's bits of 2^n, n + 127, end up lowest.
        Reg shifted = out.mad(PtxType.F32, share, out.constant((float) SPAN), out.constant(SHIFTER + 1));
        Reg n = out.sub(PtxType.F32, shifted, out.constant(SHIFTER + 127));
        Reg r = out.mad(PtxType.F32, x, out.constant(high), out.neg(PtxType.F32, n));
        r = out.mad(PtxType.F32, x, out.constant((float) (LOG2_E - high)), r);
        Reg fraction = out.apply(Arithmetic.Function.EX2, FloatMode.APPROX.withFtz(), PtxType.F32, r);
        Reg bits = out.register(PtxType.B32);
        out.assign(PtxType.B32, bits, shifted);
        Reg power = out.register(PtxType.F32);
        out.assign(PtxType.B32, power, out.shl(PtxType.B32, bits, out.constant(23)));
        return out.mul(PtxType.F32, fraction, power);
    }
}
