// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Linalg;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.Arrays;
import java.util.List;

/** Linear systems, determinants and norms of matrices. */
final class FactorizationOps {
    private FactorizationOps() {}

    static void register(Registry r) {
        r.unary("linalg.det", Linalg::det);
        r.unary("logdet", Linalg::logdet);
        r.add("linalg.slogdet", a -> Linalg.slogdet(a.x()));
        r.unary("linalg.inv", Linalg::inv);
        r.add("linalg.inv_ex", a -> List.of(Linalg.inv(a.x()), noError(a.x())));
        r.add("linalg.solve", a -> solve(a));
        r.add("linalg.solve_ex", a -> List.of(solve(a), noError(a.x())));
        r.add(List.of("cholesky", "linalg.cholesky"), a -> Linalg.cholesky(a.x(), a.flag(1, "upper", false)));
        r.add("linalg.cholesky_ex", a -> List.of(Linalg.cholesky(a.x(), a.flag(-1, "upper", false)), noError(a.x())));
        r.add(
                "linalg.solve_triangular",
                a -> Linalg.solveTriangular(
                        a.x(),
                        a.tensor(1, "B"),
                        a.flag(-1, "upper", false),
                        a.flag(-1, "left", true),
                        a.flag(-1, "unitriangular", false)));
        r.add("linalg.matrix_power", a -> Linalg.matrixPower(a.x(), a.integer(1, "n")));
        r.add("linalg.tensorinv", a -> Linalg.tensorinv(a.x(), a.axis(1, "ind", 2)));
        r.add("linalg.tensorsolve", a -> Linalg.tensorsolve(a.x(), a.tensor(1, "other"), a.axes(2, "dims")));
        r.unary("matrix_exp", Linalg::matrixExp);
        r.tolerance(
                "matrix_exp",
                1e-5,
                0.1,
                "PyTorch squares in f32 and errs by 5e-7 of the largest element, 9e4 in the samples; ours agrees with f64 to 7 digits");
        r.add("linalg.matrix_norm", a -> {
            int[] axes = a.given(2, "dim") ? a.axes(2, "dim") : new int[] {-2, -1};
            return Linalg.matrixNorm(a.x(), order(a.value(1, "ord")), axes[0], axes[1], a.flag(3, "keepdim", false));
        });
        r.add("linalg.norm", FactorizationOps::norm);
    }

    /** PyTorch's code for success, of the batch's shape. */
    private static Tensor noError(Tensor x) {
        return Tensor.zeros(Arrays.copyOf(x.shape(), x.rank() - 2), DType.I32);
    }

    private static Tensor solve(Args a) {
        return a.flag(-1, "left", true)
                ? Linalg.solve(a.x(), a.tensor(1, "B"))
                : Linalg.solve(a.x().mT(), a.tensor(1, "B").mT()).mT();
    }

    private static String order(Object o) {
        String name =
                switch (o) {
                    case null -> "fro";
                    case Double d when Double.isInfinite(d) -> d > 0 ? "inf" : "-inf";
                    case Double d -> Long.toString(d.longValue());
                    default -> o.toString();
                };
        if (name.equals("nuc") || name.equals("2") || name.equals("-2"))
            throw new Unsupported("norms of singular values");
        return name;
    }

    private static Tensor norm(Args a) {
        Object order = a.value(1, "ord");
        int[] axes = a.axes(2, "dim");
        boolean keepdim = a.flag(3, "keepdim", false);
        Tensor x = a.dtype() == null ? a.x() : a.x().to(a.dtype());
        if (order == null) return x.norm(2, axes, keepdim);
        boolean matrix = axes.length == 2 || axes.length == 0 && x.rank() == 2;
        if (!matrix) return x.norm(a.number(1, "ord"), axes, keepdim);
        return Linalg.matrixNorm(
                x, order(order), axes.length == 0 ? 0 : axes[0], axes.length == 0 ? 1 : axes[1], keepdim);
    }
}
