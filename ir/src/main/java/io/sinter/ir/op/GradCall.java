// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import java.util.List;

/** What a gradient rule sees: the operands and results of the forward call and the gradients of the results. */
public interface GradCall<V> {
    Emitter<V> e();

    List<V> inputs();

    default V in(int i) {
        return inputs().get(i);
    }

    /** The forward result {@code i} (not recomputed). */
    V out(int i);

    /** The gradient of result {@code i}, of the result's type; zeros were put in where nothing flowed, so never null. */
    V grad(int i);

    default V grad() {
        return grad(0);
    }

    /**
     * True if a gradient flowed into result {@code i}; false if {@link #grad(int)} is the zeros that were put in. Rules use it to leave out
     * the terms of auxiliary results (the statistics of a norm, the log-sum-exp of an attention) that nobody differentiated.
     */
    boolean flows(int i);

    /** True if a gradient of input {@code i} is wanted. A rule may return one anyway; it is dropped. */
    boolean needs(int i);
}
