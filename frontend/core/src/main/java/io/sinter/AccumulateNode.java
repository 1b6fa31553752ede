// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import java.util.List;

/** Where the tape ends: adds what arrives to {@code grad} of a leaf. */
final class AccumulateNode extends TapeNode {
    final Tensor leaf;

    AccumulateNode(Tensor leaf) {
        super(new Type[] {leaf.type()}, Long.MAX_VALUE);
        this.leaf = leaf;
        next = new TapeNode[0];
        nextResult = new int[0];
    }

    @Override
    List<Tensor> backward(Tensor[] grads) {
        Tensor g = grads[0];
        if (g == null) return List.of();
        Trace t = Trace.current();
        if (leaf.gradient() == null) first(t, g);
        else if (t.gradMode) leaf.setGrad(leaf.sharedGradient().add(g));
        else add(t, g);
        return List.of();
    }

    /** A gradient of one's own: later passes add to it in place, which must not show elsewhere. */
    private void first(Trace t, Tensor g) {
        Tensor own = t.gradMode ? g : new Tensor(g.value());
        Value v = own.value();
        boolean ours = !t.gradMode && madeHere(t, v);
        v.share();
        // If another leaf has it, too, own's storage is its second, which ends this.
        if (ours) v.flags |= Value.PRIVATE;
        leaf.gradient(own, ours ? t.era() : null);
        own.mark();
    }

    private void add(Trace t, Tensor g) {
        Tensor sum = leaf.lentGradient(t);
        GradientEra era = leaf.gradientEra();
        Value old = sum.value();
        sum.assign(Dispatch.EMITTER.add(sum, g));
        if (era == null) return;
        era.replaced(old);
        Value v = sum.value();
        if (madeHere(t, v)) v.flags |= Value.PRIVATE;
        else leaf.sharedGradient();
    }

    /** Has a rule made {@code v} in the present pass, for this leaf alone as far as is known? */
    private static boolean madeHere(Trace t, Value v) {
        return GradientEra.tracks(t)
                && v.trace == t
                && v.pass == t.pass
                && v.pass != 0
                && (v.flags & Value.SHARED) == 0;
    }

    @Override
    String name() {
        return "leaf";
    }
}
