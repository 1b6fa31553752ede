// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import java.util.List;

/** The tape of a replayed result whose backward pass was part of the replayed function: a second one is an error, as it was when traced. */
final class SpentNode extends TapeNode {
    private final String name;
    private final SourceLine line;

    SpentNode(Type type, String name, SourceLine line) {
        super(new Type[] {type}, nextSequence());
        this.name = name;
        this.line = line;
        next = new TapeNode[0];
        nextResult = new int[0];
    }

    static RuntimeException secondTime(String name, SourceLine line) {
        return Errors.state("backward through " + name + " (" + line
                + ") a second time: what it saved was freed by the first pass; "
                + "pass retainGraph = true to the first backward()");
    }

    @Override
    List<Tensor> backward(Tensor[] grads) {
        throw secondTime(name, line);
    }

    @Override
    boolean isSpent() {
        return true;
    }

    @Override
    String name() {
        return name;
    }

    @Override
    SourceLine line() {
        return line;
    }
}
