// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.op.Concat;
import java.util.Arrays;

/** Joining tensors. */
final class Combining {
    private Combining() {}

    static Tensor cat(int axis, Tensor... parts) {
        if (parts.length == 0) throw Errors.argument("cat: no tensors");
        DType d = parts[0].dtype();
        for (Tensor p : parts) d = Promotion.promote(d, p.dtype());
        DType dtype = d;
        // PyTorch lets empty vectors stand beside tensors of any rank.
        Tensor[] real =
                Arrays.stream(parts).filter(p -> p.rank() != 1 || p.numel() > 0).toArray(Tensor[]::new);
        if (real.length == 0) return parts[0].to(dtype).clone();
        int a = Axes.axis("cat", real[0], axis);
        if (real[0].rank() == 0) throw Errors.argument("cat", real[0], "scalars have no axis; use stack");
        return Dispatch.emit(
                new Concat(a),
                Arrays.stream(real).map(p -> Operators.cast(p, dtype)).toArray(Tensor[]::new));
    }

    static Tensor stack(int axis, Tensor... parts) {
        if (parts.length == 0) throw Errors.argument("stack: no tensors");
        for (Tensor p : parts) {
            if (!p.type().shape().equals(parts[0].type().shape()))
                throw Errors.argument("stack", parts[0], p, "shapes differ");
        }
        int a = Axes.gap("stack", parts[0], axis);
        return Trace.call(
                () -> cat(a, Arrays.stream(parts).map(p -> p.unsqueeze(a)).toArray(Tensor[]::new)));
    }
}
