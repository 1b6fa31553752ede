// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Bitcast;
import io.sinter.ir.op.Cast;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Unary;
import io.sinter.ir.op.Where;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules of {@link Simplify} on elementwise operators. Each gives null where it does not fit. */
final class ElementRules {
    private static final Set<Unary> IDEMPOTENT =
            Set.of(Unary.ABS, Unary.SIGN, Unary.RELU, Unary.FLOOR, Unary.CEIL, Unary.ROUND, Unary.TRUNC);

    /** The comparison that is true where the other is false, operands without NaN. */
    private static final Map<Binary, Binary> OPPOSITE = Map.of(
            Binary.EQ, Binary.NE, Binary.NE, Binary.EQ, Binary.LT, Binary.GE, Binary.GE, Binary.LT, Binary.LE,
            Binary.GT, Binary.GT, Binary.LE);

    private ElementRules() {}

    static Node apply(Simplify e, Elementwise op, Node n) {
        Node better =
                switch (op) {
                    case Unary u -> unary(e, u, n.input(0));
                    case Binary b -> binary(e, b, n.input(0), n.input(1));
                    case Where _ -> where(e, n.input(0), n.input(1), n.input(2));
                    case Cast c -> cast(e, c.to(), n.input(0));
                    case Bitcast c -> c.to() == n.input(0).dtype() ? n.input(0) : null;
                };
        return better != null ? better : onSmaller(e, op, n);
    }

    private static Node unary(Simplify e, Unary op, Node x) {
        // f(f(x)) => f(x)
        if (IDEMPOTENT.contains(op) && x.op() == op) return x;
        // -(-x) => x
        if (op == Unary.NEG && x.op() == op) return x.input(0);
        // !(!x) => x
        if (op == Unary.NOT && x.op() == op) return x.input(0);
        // |-x| => |x|
        // Without a sign, −x is another number, and its absolute value, too.
        if (op == Unary.ABS && x.op() == Unary.NEG && x.dtype() != DType.U8) return e.unary(op, x.input(0));
        // !(a < b) => a >= b   (floats, where NaN is neither: only == and !=)
        if (op == Unary.NOT && x.op() instanceof Binary b && b.isComparison()) {
            boolean total = !x.input(0).dtype().isFloat() || b == Binary.EQ || b == Binary.NE;
            if (total) return e.binary(OPPOSITE.get(b), x.input(0), x.input(1));
        }
        return null;
    }

    private static Node binary(Simplify e, Binary op, Node a, Node b) {
        boolean integer = !a.dtype().isFloat();
        if (op == Binary.ADD) return add(e, a, b, integer);
        if (op == Binary.SUB) return sub(e, a, b, integer);
        if (op == Binary.MUL) return mul(e, a, b, integer);
        if (op == Binary.DIV) return div(e, a, b);
        if (op == Binary.POW) return pow(e, a, b);
        if (op == Binary.MAX) {
            // max(x, x) => x   max(x, -∞) => x
            if (a == b || Uniform.is(b, Double.NEGATIVE_INFINITY)) return a;
            return Uniform.is(a, Double.NEGATIVE_INFINITY) ? b : null;
        }
        if (op == Binary.MIN) {
            // min(x, x) => x   min(x, ∞) => x
            if (a == b || Uniform.is(b, Double.POSITIVE_INFINITY)) return a;
            return Uniform.is(a, Double.POSITIVE_INFINITY) ? b : null;
        }
        if (op == Binary.AND || op == Binary.OR || op == Binary.XOR) return bits(e, op, a, b);
        // x << 0 => x   x >> 0 => x
        if (op == Binary.SHL || op == Binary.SHR) return Uniform.is(b, 0) ? a : null;
        if (op.isComparison() && integer) return compare(e, op, a, b);
        return null;
    }

    private static Node add(Simplify e, Node a, Node b, boolean integer) {
        // x + 0 => x   (floats: x + -0 always; x + +0 where x is never -0, since -0 + +0 is +0)
        if (zeroFor(b, a, integer)) return a;
        if (zeroFor(a, b, integer)) return b;
        // x + (-y) => x - y
        if (b.op() == Unary.NEG) return e.sub(a, b.input(0));
        // (-x) + y => y - x
        if (a.op() == Unary.NEG) return e.sub(b, a.input(0));
        return tiles(e, a, b);
    }

    /**
     * pad(x) + pad(y) + … => concat(x, y, …) where the parts fill one axis: gradients of a split, in any order. A -0 of a part stays one, which + 0
     * would have made +0.
     */
    private static Node tiles(Simplify e, Node a, Node b) {
        List<Node> pads = new ArrayList<>();
        if (!terms(a, b, pads)) return null;
        int axis = -1;
        for (Node n : pads) {
            Pad p = (Pad) n.op();
            for (int i = 0; i < p.low().length; i++) {
                if (p.low()[i] == 0 && p.high()[i] == 0) continue;
                if (axis >= 0 && i != axis) return null;
                axis = i;
            }
        }
        if (axis < 0) return null;
        int along = axis;
        pads.sort(java.util.Comparator.comparingLong(n -> ((Pad) n.op()).low()[along]));
        List<Node> parts = new ArrayList<>();
        long end = 0;
        for (Node n : pads) {
            if (((Pad) n.op()).low()[axis] != end) return null;
            parts.add(n.input(0));
            end += n.input(0).shape().dim(axis);
        }
        return end == a.shape().dim(axis) ? e.emit(new Concat(axis), parts).getFirst() : null;
    }

    /**
     * The pads that {@code a + b} is a sum of; false if it is another, or of more than a concatenation has parts. Looks at no more nodes
     * than such a sum has, right operands first: a long chain of other additions ends at its first.
     */
    private static boolean terms(Node a, Node b, List<Node> pads) {
        ArrayDeque<Node> todo = new ArrayDeque<>(List.of(b, a));
        while (!todo.isEmpty()) {
            Node n = todo.pop();
            if (n.op() instanceof Pad) {
                pads.add(n);
            } else if (n.op() == Binary.ADD) {
                todo.push(n.input(0));
                todo.push(n.input(1));
            } else {
                return false;
            }
            if (pads.size() + todo.size() > Degenerate.MAX_PARTS) return false;
        }
        return true;
    }

    private static boolean zeroFor(Node zero, Node x, boolean integer) {
        return integer ? Uniform.is(zero, 0) : Uniform.is(zero, -0.0) || (Uniform.is(zero, 0.0) && neverMinusZero(x));
    }

    /** A few operators whose result is never -0. */
    private static boolean neverMinusZero(Node x) {
        Op op = x.op();
        if (op == Binary.MUL && x.input(0) == x.input(1)) return true;
        return op == Unary.EXP
                || op == Unary.ABS
                || op == Unary.SIGMOID
                || (op instanceof Cast && !x.input(0).dtype().isFloat());
    }

    private static Node sub(Simplify e, Node a, Node b, boolean integer) {
        // x - 0 => x   (floats: +0 only, since -0 - -0 is +0)
        if (Uniform.is(b, 0.0)) return a;
        // 0 - x => -x   (floats: -0 only)
        if (Uniform.is(a, integer ? 0.0 : -0.0)) return e.neg(b);
        // x - (-y) => x + y
        if (b.op() == Unary.NEG) return e.add(a, b.input(0));
        // x - x => 0   (integers; floats have ∞ - ∞)
        if (integer && a == b) return zero(e, a);
        return null;
    }

    private static Node mul(Simplify e, Node a, Node b, boolean integer) {
        // x * 1 => x
        if (Uniform.is(b, 1)) return a;
        if (Uniform.is(a, 1)) return b;
        // x * -1 => -x
        if (Uniform.is(b, -1)) return e.neg(a);
        if (Uniform.is(a, -1)) return e.neg(b);
        // x * 0 => 0   (integers; floats have NaN, ∞ and signs)
        if (integer && Uniform.is(b, 0)) return zero(e, a);
        if (integer && Uniform.is(a, 0)) return zero(e, a);
        // (-x) * (-y) => x * y
        if (a.op() == Unary.NEG && b.op() == Unary.NEG) return e.mul(a.input(0), b.input(0));
        return null;
    }

    private static Node div(Simplify e, Node a, Node b) {
        // x / 1 => x
        if (Uniform.is(b, 1)) return a;
        // x / -1 => -x
        if (Uniform.is(b, -1)) return e.neg(a);
        // x / 2^k => x * 2^-k   (both are the exact quotient, rounded once)
        Constant c = Uniform.known(b);
        if (c != null && c.dtype().isFloat()) {
            double v = c.doubleValue();
            int k = Math.getExponent(v);
            // f16 has the smallest range of exponents, -14 to 15: both constants are normal numbers
            // in every float type.
            if (Math.abs(v) == Math.scalb(1.0, k) && Math.abs(k) <= 14) return e.mul(a, e.constant(a, 1 / v));
        }
        return null;
    }

    /**
     * The one place where a result may differ by rounding: a product of two or three factors is at
     * least as accurate as the general power.
     */
    private static Node pow(Simplify e, Node x, Node exponent) {
        boolean real = x.dtype().isFloat();
        // x ^ 0 => 1   (of NaN too)
        if (Uniform.is(exponent, 0) || Uniform.is(exponent, -0.0))
            return Uniform.emit(e, Constant.ofLong(x.dtype(), 1), x.shape());
        // x ^ 1 => x
        if (Uniform.is(exponent, 1)) return x;
        // x ^ 2 => x * x
        if (Uniform.is(exponent, 2)) return e.mul(x, x);
        // x ^ 3 => x * x * x
        if (Uniform.is(exponent, 3)) return e.mul(e.mul(x, x), x);
        // x ^ -1 => 1 / x
        if (real && Uniform.is(exponent, -1)) return e.unary(Unary.RECIPROCAL, x);
        return null;
    }

    private static Node bits(Simplify e, Binary op, Node a, Node b) {
        // x & x => x   x | x => x   x ^ x => 0
        if (a == b) return op == Binary.XOR ? zero(e, a) : a;
        for (int swap = 0; swap < 2; swap++) {
            Node x = swap == 0 ? a : b;
            Node c = swap == 0 ? b : a;
            boolean ones = x.dtype().isBool() ? Uniform.is(c, 1) : Uniform.is(c, x.dtype() == DType.U8 ? 255 : -1);
            // x & 0 => 0   x | 0 => x   x ^ 0 => x
            if (Uniform.is(c, 0)) return op == Binary.AND ? zero(e, x) : x;
            // x & 1…1 => x   x | 1…1 => 1…1   x ^ 1…1 => !x
            if (ones) return op == Binary.AND ? x : op == Binary.OR ? c : e.unary(Unary.NOT, x);
        }
        return null;
    }

    /** Comparisons of integers and bool. */
    private static Node compare(Simplify e, Binary op, Node a, Node b) {
        // x == x, x <= x, x >= x => true   x != x, x < x, x > x => false
        if (a == b) {
            boolean holds = op == Binary.EQ || op == Binary.LE || op == Binary.GE;
            return Uniform.emit(e, Constant.ofLong(DType.BOOL, holds ? 1 : 0), a.shape());
        }
        if (!a.dtype().isBool() || (op != Binary.EQ && op != Binary.NE)) return null;
        for (int truth = 0; truth < 2; truth++) {
            // p == true => p   p != false => p   p == false => !p   p != true => !p
            Node p = Uniform.is(b, truth) ? a : Uniform.is(a, truth) ? b : null;
            if (p != null) return (op == Binary.EQ) == (truth == 1) ? p : e.unary(Unary.NOT, p);
        }
        return null;
    }

    private static Node where(Simplify e, Node cond, Node a, Node b) {
        // c ? x : x => x
        if (a == b) return a;
        // true ? a : b => a   false ? a : b => b
        if (Uniform.is(cond, 1)) return a;
        if (Uniform.is(cond, 0)) return b;
        // !c ? a : b => c ? b : a
        if (cond.op() == Unary.NOT) return e.where(cond.input(0), b, a);
        // c ? true : false => c
        if (a.dtype().isBool() && Uniform.is(a, 1) && Uniform.is(b, 0)) return cond;
        return null;
    }

    private static Node cast(Simplify e, DType to, Node x) {
        // cast to its own type => x
        if (x.dtype() == to) return x;
        // cast(cast(x, wider), t) => cast(x, t)
        if (x.op() instanceof Cast && embeds(x.input(0).dtype(), x.dtype())) return e.cast(x.input(0), to);
        return null;
    }

    /**
     * Every value of {@code narrow} is a value of {@code wide}, so that converting to it changes
     * nothing that follows.
     */
    private static boolean embeds(DType narrow, DType wide) {
        return switch (narrow) {
            case BOOL -> true;
            case U8, I8 -> wide != DType.BOOL && (wide.isFloat() || wide.bytes() > 1);
            case I16 -> wide == DType.I32 || wide == DType.I64 || wide == DType.F32 || wide == DType.F64;
            case I32 -> wide == DType.I64 || wide == DType.F64;
            case F16, BF16 -> wide == DType.F32 || wide == DType.F64;
            case F32 -> wide == DType.F64;
            case I64, F64 -> false;
        };
    }

    /**
     * f(expand(a), expand(b), constant) => expand(f(a, b, constant)): computed once for all copies.
     * Not for single elements: the kernel that needs the copies computes those on the way, and a
     * launch for one number would cost more.
     */
    private static Node onSmaller(Simplify e, Elementwise op, Node n) {
        Shape small = null;
        for (Node in : n.inputs()) {
            if (Uniform.of(in) != null) continue;
            if (!(in.op() instanceof Expand)) return null;
            Shape s = in.input(0).shape();
            if (small != null && !s.equals(small)) return null;
            small = s;
        }
        if (small == null || small.numel() == 1) return null;
        List<Node> operands = new ArrayList<>();
        for (Node in : n.inputs()) {
            Constant c = Uniform.of(in);
            operands.add(c != null ? Uniform.emit(e, c, small) : in.input(0));
        }
        return e.expand(e.emit(op, operands).get(0), n.shape());
    }

    private static Node zero(Simplify e, Node like) {
        return Uniform.emit(e, Constant.ofLong(like.dtype(), 0), like.shape());
    }
}
