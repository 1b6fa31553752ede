// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import java.util.List;

/** Orders: sorting and searching. */
final class OrderingOps {
    private OrderingOps() {}

    static void register(Registry r) {
        r.add("sort", a -> {
            a.flag(-1, "stable", false); // sorts are always stable
            return a.x().sort(a.axis(1, "dim", -1), a.flag(2, "descending", false));
        });
        r.add("argsort", a -> {
            a.flag(-1, "stable", false);
            return a.x().argsort(a.axis(1, "dim", -1), a.flag(2, "descending", false));
        });
        r.unary("msort", Tensor::msort);
        positions(r);
        histograms(r);
        r.add("topk", a -> {
            a.flag(4, "sorted", true); // results are always sorted
            return a.x().topk(a.integer(1, "k"), a.axis(2, "dim", -1), a.flag(3, "largest", true));
        });
        r.add("unique", a -> {
            a.flag(1, "sorted", true); // results are always sorted
            boolean inverse = a.flag(2, "return_inverse", false);
            boolean counts = a.flag(3, "return_counts", false);
            return chosen(a.given(4, "dim") ? a.x().unique(a.axis(4, "dim")) : a.x().unique(), inverse, counts);
        });
        r.add("unique_consecutive", a -> {
            boolean inverse = a.flag(1, "return_inverse", false);
            boolean counts = a.flag(2, "return_counts", false);
            return chosen(
                    a.given(3, "dim") ? a.x().uniqueConsecutive(a.axis(3, "dim")) : a.x().uniqueConsecutive(),
                    inverse,
                    counts);
        });
        r.add("isin", a -> {
            a.flag(-1, "assume_unique", false); // only a hint
            Tensor found = a.x().isin(a.tensor(1, "test_elements"));
            return a.flag(-1, "invert", false) ? found.logicalNot() : found;
        });
        r.add("bucketize", a -> {
            Tensor found = a.tensor(1, "boundaries").searchsorted(a.x(), a.flag(-1, "right", false));
            return a.flag(-1, "out_int32", false) ? found.toInt() : found;
        });
        r.add("searchsorted", a -> {
            boolean right =
                    a.flag(-1, "right", false) || a.text(-1, "side", "left").equals("right");
            Tensor sorted = a.given(-1, "sorter") ? a.x().takeAlongDim(a.tensor(-1, "sorter"), -1) : a.x();
            Tensor found = sorted.searchsorted(a.tensor(1, "values"), right);
            return a.flag(-1, "out_int32", false) ? found.toInt() : found;
        });
        r.add("bincount", a -> a.x().bincount(a.optional(1, "weights"), a.integer(2, "minlength", 0)));
    }

    private static void histograms(Registry r) {
        r.add("histc", a -> a.x().histc(a.axis(1, "bins", 100), a.number(2, "min", 0), a.number(3, "max", 0)));
        r.add("histogram", a -> {
            boolean density = a.flag(-1, "density", false);
            Tensor weight = a.optional(-1, "weight");
            if (a.isTensor(1, "bins")) return a.x().histogram(a.tensor(1, "bins"), weight, density);
            boolean given = a.given(-1, "range");
            double[] range = given
                    ? a.numbers(-1, "range")
                    : new double[] {a.x().min().item(), a.x().max().item()};
            return a.x().histogram(a.axis(1, "bins"), range[0], range[1], weight, density);
        });
    }

    /**
     * Positions along an axis; without {@code stable=True} PyTorch leaves the order of equal elements open.
     */
    private static void positions(Registry r) {
        r.free("sort", (a, p) -> a.x().gather(a.axis(1, "dim", -1), p));
        r.free("argsort", (a, p) -> a.x().gather(a.axis(1, "dim", -1), p));
        r.free("topk", (a, p) -> a.x().gather(a.axis(2, "dim", -1), p));
        for (String name : List.of("kthvalue", "median", "nanmedian", "mode")) {
            int at = name.equals("kthvalue") ? 2 : 1;
            r.free(name, (a, p) -> {
                int axis = a.axis(at, "dim", -1);
                return a.x().rank() == p.rank() ? a.x().gather(axis, p) : a.x().gather(axis, p.unsqueeze(axis));
            });
        }
    }

    private static Object chosen(Tensor.Unique u, boolean inverse, boolean counts) {
        if (inverse && counts) return new Tensor[] {u.values(), u.inverse(), u.counts()};
        if (inverse) return new Tensor[] {u.values(), u.inverse()};
        return counts ? new Tensor[] {u.values(), u.counts()} : u.values();
    }
}
