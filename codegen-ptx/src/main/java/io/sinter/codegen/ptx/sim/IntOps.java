// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.PtxType;

/**
 * Arithmetic on integers of any width. {@code m} masks a width; shifting left and right by {@code s} extends a sign. A null result says
 * that PTX has no such instruction.
 */
final class IntOps implements LaneOp {
    private IntOps() {}

    static long mask(int bits) {
        return bits == 64 ? -1 : (1L << bits) - 1;
    }

    /** The value of bits of a type, sign-extended if that is signed. */
    static long extend(PtxType t, long v) {
        int s = 64 - t.bits();
        return t.isSigned() ? v << s >> s : v << s >>> s;
    }

    static Two binary(Arithmetic.BinaryOp op, PtxType t, boolean sat) {
        long m = mask(t.bits());
        int s = 64 - t.bits();
        boolean signed = t.isSigned();
        return switch (op) {
            case ADD ->
                sat
                        ? saturating(false)
                        : (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = a[i] + b[i] & m;
                        };
            case SUB ->
                sat
                        ? saturating(true)
                        : (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = a[i] - b[i] & m;
                        };
            case DIV ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = quotient(a[i], b[i], s, signed) & m;
                };
            case REM ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = remainder(a[i], b[i], s, signed) & m;
                };
            case MIN ->
                signed
                        ? (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = Math.min(a[i] << s, b[i] << s) >>> s;
                        }
                        : (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = Long.compareUnsigned(a[i], b[i]) < 0 ? a[i] : b[i];
                        };
            case MAX ->
                signed
                        ? (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = Math.max(a[i] << s, b[i] << s) >>> s;
                        }
                        : (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = Long.compareUnsigned(a[i], b[i]) > 0 ? a[i] : b[i];
                        };
            case MUL, COPYSIGN -> null;
        };
    }

    private static Two saturating(boolean subtract) {
        return (d, a, b) -> {
            for (int i = 0; i < LANES; i++) {
                long v = subtract ? (long) (int) a[i] - (int) b[i] : (long) (int) a[i] + (int) b[i];
                d[i] = Math.clamp(v, Integer.MIN_VALUE, Integer.MAX_VALUE) & 0xffff_ffffL;
            }
        };
    }

    /** A division by zero gives all ones, as the machines do. */
    private static long quotient(long a, long b, int s, boolean signed) {
        if (b == 0) return -1;
        return signed ? (a << s >> s) / (b << s >> s) : Long.divideUnsigned(a, b);
    }

    private static long remainder(long a, long b, int s, boolean signed) {
        if (b == 0) return a;
        return signed ? (a << s >> s) % (b << s >> s) : Long.remainderUnsigned(a, b);
    }

    static Two multiply(Arithmetic.Part part, PtxType t) {
        long m = mask(t.bits());
        int s = 64 - t.bits();
        boolean signed = t.isSigned();
        return switch (part) {
            case LO ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] * b[i] & m;
                };
            case WIDE -> {
                if (t.bits() == 64) yield null;
                long wide = mask(2 * t.bits());
                yield signed
                        ? (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = (a[i] << s >> s) * (b[i] << s >> s) & wide;
                        }
                        : (d, a, b) -> {
                            for (int i = 0; i < LANES; i++) d[i] = a[i] * b[i];
                        };
            }
            case HI ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = high(a[i], b[i], s, signed) & m;
                };
        };
    }

    private static long high(long a, long b, int s, boolean signed) {
        if (s == 0) return signed ? Math.multiplyHigh(a, b) : Math.unsignedMultiplyHigh(a, b);
        return signed ? (a << s >> s) * (b << s >> s) >> 64 - s : a * b >>> 64 - s;
    }

    static Three multiplyAdd(Arithmetic.Part part, PtxType t, boolean sat) {
        long m = mask(part == Arithmetic.Part.WIDE ? 2 * t.bits() : t.bits());
        if (part == Arithmetic.Part.LO) {
            return (d, a, b, c) -> {
                for (int i = 0; i < LANES; i++) d[i] = a[i] * b[i] + c[i] & m;
            };
        }
        Two product = multiply(part, t);
        if (product == null) return null;
        Two sum = sat
                ? saturating(false)
                : (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] + b[i] & m;
                };
        return (d, a, b, c) -> {
            long[] p = new long[LANES];
            product.run(p, a, b);
            sum.run(d, p, c);
        };
    }

    static One unary(Arithmetic.UnaryOp op, PtxType t) {
        long m = mask(t.bits());
        int s = 64 - t.bits();
        boolean signed = t.isSigned();
        return switch (op) {
            case ABS ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = Math.abs(a[i] << s >> s) & m;
                };
            case NEG ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = -a[i] & m;
                };
            case POPC ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = Long.bitCount(a[i]);
                };
            case CLZ ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = Long.numberOfLeadingZeros(a[i]) - s;
                };
            case BREV ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = Long.reverse(a[i]) >>> s;
                };
            case BFIND, BFIND_SHIFTAMT ->
                (d, a) -> {
                    for (int i = 0; i < LANES; i++) {
                        long v = a[i] << s >> s;
                        long x = signed ? (v < 0 ? ~v : v) : a[i];
                        int at = 63 - Long.numberOfLeadingZeros(x);
                        d[i] = (x == 0 ? -1 : op == Arithmetic.UnaryOp.BFIND ? at : t.bits() - 1 - at) & 0xffff_ffffL;
                    }
                };
        };
    }

    static Two logic(Bitwise.LogicOp op) {
        return switch (op) {
            case AND ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] & b[i];
                };
            case OR ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] | b[i];
                };
            case XOR ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] ^ b[i];
                };
        };
    }

    static Two shift(boolean left, PtxType t) {
        long m = mask(t.bits());
        int w = t.bits();
        int s = 64 - w;
        if (left) {
            return (d, a, b) -> {
                for (int i = 0; i < LANES; i++) d[i] = b[i] >= w ? 0 : a[i] << b[i] & m;
            };
        }
        return t.isSigned()
                ? (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = (a[i] << s >> s) >> Math.min(b[i], 63) & m;
                }
                : (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = b[i] >= w ? 0 : a[i] >>> b[i];
                };
    }

    static One invert(boolean logical, PtxType t) {
        long m = mask(t.bits());
        return logical
                ? (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = a[i] == 0 ? 1 : 0;
                }
                : (d, a) -> {
                    for (int i = 0; i < LANES; i++) d[i] = ~a[i] & m;
                };
    }

    static Three lookup(int lut) {
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                long r = 0;
                for (int k = 0; k < 8; k++) {
                    if ((lut >> k & 1) == 0) continue;
                    r |= ((k & 4) != 0 ? a[i] : ~a[i]) & ((k & 2) != 0 ? b[i] : ~b[i]) & ((k & 1) != 0 ? c[i] : ~c[i]);
                }
                d[i] = r & 0xffff_ffffL;
            }
        };
    }

    static Three funnel(boolean left, boolean wrap) {
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                long v = b[i] << 32 | a[i];
                int n = (int) (wrap ? c[i] & 31 : Math.min(c[i], 32));
                d[i] = left ? (n == 0 ? b[i] : v << n >>> 32 & 0xffff_ffffL) : v >>> n & 0xffff_ffffL;
            }
        };
    }

    static Three extract(PtxType t) {
        int w = t.bits();
        long m = mask(w);
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                int pos = (int) (b[i] & 0xff);
                int len = (int) (c[i] & 0xff);
                long v = extend(t, a[i]);
                int top = Math.min(pos + len - 1, w - 1);
                boolean sign = t.isSigned() && len > 0 && (a[i] >>> top & 1) != 0;
                long field = pos > 63 ? 0 : v >>> pos;
                int n = Math.max(0, Math.min(len, w - pos));
                field &= mask0(n);
                d[i] = (sign ? field | ~mask0(n) : field) & m;
            }
        };
    }

    private static long mask0(int bits) {
        return bits <= 0 ? 0 : mask(Math.min(bits, 64));
    }

    /** The bits of {@code b} from {@code pos} on replaced by {@code len} bits of {@code a}. */
    static long insert(PtxType t, long a, long b, long pos, long len) {
        int p = (int) (pos & 0xff);
        int n = (int) Math.min(len & 0xff, Math.max(0, t.bits() - p));
        if (n <= 0) return b;
        long field = mask0(n) << p;
        return (b & ~field | a << p & field) & mask(t.bits());
    }

    static Three permute(Bitwise.Permute.Mode mode) {
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) d[i] = permute(mode, b[i] << 32 | a[i], c[i]);
        };
    }

    private static long permute(Bitwise.Permute.Mode mode, long ba, long c) {
        int n = (int) c & 3;
        long r = 0;
        for (int k = 0; k < 4; k++) {
            int select =
                    switch (mode) {
                        case NONE -> (int) (c >>> 4 * k) & 15;
                        case F4E -> n + k;
                        case B4E -> n - k & 7;
                        case RC8 -> n;
                        case ECL -> Math.max(k, n);
                        case ECR -> Math.min(k, n);
                        case RC16 -> (n & 1) * 2 + (k & 1);
                    };
            long v = ba >>> 8 * (select & 7) & 0xff;
            if (mode == Bitwise.Permute.Mode.NONE && (select & 8) != 0) v = (v & 0x80) != 0 ? 0xff : 0;
            r |= v << 8 * k;
        }
        return r;
    }

    static Three absoluteDifference(PtxType t) {
        long m = mask(t.bits());
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                long x = extend(t, a[i]);
                long y = extend(t, b[i]);
                boolean less = t.isSigned() ? x < y : Long.compareUnsigned(x, y) < 0;
                d[i] = c[i] + (less ? y - x : x - y) & m;
            }
        };
    }

    static Three dot(PtxType aType, PtxType bType) {
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                long sum = c[i];
                for (int k = 0; k < 32; k += 8) {
                    long x = a[i] >>> k & 0xff;
                    long y = b[i] >>> k & 0xff;
                    sum += (aType.isSigned() ? (byte) x : x) * (bType.isSigned() ? (byte) y : y);
                }
                d[i] = sum & 0xffff_ffffL;
            }
        };
    }

    static Relation relation(Comparison.Relation r, PtxType t) {
        int s = 64 - t.bits();
        boolean signed = t.isSigned();
        return switch (r) {
            case EQ, EQU ->
                (a, b) -> {
                    int m = 0;
                    for (int i = 0; i < LANES; i++) m |= a[i] == b[i] ? 1 << i : 0;
                    return m;
                };
            case NE, NEU ->
                (a, b) -> {
                    int m = 0;
                    for (int i = 0; i < LANES; i++) m |= a[i] != b[i] ? 1 << i : 0;
                    return m;
                };
            case LT, LO, LTU -> less(s, signed && r == Comparison.Relation.LT, false);
            case GE, HS, GEU -> less(s, signed && r == Comparison.Relation.GE, true);
            case GT, HI, GTU -> swap(less(s, signed && r == Comparison.Relation.GT, false));
            case LE, LS, LEU -> swap(less(s, signed && r == Comparison.Relation.LE, true));
            case NUM, NAN -> null;
        };
    }

    private static Relation less(int s, boolean signed, boolean not) {
        int flip = not ? -1 : 0;
        long bias = signed ? 0 : Long.MIN_VALUE;
        return (a, b) -> {
            int m = 0;
            for (int i = 0; i < LANES; i++) m |= (a[i] << s) + bias < (b[i] << s) + bias ? 1 << i : 0;
            return m ^ flip;
        };
    }

    private static Relation swap(Relation r) {
        return (a, b) -> r.run(b, a);
    }
}
