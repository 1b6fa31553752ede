// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.List;

/** Several tensors joined or combined. */
final class JoiningOps {
    private JoiningOps() {}

    static void register(Registry r) {
        r.add("cat", a -> F.cat(a.tensors(0, "tensors"), a.axis(1, "dim", 0)));
        r.add("stack", a -> F.stack(a.tensors(0, "tensors"), a.axis(1, "dim", 0)));
        r.add("hstack", a -> F.hstack(a.tensors(0, "tensors")));
        r.add("vstack", a -> F.vstack(a.tensors(0, "tensors")));
        r.add("dstack", a -> F.dstack(a.tensors(0, "tensors")));
        r.add("column_stack", a -> F.columnStack(a.tensors(0, "tensors")));
        r.add("block_diag", a -> F.blockDiag(a.tensors(0, "tensors")));
        r.add("atleast_1d", a -> F.atleast1d(a.x()));
        r.add("atleast_2d", a -> F.atleast2d(a.x()));
        r.add("atleast_3d", a -> F.atleast3d(a.x()));
        r.add("broadcast_tensors", a -> F.broadcastTensors(a.tensors(0, "tensors")));
        r.add("broadcast_shapes", a -> {
            long[][] shapes = new long[a.count()][];
            for (int i = 0; i < shapes.length; i++) shapes[i] = a.longs(i, "shapes");
            return F.broadcastShapes(shapes);
        });
        r.add("meshgrid", a -> F.meshgrid(a.tensors(0, "tensors"), a.text(-1, "indexing", "ij")));
        r.add("unravel_index", a -> F.unravelIndex(a.x(), a.longs(1, "shape")));
        r.add("cartesian_prod", a -> F.cartesianProd(a.tensors(0, "tensors")));
        r.add("combinations", a -> F.combinations(a.x(), a.axis(1, "r", 2), a.flag(2, "with_replacement", false)));
        r.add("where", a -> {
            // The samples have where as a method: x.where(condition, other).
            List<Tensor> t = List.of(a.x(), a.tensor(1, "condition"), a.tensor(2, "other"));
            boolean method = !t.get(0).dtype().isBool() || t.get(1).dtype().isBool();
            return method ? F.where(t.get(1), t.get(0), t.get(2)) : F.where(t.get(0), t.get(1), t.get(2));
        });
    }
}
