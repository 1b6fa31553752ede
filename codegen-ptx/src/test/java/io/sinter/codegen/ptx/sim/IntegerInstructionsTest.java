// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import org.junit.jupiter.api.Test;

/** Integers and bits, one instruction at a time. */
class IntegerInstructionsTest extends InstructionCheck {
    @Test
    void integerArithmetic() {
        for (int w : new int[] {16, 32, 64}) {
            binary("add.u" + w, w, w, Long::sum);
            binary("sub.s" + w, w, w, (a, b) -> a - b);
            binary("mul.lo.s" + w, w, w, (a, b) -> a * b);
            binary("min.s" + w, w, w, (a, b) -> Math.min(s(a, w), s(b, w)));
            binary("max.u" + w, w, w, (a, b) -> Long.compareUnsigned(a, b) > 0 ? a : b);
            binary("div.s" + w, w, w, (a, b) -> b == 0 ? -1 : s(a, w) / s(b, w));
            binary("rem.u" + w, w, w, (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b));
            binary("and.b" + w, w, w, (a, b) -> a & b);
            binary("xor.b" + w, w, w, (a, b) -> a ^ b);
            unary("abs.s" + w + " %d, %x;", w, w, a -> Math.abs(s(a, w)));
            unary("neg.s" + w + " %d, %x;", w, w, a -> -a);
            unary("not.b" + w + " %d, %x;", w, w, a -> ~a);
            unary("cnot.b" + w + " %d, %x;", w, w, a -> a == 0 ? 1 : 0);
        }
        binary("mul.hi.s32", 32, 32, (a, b) -> s(a, 32) * s(b, 32) >> 32);
        binary("mul.hi.u32", 32, 32, (a, b) -> a * b >>> 32);
        binary("mul.hi.s64", 64, 64, Math::multiplyHigh);
        binary("mul.hi.u64", 64, 64, Math::unsignedMultiplyHigh);
        binary("mul.wide.s32", 32, 64, (a, b) -> s(a, 32) * s(b, 32));
        binary("mul.wide.u16", 16, 32, (a, b) -> a * b);
        binary("add.sat.s32", 32, 32, (a, b) -> Math.clamp(s(a, 32) + s(b, 32), Integer.MIN_VALUE, Integer.MAX_VALUE));
        unary("mad.lo.s32 %d, %x, 3, %x;", 32, 32, a -> 4 * a);
        unary("mad.hi.u32 %d, %x, %x, 5;", 32, 32, a -> (a * a >>> 32) + 5);
        unary("sad.s32 %d, %x, 100, 7;", 32, 32, a -> Math.abs(s(a, 32) - 100) + 7);
        unary("add.cc.u32 %u0, %x, %x; addc.u32 %d, %x, 0;", 32, 32, a -> a + (2 * a >>> 32));
        unary("sub.cc.u32 %u0, %x, 100; subc.u32 %d, %x, 0;", 32, 32, a -> a - (a < 100 ? 1 : 0));
    }

    @Test
    void bits() {
        for (int w : new int[] {32, 64}) {
            int m = w - 1;
            unary("popc.b" + w + " %d, %x;", w, 32, Long::bitCount);
            unary("clz.b" + w + " %d, %x;", w, 32, a -> Long.numberOfLeadingZeros(a) - (64 - w));
            unary("brev.b" + w + " %d, %x;", w, w, a -> Long.reverse(a) >>> 64 - w);
            unary("bfind.u" + w + " %d, %x;", w, 32, a -> 63 - Long.numberOfLeadingZeros(a));
            unary("bfind.s" + w + " %d, %x;", w, 32, a -> 63 - Long.numberOfLeadingZeros(s(a, w) < 0 ? ~s(a, w) : a));
            unary("shl.b" + w + " %d, %x, 5;", w, w, a -> a << 5);
            unary("shl.b" + w + " %d, %x, " + w + ";", w, w, a -> 0);
            unary("shr.s" + w + " %d, %x, 200;", w, w, a -> s(a, w) >> m);
            unary("shr.u" + w + " %d, %x, 7;", w, w, a -> a >>> 7);
            unary("bfe.u" + w + " %d, %x, 4, 9;", w, w, a -> a >>> 4 & 511);
            unary("bfe.s" + w + " %d, %x, 4, 9;", w, w, a -> s(a >>> 4, 9));
            unary("bfe.s" + w + " %d, %x, " + (w - 3) + ", 9;", w, w, a -> s(a, w) >> w - 3);
            unary("bfi.b" + w + " %d, 5, %x, 8, 4;", w, w, a -> a & ~0xf00L | 0x500);
            unary("bfi.b" + w + " %d, %x, 0, " + (w - 4) + ", 20;", w, w, a -> a << w - 4);
        }
        unary("shf.l.wrap.b32 %d, %x, 0x12345678, 36;", 32, 32, a -> 0x23456780L | a >>> 28);
        unary("shf.r.clamp.b32 %d, %x, 0x12345678, 40;", 32, 32, a -> 0x12345678);
        unary("lop3.b32 %d, %x, 0xff00ff00, 0x0ff00ff0, 0x96;", 32, 32, a -> a ^ 0xff00ff00L ^ 0x0ff00ff0L);
        unary(
                "lop3.b32 %d, %x, 0xff00ff00, 0x0ff00ff0, 0xe8;",
                32, 32, a -> a & 0xff00ff00L | a & 0x0ff00ff0L | 0x0f000f00L);
        unary(
                "prmt.b32 %d, %x, 0x44332211, 0x4b10;",
                32, 32, a -> a & 0xffff | ((a >> 31 & 1) != 0 ? 0xff0000 : 0) | 0x11000000L);
        unary(
                "dp4a.u32.s32 %d, %x, 0x01ff0203, 10;",
                32, 32, a -> 10 + (a >> 24 & 255) - (a >> 16 & 255) + 2 * (a >> 8 & 255) + 3 * (a & 255));
        unary("mov.b32 {%h0, %h1}, %x; mov.b32 %d, {%h1, %h0};", 32, 32, a -> a >>> 16 | a << 16);
        unary("mov.b64 {%u0, %u1}, %x; mov.b64 %d, {%u1, %u0};", 64, 64, a -> a >>> 32 | a << 32);
    }

    @Test
    void integerConversions() {
        unary("cvt.s64.s32 %d, %x;", 32, 64, a -> s(a, 32));
        unary("cvt.u64.u32 %d, %x;", 32, 64, a -> a);
        unary("cvt.u32.u64 %d, %x;", 64, 32, a -> a);
        unary("cvt.s32.s8 %d, %x;", 32, 32, a -> (byte) a);
        unary("cvt.s16.s32 %d, %x;", 32, 32, a -> (short) a);
        unary("cvt.u16.u32 %d, %x;", 32, 32, a -> a & 0xffff);
        unary("cvt.sat.s8.s32 %d, %x;", 32, 32, a -> Math.clamp(s(a, 32), -128, 127));
        unary("cvt.sat.u8.s32 %d, %x;", 32, 32, a -> Math.clamp(s(a, 32), 0, 255));
        unary("cvt.sat.s32.u64 %d, %x;", 64, 32, a -> a < 0 ? Integer.MAX_VALUE : Math.min(a, Integer.MAX_VALUE));
        unary("cvt.sat.u32.s64 %d, %x;", 64, 32, a -> Math.clamp(a, 0, 0xffff_ffffL));
    }

    @Test
    void comparisons() {
        for (String w : new String[] {"32", "64"}) {
            int bits = Integer.parseInt(w);
            relation("lt.s" + w, bits, (a, b) -> s(a, bits) < s(b, bits));
            relation("ge.s" + w, bits, (a, b) -> s(a, bits) >= s(b, bits));
            relation("gt.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) > 0);
            relation("le.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) <= 0);
            relation("lo.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) < 0);
            relation("hs.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) >= 0);
            relation("eq.b" + w, bits, (a, b) -> a == b);
            relation("ne.s" + w, bits, (a, b) -> a != b);
        }
        unary(
                "setp.lt.s32 %q0|%q1, %x, 5; selp.b32 %u0, 1, 0, %q0; selp.b32 %u1, 2, 0, %q1; add.u32 %d, %u0, %u1;",
                32, 32, a -> s(a, 32) < 5 ? 1 : 2);
        unary(
                "setp.lt.s32 %q0, %x, 5; setp.gt.and.s32 %q1, %x, -5, !%q0; selp.b32 %d, 1, 0, %q1;",
                32, 32, a -> s(a, 32) >= 5 ? 1 : 0);
        unary(
                "setp.lt.s32 %q0, %x, 5; setp.gt.s32 %q1, %x, -5; xor.pred %q2, %q0, %q1; not.pred %q2, %q2; selp.b32 %d, 1, 0, %q2;",
                32, 32, a -> s(a, 32) < 5 == s(a, 32) > -5 ? 1 : 0);
        unary("set.lt.u32.s32 %d, %x, 5;", 32, 32, a -> s(a, 32) < 5 ? -1 : 0);
        unary("slct.s32.s32 %d, 10, 20, %x;", 32, 32, a -> s(a, 32) >= 0 ? 10 : 20);
    }

    private interface Relation {
        boolean holds(long a, long b);
    }

    /** The two slashes are before the operands that {@link #binary} appends. */
    private void relation(String r, int bits, Relation f) {
        binary(
                "setp." + r + " %q0, %x, %y; selp.b32 %d, 1, 0, %q0; mov.b32 %d, %d; //",
                bits,
                32,
                (a, b) -> f.holds(a, b) ? 1 : 0);
    }
}
