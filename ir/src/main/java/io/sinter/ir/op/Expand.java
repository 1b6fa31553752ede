// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Repeats axes of extent 1 to the extents of a shape of the same rank. */
public record Expand(Shape to) implements View {
    @Override
    public String name() {
        return "expand";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("shape", to.toArray());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        if (x.rank() != to.rank()) {
            throw OpException.of(
                    name(),
                    in,
                    "rank " + x.rank() + " cannot expand to " + to + "; reshape it to rank " + to.rank() + " first");
        }
        for (int i = 0; i < to.rank(); i++) {
            if (x.dim(i) != to.dim(i) && x.dim(i) != 1) {
                throw OpException.of(
                        name(),
                        in,
                        "axis "
                                + i
                                + " has extent "
                                + x.dim(i)
                                + " and cannot become "
                                + to.dim(i)
                                + "; only extent 1 expands");
            }
        }
        return List.of(x.with(to));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return List.of(call.e().sumTo(call.grad(), call.e().type(call.in(0)).shape()));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        long[] strides = x.shape().strides();
        for (int i = 0; i < strides.length; i++) if (x.shape().dim(i) == 1) strides[i] = 0;
        return List.of(Positions.gather(x, x.type().with(to), at -> Positions.offset(strides, at)));
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(new Expand(Shape.of(3, 4)), Sample.uniform(Type.of(DType.F64, 3, 1), -1, 1, 1)),
                Sample.smooth(new Expand(Shape.of(2, 3, 4)), Sample.uniform(Type.of(DType.F64, 1, 3, 1), -1, 1, 2)),
                Sample.smooth(new Expand(Shape.of(5)), Sample.uniform(Type.of(DType.F32, 1), -1, 1, 3)),
                Sample.values(new Expand(Shape.of(0, 2)), Sample.uniform(Type.of(DType.F32, 1, 2), -1, 1, 4)),
                Sample.values(new Expand(Shape.of(2, 3)), Sample.uniform(Type.of(DType.I8, 1, 3), -9, 9, 5)));
    }
}
