// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * Matrix product: {@code a[batch…,M,K] · b[batch…,K,N] -> [batch…,M,N]}, both of one rank ≥ 2, one dtype and
 * the same batch extents. f16 and bf16 are summed in f32 and rounded once; integers wrap.
 */
public record Matmul() implements Composite {

    @Override
    public String name() {
        return "matmul";
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Type a = in.get(0);
        Type b = in.get(1);
        int r = a.rank();
        if (r < 2 || b.rank() != r) {
            throw OpException.of(
                    name(),
                    in,
                    "operands must have the same rank, at least 2, got %s and %s; reshape "
                            + "vectors to matrices, and expand batch axes",
                    r,
                    b.rank());
        }
        if (a.dtype().isBool()) throw OpException.of(name(), in, "not defined for bool; cast to a number type first");
        if (a.dim(r - 1) != b.dim(r - 2)) {
            throw OpException.of(
                    name(),
                    in,
                    "inner extents %s and %s differ: [M,K]·[K,N] is needed; transpose or " + "reshape an operand",
                    a.dim(r - 1),
                    b.dim(r - 2));
        }
        for (int i = 0; i < r - 2; i++) {
            if (a.dim(i) != b.dim(i)) {
                throw OpException.of(
                        name(),
                        in,
                        "batch extents %s and %s of axis %s differ; expand an operand",
                        a.dim(i),
                        b.dim(i),
                        i);
            }
        }
        return List.of(a.with(a.shape().with(r - 1, b.dim(r - 1))));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V a = Composite.wide(e, in.get(0));
        V b = Composite.wide(e, in.get(1));
        int r = e.type(a).rank();
        // [.., M, K, 1] * [.., 1, K, N], summed over K
        V product = e.mul(
                e.reshape(a, e.type(a).shape().insert(r, 1)),
                e.reshape(b, e.type(b).shape().insert(r - 2, 1)));
        return List.of(Composite.as(e, e.sum(product, r - 1), in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V g = call.grad();
        List<V> grads = new ArrayList<>();
        grads.add(call.needs(0) ? e.matmul(g, e.transpose(call.in(1), -2, -1)) : null);
        grads.add(call.needs(1) ? e.matmul(e.transpose(call.in(0), -2, -1), g) : null);
        return grads;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray a = in.get(0);
        RefArray b = in.get(1);
        RefArray c = RefArray.zeros(infer(List.of(a.type(), b.type())).get(0));
        int r = a.shape().rank();
        int rows = (int) a.shape().dim(r - 2);
        int inner = (int) a.shape().dim(r - 1);
        int columns = (int) b.shape().dim(r - 1);
        for (int i = 0; i < c.size(); i++) {
            int n = i % columns;
            int row = i / columns; // of all batches
            int batch = row / rows;
            double sum = 0;
            long whole = 0;
            for (int k = 0; k < inner; k++) {
                int ai = row * inner + k;
                int bi = (batch * inner + k) * columns + n;
                if (a.dtype().isFloat()) sum += a.getDouble(ai) * b.getDouble(bi);
                else whole += a.getLong(ai) * b.getLong(bi);
            }
            if (a.dtype().isFloat()) c.set(i, sum);
            else c.set(i, whole);
        }
        return List.of(c);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        s.add(sample(DType.F64, 3, 4, 5));
        s.add(sample(DType.F64, 3, 4, 5, 2));
        s.add(sample(DType.F32, 1, 1, 1));
        s.add(sample(DType.F32, 17, 33, 9));
        s.add(sample(DType.F32, 65, 70, 67));
        s.add(sample(DType.F32, 1, 40, 37));
        s.add(sample(DType.F32, 37, 40, 1));
        s.add(sample(DType.F32, 6, 1, 7));
        s.add(sample(DType.F32, 5, 3, 4, 2, 3));
        s.add(sample(DType.F32, 0, 3, 4));
        s.add(sample(DType.F32, 3, 0, 4));
        s.add(sample(DType.F32, 3, 4, 2, 0));
        for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8)) s.add(sample(t, 5, 21, 6));
        return s;
    }

    private static Sample sample(DType t, long m, long k, long n, long... batch) {
        double reach = t.isFloat() ? 1 : 9;
        Shape lead = Shape.of(batch);
        Shape a = lead.insert(batch.length, k).insert(batch.length, m);
        Shape b = lead.insert(batch.length, n).insert(batch.length, k);
        double low = t == DType.U8 ? 0 : -reach;
        RefArray x = Sample.uniform(new Type(t, a), low, reach, 1);
        RefArray y = Sample.uniform(new Type(t, b), low, reach, 2);
        return t.isFloat() ? Sample.smooth(new Matmul(), x, y) : Sample.values(new Matmul(), x, y);
    }
}
