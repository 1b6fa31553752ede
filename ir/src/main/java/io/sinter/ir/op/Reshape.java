// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** The same elements in row-major order under another shape. */
public record Reshape(Shape to) implements View {
    @Override
    public String name() {
        return "reshape";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("shape", to.toArray());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        if (x.numel() != to.numel()) {
            throw OpException.of(
                    name(),
                    in,
                    "shape "
                            + to
                            + " has "
                            + to.numel()
                            + " elements, the operand has "
                            + x.numel()
                            + "; they must agree");
        }
        return List.of(x.with(to));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return List.of(call.e().reshape(call.grad(), call.e().type(call.in(0)).shape()));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return List.of(in.get(0).reshaped(to));
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(new Reshape(Shape.of(3, 4)), Sample.uniform(Type.of(DType.F64, 2, 6), -1, 1, 1)),
                Sample.smooth(new Reshape(Shape.of(2, 1, 3)), Sample.uniform(Type.of(DType.F32, 6), -1, 1, 2)),
                Sample.smooth(new Reshape(Shape.SCALAR), Sample.uniform(Type.of(DType.F64, 1, 1), -1, 1, 3)),
                Sample.values(new Reshape(Shape.of(4, 0)), Sample.uniform(Type.of(DType.F32, 0, 3), -1, 1, 4)),
                Sample.values(new Reshape(Shape.of(5, 2)), Sample.uniform(Type.of(DType.U8, 2, 5), 0, 255, 5)));
    }
}
