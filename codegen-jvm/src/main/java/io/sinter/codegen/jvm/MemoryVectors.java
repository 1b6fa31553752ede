// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;

/** Conversions between vectors of 8- and 16-bit memory types and vectors of their register types. */
final class MemoryVectors {
    private MemoryVectors() {}

    /** Element type of the vectors that carry a narrow memory type. */
    static DType carrier(DType type) {
        return switch (type) {
            case F16, BF16, I16 -> DType.I16;
            case I8, U8, BOOL -> DType.I8;
            case F64, F32, I64, I32 -> type;
        };
    }

    /** Register values of elements as they lie in memory (bool: as i32). */
    static Vec widen(BodyCompiler c, DType type, Vec raw) {
        Species i32 = raw.species().of(DType.I32);
        return switch (type) {
            case I16 -> raw.convert("S2I", i32);
            case I8 -> raw.convert("B2I", i32);
            case U8, BOOL -> raw.convert("ZERO_EXTEND_B2I", i32);
            case BF16 -> raw.convert("ZERO_EXTEND_S2I", i32).shl(16).reinterpret(i32.of(DType.F32));
            case F16 -> fromF16(c, raw.convert("ZERO_EXTEND_S2I", i32));
            case F64, F32, I64, I32 -> raw;
        };
    }

    /** Elements as they go to memory. */
    static Vec narrow(BodyCompiler c, DType type, Vec v) {
        return switch (type) {
            case I16 -> v.convert("I2S", v.species().of(DType.I16));
            case I8, U8, BOOL -> v.convert("I2B", v.species().of(DType.I8));
            case BF16 -> toBf16(c, v).convert("I2S", v.species().of(DType.I16));
            case F16 -> toF16(c, v).convert("I2S", v.species().of(DType.I16));
            case F64, F32, I64, I32 -> v;
        };
    }

    /** 1 where the mask is true, else 0, as i32. */
    static Vec fromMask(Species i32, Code mask) {
        return Vec.constant(i32, 0).blend(Vec.constant(i32, 1), mask);
    }

    /**
     * f16 bits (in the low half of each i32) to f32: exponent and fraction move into place; scaling by 2^112
     * rebiases the exponent and normalizes subnormals; infinities and NaN get the largest exponent instead.
     */
    static Vec fromF16(BodyCompiler c, Vec bits) {
        Species i32 = bits.species();
        Species f32 = i32.of(DType.F32);
        Vec h = c.held(bits);
        Vec magnitude = c.held(h.and(Vec.bits(i32, 0x7fff)).shl(13));
        Vec finite = magnitude.reinterpret(f32).mul(Vec.constant(f32, 0x1p112)).asBits();
        Vec special = magnitude.or(Vec.bits(i32, 0x7f800000));
        Vec absolute = finite.blend(special, magnitude.compare("GE", Vec.bits(i32, 0x0f800000)));
        return absolute.or(h.and(Vec.bits(i32, 0x8000)).shl(16)).reinterpret(f32);
    }

    /** f32 to f16 bits (in the low half of each i32), nearest even. */
    static Vec toF16(BodyCompiler c, Vec x) {
        Species f32 = x.species();
        Species i32 = f32.integral();
        Vec u = c.held(x.asBits());
        Vec a = c.held(u.and(Vec.bits(i32, 0x7fffffff)));
        // Normal: rebias, add half of the last place (less one unless the last bit is odd), cut. Carries may
        // run into infinity, as they should.
        Vec normal = a.add(Vec.bits(i32, 0xc8000fffL))
                .add(a.ushr(13).and(Vec.bits(i32, 1)))
                .ushr(13);
        // Subnormal: adding 0.5 aligns the fraction at 2^-24 and rounds.
        Vec subnormal = a.reinterpret(f32).add(Vec.constant(f32, 0.5)).asBits().sub(Vec.bits(i32, 0x3f000000));
        // Too large: infinity; NaN: quiet, keeping the top of its payload.
        Vec nan = a.ushr(13).and(Vec.bits(i32, 0x3ff)).or(Vec.bits(i32, 0x7e00));
        Vec special = Vec.bits(i32, 0x7c00).blend(nan, a.compare("GT", Vec.bits(i32, 0x7f800000)));
        Vec r = normal.blend(subnormal, a.compare("LT", Vec.bits(i32, 0x38800000)))
                .blend(special, a.compare("GE", Vec.bits(i32, 0x47800000)));
        return r.or(u.ushr(16).and(Vec.bits(i32, 0x8000)));
    }

    /** f32 to bf16 bits (in the low half of each i32), nearest even; NaN stays NaN. */
    static Vec toBf16(BodyCompiler c, Vec x) {
        Species i32 = x.species().integral();
        Vec v = c.held(x);
        Vec u = c.held(v.asBits());
        Vec high = c.held(u.ushr(16));
        Vec rounded =
                u.add(Vec.bits(i32, 0x7fff)).add(high.and(Vec.bits(i32, 1))).ushr(16);
        Code isNan = Masks.cast(v.compare("NE", v), i32);
        return rounded.blend(high.or(Vec.bits(i32, 0x40)), isNan);
    }
}
