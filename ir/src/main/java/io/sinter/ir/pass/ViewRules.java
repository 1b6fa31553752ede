// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import java.util.ArrayList;
import java.util.List;

/**
 * Rules of {@link Simplify} on views and their neighbours: they compose, cancel and move inwards.
 * Each gives null where it does not fit.
 */
final class ViewRules {
    private ViewRules() {}

    static Node apply(Simplify e, Node n) {
        return switch (n.op()) {
            case Reshape r -> reshape(e, r, n.input(0));
            case Permute p -> permute(e, p, n.input(0), n.shape());
            case Expand x -> expand(e, x, n.input(0));
            case Slice s -> s.live() ? null : slice(e, s, n.input(0));
            case Pad p -> pad(e, p, n.input(0));
            case Concat c -> concat(e, c, n);
            case Reduce r -> reduce(e, r, n.input(0), n.shape());
            default -> null; // no rule for the operators that compute
        };
    }

    private static Node reshape(Simplify e, Reshape r, Node x) {
        // reshape to its own shape => x
        if (x.shape().equals(r.to())) return x;
        // reshape(reshape(x)) => reshape(x)
        if (x.op() instanceof Reshape) return e.reshape(x.input(0), r.to());
        // reshape(expand(x)) => expand(reshape(x)) where x is one element
        if (x.op() instanceof Expand && x.input(0).shape().numel() == 1)
            return e.expand(e.reshape(x.input(0), Shape.SCALAR), r.to());
        return null;
    }

    private static Node permute(Simplify e, Permute p, Node x, Shape to) {
        int[] perm = p.perm();
        // permute(permute(x)) => permute(x)
        if (x.op() instanceof Permute inner) {
            int[] both = new int[perm.length];
            for (int i = 0; i < perm.length; i++) both[i] = inner.perm()[perm[i]];
            return e.permute(x.input(0), both);
        }
        // permute(expand(x)) => expand(permute(x))
        if (x.op() instanceof Expand) return e.expand(e.permute(x.input(0), perm), to);
        // a permutation that only moves axes of extent 1 => reshape
        int last = -1;
        for (int axis : perm) {
            if (x.shape().dim(axis) == 1) continue;
            if (axis < last) return null;
            last = axis;
        }
        return e.reshape(x, to);
    }

    private static Node expand(Simplify e, Expand expand, Node x) {
        // expand to its own shape => x
        if (x.shape().equals(expand.to())) return x;
        // expand(expand(x)) => expand(x)
        return x.op() instanceof Expand ? e.expand(x.input(0), expand.to()) : null;
    }

    private static Node slice(Simplify e, Slice s, Node x) {
        int axis = s.axis();
        // the whole axis => x
        if (s.start() == 0 && s.step() == 1 && s.size() == x.shape().dim(axis)) return x;
        // one element, whatever the step => step 1
        if (s.size() == 1 && s.step() != 1) return e.slice(x, axis, s.start(), 1, 1);
        if (s.size() == 0) return null;
        return switch (x.op()) {
            // slice(slice(x)) on one axis => slice(x)
            case Slice t
            when !t.live() && t.axis() == axis ->
                e.slice(x.input(0), axis, t.start() + s.start() * t.step(), s.size(), s.step() * t.step());
            case Expand t -> {
                Node in = x.input(0);
                Shape to = t.to().with(axis, s.size());
                // slice(expand(x)) => expand(x) along a repeated axis, expand(slice(x)) along
                // another
                yield in.shape().dim(axis) == t.to().dim(axis)
                        ? e.expand(e.slice(in, axis, s.start(), s.size(), s.step()), to)
                        : e.expand(in, to);
            }
            case Pad p -> sliceOfPad(e, s, p, x.input(0));
            case Concat c when c.axis() == axis -> sliceOfConcat(e, s, x);
            default -> null;
        };
    }

    /**
     * slice(pad(x)) => pad'(slice(x)) where the slice stays inside x; pad' leaves the axis alone.
     */
    private static Node sliceOfPad(Simplify e, Slice s, Pad p, Node x) {
        int axis = s.axis();
        long low = p.low()[axis];
        long last = s.start() + (s.size() - 1) * s.step();
        if (Math.min(s.start(), last) < low
                || Math.max(s.start(), last) >= low + x.shape().dim(axis)) return null;
        long[] before = p.low().clone();
        long[] after = p.high().clone();
        before[axis] = 0;
        after[axis] = 0;
        return e.apply(new Pad(before, after), e.slice(x, axis, s.start() - low, s.size(), s.step()));
    }

    /** slice(concat(…, x, …)) => slice(x) where the slice stays inside x. */
    private static Node sliceOfConcat(Simplify e, Slice s, Node concat) {
        long last = s.start() + (s.size() - 1) * s.step();
        long low = 0;
        for (Node in : concat.inputs()) {
            long high = low + in.shape().dim(s.axis());
            if (Math.min(s.start(), last) >= low && Math.max(s.start(), last) < high) {
                return e.slice(in, s.axis(), s.start() - low, s.size(), s.step());
            }
            low = high;
        }
        return null;
    }

    private static Node concat(Simplify e, Concat c, Node n) {
        // concat(x) => x
        if (n.inputs().size() == 1) return n.input(0);
        // concat(concat(x, y), z) => concat(x, y, z), while there are few
        List<Node> parts = new ArrayList<>();
        for (Node in : n.inputs()) {
            if (in.op() instanceof Concat inner && inner.axis() == c.axis()) parts.addAll(in.inputs());
            else parts.add(in);
        }
        boolean more = parts.size() > n.inputs().size() && parts.size() <= Degenerate.MAX_PARTS;
        return more ? e.emit(c, parts).getFirst() : null;
    }

    private static Node pad(Simplify e, Pad p, Node x) {
        boolean none = true;
        for (int i = 0; i < p.low().length; i++) none &= p.low()[i] == 0 && p.high()[i] == 0;
        // pad by nothing => x
        if (none) return x;
        // pad(pad(x)) => pad(x)
        if (x.op() instanceof Pad inner) {
            long[] low = p.low().clone();
            long[] high = p.high().clone();
            for (int i = 0; i < low.length; i++) {
                low[i] += inner.low()[i];
                high[i] += inner.high()[i];
            }
            return e.apply(new Pad(low, high), x.input(0));
        }
        return null;
    }

    private static Node reduce(Simplify e, Reduce r, Node x, Shape to) {
        // Over axes of extent 1: product, maximum, minimum => reshape. (A float sum is not: 0 + -0
        // is +0.)
        if (r.kind().isArg() || (r.kind() == Reduce.Kind.SUM && x.dtype().isFloat())) return null;
        for (int axis : r.axes()) if (x.shape().dim(axis) != 1) return null;
        return e.reshape(x, to);
    }
}
