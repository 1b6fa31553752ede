// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Slices of x at data-dependent positions: {@code x, idx -> x[:axis] + idx.shape + x[axis+1:]}. PyTorch's
 * index_select and embedding, and the core of advanced indexing.
 */
public record Take(int axis) implements Indexed {

    @Override
    public String name() {
        return "take";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.axis(this, in, 0, axis);
        Rule.isIndex(this, in, 1);
        return List.of(in.get(0).with(replaceAxis(in.get(0).shape(), in.get(1).shape())));
    }

    /** {@code x[:axis] + by + x[axis+1:]}. */
    private Shape replaceAxis(Shape x, Shape by) {
        long[] d = new long[x.rank() - 1 + by.rank()];
        for (int i = 0; i < axis; i++) d[i] = x.dim(i);
        for (int i = 0; i < by.rank(); i++) d[axis + i] = by.dim(i);
        for (int i = axis + 1; i < x.rank(); i++) d[i - 1 + by.rank()] = x.dim(i);
        return Shape.of(d);
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        Shape flat = Shape.of(e.type(call.in(1)).numel());
        V idx = e.reshape(call.in(1), flat);
        V g = e.reshape(call.grad(), replaceAxis(e.type(x).shape(), flat));
        return Arrays.asList(e.apply(new Put(axis, Put.Mode.ADD), e.zerosLike(x), idx, g), null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray idx = in.get(1);
        RefArray r = RefArray.zeros(infer(List.of(x.type(), idx.type())).get(0));
        Lines from = Lines.of(x.shape(), axis);
        Lines to = new Lines(idx.size(), from.inner(), from.count());
        for (int i = 0; i < idx.size(); i++) {
            int at = CheckIndex.check(name(), idx.getLong(i), from.n(), true);
            for (int line = 0; line < from.count(); line++) r.copy(to.at(line, i), x, from.at(line, at));
        }
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        RefArray idx = RefArray.ofLongs(DType.I64, Shape.of(2, 3), 0, 3, -1, 2, 3, -4);
        s.add(Sample.smooth(new Take(0), Sample.uniform(Type.of(DType.F64, 4, 3), -1, 1, 1), idx));
        s.add(Sample.smooth(new Take(1), Sample.uniform(Type.of(DType.F64, 2, 4, 3), -1, 1, 2), idx));
        s.add(Sample.smooth(new Take(2), Sample.uniform(Type.of(DType.F32, 2, 3, 4), -1, 1, 3), idx));
        s.add(Sample.smooth(
                new Take(0),
                Sample.uniform(Type.of(DType.F32, 9, 33), -1, 1, 4),
                Sample.uniform(Type.of(DType.I64, 17), -9, 9, 5)));
        s.add(Sample.values(
                new Take(0),
                Sample.uniform(Type.of(DType.F32, 4), -1, 1, 6),
                RefArray.ofLongs(DType.I64, Shape.SCALAR, 2)));
        s.add(Sample.values(
                new Take(1),
                Sample.uniform(Type.of(DType.F32, 3, 4), -1, 1, 7),
                RefArray.zeros(Type.of(DType.I64, 0))));
        s.add(Sample.values(new Take(1), RefArray.zeros(Type.of(DType.F32, 0, 4, 2)), idx));
        for (DType t :
                List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.I16, DType.I8, DType.U8, DType.BOOL)) {
            s.add(Sample.values(new Take(0), Sample.uniform(Type.of(t, 4, 5), 0, 100, 8), idx));
        }
        return s;
    }
}
