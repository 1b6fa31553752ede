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
        Tensor old = leaf.grad();
        if (old == null) {
            // A gradient of one's own: later passes add to it in place, which must not show elsewhere.
            Tensor own = Trace.current().gradMode ? g : new Tensor(g.value());
            own.value().flags |= Value.SHARED;
            leaf.setGrad(own);
            own.mark();
        } else if (Trace.current().gradMode) {
            leaf.setGrad(old.add(g));
        } else {
            old.assign(Dispatch.EMITTER.add(old, g));
        }
        return List.of();
    }

    @Override
    String name() {
        return "leaf";
    }
}
