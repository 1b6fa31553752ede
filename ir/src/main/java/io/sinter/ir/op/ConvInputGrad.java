// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Gradient of a convolution by its input. */
public record ConvInputGrad(
        Shape input, long[] stride, long[] padLow, long[] padHigh, long[] dilation, int groups)
        implements Composite {

    @Override
    public String name() {
        return "conv_input_grad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("input", input.toArray());
        out.put("stride", stride);
        out.put("pad_low", padLow);
        out.put("pad_high", padHigh);
        out.put("dilation", dilation);
        out.put("groups", groups);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public List<Sample> samples() {
        return List.of();
    }
}
