// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.AttentionKernel.Pass;
import io.sinter.ir.loop.AttentionKernel.Target;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.List;

/** Attention and its gradient as kernels of the template. */
final class AttentionLowering {
    private final Node node;
    private final Params params;
    private final Values values;
    private final List<Var> batch = new ArrayList<>();
    private final List<Index> lead = new ArrayList<>();
    private final Var i;
    private final Var j;
    private final Var d;
    private final Var e;

    private AttentionLowering(Group group, Params params, Sites sites) {
        this.node = group.anchor();
        this.params = params;
        this.values = new Values(group, params, sites);
        Node q = node.input(0);
        int r = q.shape().rank();
        for (int x = 0; x < r - 2; x++) {
            Var v = new Var("b" + x, Coef.of(q.shape().dim(x)));
            if (!v.extent().is(1)) batch.add(v);
            lead.add(IndexMath.var(v));
        }
        i = new Var("i", Coef.of(q.shape().dim(r - 2)));
        j = new Var("j", Coef.of(node.input(1).shape().dim(r - 2)));
        d = new Var("d", Coef.of(q.shape().dim(r - 1)));
        e = new Var("e", Coef.of(node.input(2).shape().dim(r - 1)));
    }

    static AttentionKernel lower(Group group, Params params, Sites sites, String name) {
        AttentionLowering l = new AttentionLowering(group, params, sites);
        return switch (group.anchor().op()) {
            case Attention a -> l.kernel(name, Pass.FORWARD, a.causal());
            case AttentionGrad a -> l.kernel(name, Pass.BACKWARD, a.causal());
            default -> throw new IllegalStateException(group.anchor().op().name() + " is no attention");
        };
    }

    private AttentionKernel kernel(String name, Pass pass, boolean causal) {
        Expr q = values.value(node.input(0), at(i, d));
        Expr k = values.value(node.input(1), at(j, d));
        Expr v = values.value(node.input(2), at(j, e));
        Expr bias = isZero(node.input(3)) ? null : values.value(node.input(3), at(i, j));
        Expr scale = values.value(node.input(4), List.of());
        List<Expr> saved = new ArrayList<>();
        List<Target> targets = new ArrayList<>();
        if (pass == Pass.FORWARD) {
            targets.add(target(0, i, e));
            targets.add(target(1, i));
        } else {
            saved.add(values.value(node.input(5), at(i, e)));
            saved.add(values.value(node.input(7), at(i, e)));
            saved.add(values.value(node.input(6), at(i)));
            targets.add(target(0, i, d));
            targets.add(target(1, j, d));
            targets.add(target(2, j, e));
        }
        return new AttentionKernel(
                name,
                pass,
                batch,
                i,
                j,
                d,
                e,
                q,
                k,
                v,
                bias,
                causal,
                scale,
                saved,
                targets,
                node.input(0).dtype().compute(),
                params.buffers(),
                0);
    }

    private List<Index> at(Var... vars) {
        List<Index> r = new ArrayList<>(lead);
        for (Var v : vars) r.add(IndexMath.var(v));
        return r;
    }

    private Target target(int result, Var... vars) {
        var type = node.types().get(result);
        return new Target(
                params.write(new Params.BufferKey(node, result), type.dtype()),
                IndexMath.linear(at(vars), type.shape().toArray()));
    }

    /** No bias is a zero that was expanded. */
    private static boolean isZero(Node n) {
        while (n.op() instanceof View) n = n.input(0);
        return n.op() instanceof Constant c && c.doubleValue() == 0;
    }
}
