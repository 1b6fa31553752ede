// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Minimal first landing. */
public record Bitcast(DType to) implements Elementwise {
    @Override public String name() { return "bitcast"; }
    @Override public void attributes(Attrs out) { out.put("to", to.toString()); }
    @Override public Expr scalar(List<Expr> operands, DType in, DType out) { throw new UnsupportedOperationException(name()); }
    @Override public List<Type> infer(List<Type> in) { throw new UnsupportedOperationException(name()); }
    @Override public <V> List<V> gradient(GradCall<V> call) { throw new UnsupportedOperationException(name()); }
    @Override public List<RefArray> evaluate(List<RefArray> in) { throw new UnsupportedOperationException(name()); }
    @Override public List<Sample> samples() { return List.of(); }
}
