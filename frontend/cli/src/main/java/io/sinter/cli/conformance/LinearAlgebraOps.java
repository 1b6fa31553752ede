// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.Arrays;
import java.util.List;

/** Products of matrices and vectors, and distances. */
final class LinearAlgebraOps {
    private LinearAlgebraOps() {}

    static void register(Registry r) {
        r.binary("matmul", Tensor::matmul);
        r.add("mm", a -> a.x().mm(a.tensor(1, "mat2")));
        r.add("bmm", a -> a.x().bmm(a.tensor(1, "mat2")));
        r.add("mv", a -> a.x().mv(a.tensor(1, "vec")));
        r.add("dot", a -> a.x().dot(a.tensor(1, "other")));
        r.add("vdot", a -> a.x().vdot(a.tensor(1, "other")));
        r.add("inner", a -> a.x().inner(a.tensor(1, "other")));
        r.add("outer", a -> a.x().outer(a.tensor(1, "vec2")));
        r.add("kron", a -> a.x().kron(a.tensor(1, "other")));
        r.unary("trace", Tensor::trace);
        r.add("addmm", a -> a.x().addmm(a.tensor(1, "mat1"), a.tensor(2, "mat2"), beta(a), alpha(a)));
        r.add("addmv", a -> a.x().addmv(a.tensor(1, "mat"), a.tensor(2, "vec"), beta(a), alpha(a)));
        r.add("addr", a -> a.x().addr(a.tensor(1, "vec1"), a.tensor(2, "vec2"), beta(a), alpha(a)));
        r.add("addbmm", a -> a.x().addbmm(a.tensor(1, "batch1"), a.tensor(2, "batch2"), beta(a), alpha(a)));
        r.add("baddbmm", a -> a.x().baddbmm(a.tensor(1, "batch1"), a.tensor(2, "batch2"), beta(a), alpha(a)));
        r.add("cross", a -> {
            int axis = a.axis(2, "dim", Integer.MIN_VALUE);
            // torch.cross looks for the first axis of extent 3.
            for (int i = 0; axis == Integer.MIN_VALUE && i < a.x().rank(); i++) if (a.x().size(i) == 3) axis = i;
            return a.x().cross(a.tensor(1, "other"), axis);
        });
        r.add("linalg.cross", a -> a.x().cross(a.tensor(1, "other"), a.axis(2, "dim", -1)));
        r.add("linalg.vecdot", a -> a.x().vecdot(a.tensor(1, "y"), a.axis(2, "dim", -1)));
        r.add("linalg.multi_dot", a -> F.multiDot(a.tensors(0, "tensors")));
        r.add("tensordot", a -> {
            if (!(a.value(2, "dims") instanceof List<?> pair))
                return F.tensordot(a.x(), a.tensor(1, "b"), a.axis(2, "dims", 2));
            return F.tensordot(a.x(), a.tensor(1, "b"), ints(pair.get(0)), ints(pair.get(1)));
        });
        r.add("einsum", a -> {
            // The samples have the operands before the equation.
            List<Tensor> operands = a.tensors(0, "operands");
            return F.einsum(a.text(1, "equation", ""), operands.toArray(Tensor[]::new));
        });
        r.add("cdist", a -> {
            a.text(3, "compute_mode", ""); // another way to the same numbers
            return F.cdist(a.x(), a.tensor(1, "x2"), a.number(2, "p", 2));
        });
        r.add("nn.functional.pdist", a -> F.pdist(a.x(), a.number(1, "p", 2)));
        r.add(
                "nn.functional.pairwise_distance",
                a -> F.pairwiseDistance(
                        a.x(),
                        a.tensor(1, "x2"),
                        a.number(2, "p", 2),
                        a.number(3, "eps", 1e-6),
                        a.flag(4, "keepdim", false)));
        r.add(
                "nn.functional.cosine_similarity",
                a -> F.cosineSimilarity(a.x(), a.tensor(1, "x2"), a.axis(2, "dim", 1), a.number(3, "eps", 1e-8)));
    }

    private static int[] ints(Object list) {
        return Arrays.stream(Args.asLongs(list, "dims"))
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    private static double beta(Args a) {
        return a.number(-1, "beta", 1);
    }

    private static double alpha(Args a) {
        return a.number(-1, "alpha", 1);
    }
}
