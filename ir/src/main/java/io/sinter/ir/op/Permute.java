// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/** Reorders axes: axis i of the result is axis {@code perm[i]} of the operand. */
public record Permute(int... perm) implements View {
    public Permute {
        perm = perm.clone();
    }

    @Override
    public String name() {
        return "permute";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("perm", perm);
    }

    /** The permutation that undoes this one. */
    public Permute inverse() {
        int[] inverse = new int[perm.length];
        for (int i = 0; i < perm.length; i++) inverse[perm[i]] = i;
        return new Permute(inverse);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        boolean[] seen = new boolean[x.rank()];
        boolean valid = perm.length == x.rank();
        for (int p : perm) {
            valid = valid && p >= 0 && p < x.rank() && !seen[p];
            if (valid) seen[p] = true;
        }
        if (!valid) {
            throw OpException.of(
                    name(),
                    in,
                    Arrays.toString(perm) + " is not a permutation of the " + x.rank() + " axes; name each axis once");
        }
        long[] d = new long[perm.length];
        for (int i = 0; i < d.length; i++) d[i] = x.dim(perm[i]);
        return List.of(x.with(Shape.of(d)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return List.of(call.e().permute(call.grad(), inverse().perm));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        long[] strides = x.shape().strides();
        return List.of(Positions.gather(x, infer(List.of(x.type())).get(0), at -> {
            long from = 0;
            for (int i = 0; i < at.length; i++) from += strides[perm[i]] * at[i];
            return from;
        }));
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(new Permute(1, 0), Sample.uniform(Type.of(DType.F64, 3, 4), -1, 1, 1)),
                Sample.smooth(new Permute(2, 0, 1), Sample.uniform(Type.of(DType.F32, 2, 3, 5), -1, 1, 2)),
                Sample.smooth(new Permute(0, 2, 1, 3), Sample.uniform(Type.of(DType.F64, 2, 3, 4, 2), -1, 1, 3)),
                Sample.values(new Permute(), RefArray.scalar(DType.I64, 5)),
                Sample.values(new Permute(1, 0), Sample.uniform(Type.of(DType.BOOL, 4, 3), 0, 2, 4)),
                // Larger than a tile of cache-line size, and no multiple of it.
                Sample.values(new Permute(1, 0), Sample.uniform(Type.of(DType.F32, 37, 50), -1, 1, 5)),
                Sample.values(new Permute(2, 1, 0), Sample.uniform(Type.of(DType.U8, 70, 2, 67), 0, 99, 6)));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Permute p && Arrays.equals(perm, p.perm);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(perm);
    }

    @Override
    public String toString() {
        return OpText.format(this);
    }
}
