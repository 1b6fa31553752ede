// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Index;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Elements by position. */
final class IndexingOps {
    private IndexingOps() {}

    static void register(Registry r) {
        r.add("gather", a -> a.x().gather(a.axis(1, "dim"), a.tensor(2, "index")));
        r.add("take", a -> a.x().take(a.tensor(1, "index")));
        r.add(
                "take_along_dim",
                a -> a.given(2, "dim")
                        ? a.x().takeAlongDim(a.tensor(1, "indices"), a.axis(2, "dim"))
                        : a.x().takeAlongDim(a.tensor(1, "indices")));
        r.add("put", a -> a.x().put(a.tensor(1, "index"), a.tensor(2, "source"), a.flag(3, "accumulate", false)));
        r.add("index_select", a -> a.x().indexSelect(a.axis(1, "dim"), a.tensor(2, "index")));
        r.add("index_add", a -> a.x().indexAdd(
                        a.axis(1, "dim"), a.tensor(2, "index"), a.tensor(3, "source"), a.number(-1, "alpha", 1)));
        r.add("index_copy", a -> a.x().indexCopy(a.axis(1, "dim"), a.tensor(2, "index"), a.tensor(3, "source")));
        r.add(
                "index_fill",
                a -> a.isTensor(3, "value")
                        ? a.x().indexFill(a.axis(1, "dim"), a.tensor(2, "index"), a.tensor(3, "value"))
                        : a.x().indexFill(a.axis(1, "dim"), a.tensor(2, "index"), a.number(3, "value")));
        r.add("index_reduce", a -> a.x().indexReduce(
                        a.axis(1, "dim"),
                        a.tensor(2, "index"),
                        a.tensor(3, "source"),
                        a.text(4, "reduce", ""),
                        a.flag(-1, "include_self", true)));
        r.add("index_put", a -> {
            List<Object> indices = new ArrayList<>();
            for (Object o : (List<?>) a.value(1, "indices")) indices.add(o == null ? Index.ALL : o);
            return a.x().indexPut(indices.toArray(), a.tensor(2, "values"), a.flag(3, "accumulate", false));
        });
        scatters(r);
        masks(r);
    }

    private static void scatters(Registry r) {
        r.add("scatter", a -> {
            int axis = a.axis(1, "dim");
            Tensor index = a.tensor(2, "index");
            if (!a.isTensor(3, "src") && !a.given(-1, "reduce"))
                return a.x().scatter(axis, index, a.number(3, "value"));
            Tensor src = a.isTensor(3, "src")
                    ? a.tensor(3, "src")
                    : Tensor.full(index.shape(), a.number(3, "value"), a.x().dtype());
            return a.given(-1, "reduce")
                    ? a.x().scatter(axis, index, src, a.text(-1, "reduce", ""))
                    : a.x().scatter(axis, index, src);
        });
        r.add("scatter_add", a -> a.x().scatterAdd(a.axis(1, "dim"), a.tensor(2, "index"), a.tensor(3, "src")));
        r.add("scatter_reduce", a -> a.x().scatterReduce(
                        a.axis(1, "dim"),
                        a.tensor(2, "index"),
                        a.tensor(3, "src"),
                        a.text(4, "reduce", ""),
                        a.flag(-1, "include_self", true)));
        r.add("select_scatter", a -> a.x().selectScatter(a.tensor(1, "src"), a.axis(2, "dim"), a.integer(3, "index")));
        r.add("diagonal_scatter", a -> a.x().diagonalScatter(
                        a.tensor(1, "src"), a.integer(2, "offset", 0), a.axis(3, "dim1", 0), a.axis(4, "dim2", 1)));
    }

    private static void masks(Registry r) {
        r.add(
                "masked_fill",
                a -> a.isTensor(2, "value")
                        ? a.x().maskedFill(a.tensor(1, "mask"), a.tensor(2, "value"))
                        : a.x().maskedFill(a.tensor(1, "mask"), a.number(2, "value")));
        r.add("masked_select", a -> a.x().maskedSelect(a.tensor(1, "mask")));
        r.add("masked_scatter", a -> a.x().maskedScatter(a.tensor(1, "mask"), a.tensor(2, "source")));
        r.add("nonzero", a -> {
            if (!a.flag(-1, "as_tuple", false)) return a.x().nonzero();
            Tensor x = a.x().rank() == 0 ? a.x().reshape(1) : a.x();
            return x.nonzero().unbind(1);
        });
        r.add("argwhere", a -> a.x().nonzero());
    }
}
