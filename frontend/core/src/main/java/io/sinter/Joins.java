// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Several tensors joined, broadcast or combined: functions of {@link F}. */
abstract sealed class Joins extends Losses permits Products {
    Joins() {}

    /** At least one axis: scalars become vectors ({@code torch.atleast_1d}). */
    public static Tensor atleast1d(Tensor x) {
        return x.rank() == 0 ? x.reshape(1) : x;
    }

    /** At least two axes: vectors become rows ({@code torch.atleast_2d}). */
    public static Tensor atleast2d(Tensor x) {
        return x.rank() >= 2 ? x : x.reshape(1, x.numel());
    }

    /** At least three axes: matrices get a last axis, vectors become [1, n, 1] ({@code torch.atleast_3d}). */
    public static Tensor atleast3d(Tensor x) {
        if (x.rank() >= 3) return x;
        return x.rank() == 2 ? x.unsqueeze(-1) : x.reshape(1, x.numel(), 1);
    }

    /** Joins along axis 1; vectors along axis 0. */
    public static Tensor hstack(List<Tensor> parts) {
        List<Tensor> p = parts.stream().map(Joins::atleast1d).toList();
        return Combining.cat(p.get(0).rank() == 1 ? 0 : 1, p.toArray(Tensor[]::new));
    }

    /** Joins along axis 0; vectors are rows. */
    public static Tensor vstack(List<Tensor> parts) {
        return Trace.call(
                () -> Combining.cat(0, parts.stream().map(Joins::atleast2d).toArray(Tensor[]::new)));
    }

    /** Joins along axis 2. */
    public static Tensor dstack(List<Tensor> parts) {
        return Trace.call(
                () -> Combining.cat(2, parts.stream().map(Joins::atleast3d).toArray(Tensor[]::new)));
    }

    /** Joins along axis 1; scalars and vectors are columns. */
    public static Tensor columnStack(List<Tensor> parts) {
        return Trace.call(() -> Combining.cat(
                1,
                parts.stream()
                        .map(x -> x.rank() <= 1 ? x.reshape(x.numel(), 1) : x)
                        .toArray(Tensor[]::new)));
    }

    /** Matrices along the diagonal of a matrix of zeros; vectors are rows. */
    public static Tensor blockDiag(List<Tensor> parts) {
        return Trace.call(() -> {
            List<Tensor> m = parts.stream().map(Joins::atleast2d).toList();
            long columns = m.stream().mapToLong(x -> x.size(1)).sum();
            Tensor[] rows = new Tensor[m.size()];
            long before = 0;
            for (int i = 0; i < rows.length; i++) {
                Tensor x = m.get(i);
                rows[i] = pad(x, before, columns - before - x.size(1));
                before += x.size(1);
            }
            return Combining.cat(0, rows);
        });
    }

    /** All in the shape that they broadcast to: views. */
    public static List<Tensor> broadcastTensors(List<Tensor> tensors) {
        Shape s = Rearranging.Rearrange.common("broadcastTensors", tensors);
        return tensors.stream().map(x -> x.expand(s.toArray())).toList();
    }

    /** The shape that several broadcast to. */
    public static long[] broadcastShapes(long[]... shapes) {
        int rank = Arrays.stream(shapes).mapToInt(s -> s.length).max().orElse(0);
        long[] r = new long[rank];
        Arrays.fill(r, 1);
        for (long[] s : shapes) {
            for (int i = 0; i < s.length; i++) {
                int k = rank - s.length + i;
                if (s[i] != r[k] && s[i] != 1 && r[k] != 1) {
                    throw Errors.argument(
                            "broadcastShapes: " + Arrays.deepToString(shapes) + " do not broadcast at axis " + k);
                }
                if (r[k] == 1) r[k] = s[i];
            }
        }
        return r;
    }

    /**
     * A grid's coordinates: from vectors of n, m, … numbers, tensors of shape [n, m, …].
     *
     * @param indexing "ij", or "xy" for [m, n, …]
     */
    public static List<Tensor> meshgrid(List<Tensor> vectors, String indexing) {
        boolean swap =
                switch (indexing) {
                    case "ij" -> false;
                    case "xy" -> vectors.size() >= 2;
                    default -> throw Errors.argument("meshgrid: unknown indexing '" + indexing + "'; known: ij, xy");
                };
        int n = vectors.size();
        long[] shape = new long[n];
        for (int i = 0; i < n; i++) shape[place(i, swap)] = vectors.get(i).numel();
        List<Tensor> r = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            if (vectors.get(i).rank() > 1)
                throw Errors.argument("meshgrid", vectors.get(i), "needs vectors or scalars");
            long[] s = new long[n];
            Arrays.fill(s, 1);
            s[place(i, swap)] = vectors.get(i).numel();
            r.add(vectors.get(i).reshape(s).expand(shape));
        }
        return r;
    }

    private static int place(int i, boolean swap) {
        return swap && i < 2 ? 1 - i : i;
    }

    /**
     * Positions in a flattened tensor as positions along its axes, one tensor each ({@code
     * torch.unravel_index}).
     */
    public static List<Tensor> unravelIndex(Tensor positions, long... shape) {
        List<Tensor> r = new ArrayList<>();
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            long below = stride;
            long n = shape[i];
            r.addFirst(Trace.call(() -> positions.floorDivide(below).remainder(n)));
            stride *= n;
        }
        return r;
    }

    /**
     * All tuples of one element of each vector: [n · m · …, number of vectors]; of one vector, the vector.
     */
    public static Tensor cartesianProd(List<Tensor> vectors) {
        if (vectors.size() == 1) return vectors.get(0).clone();
        return Trace.call(() -> Combining.stack(-1, meshgrid(vectors, "ij").toArray(Tensor[]::new))
                .reshape(-1, vectors.size()));
    }

    /**
     * All combinations of {@code r} elements of a vector, one a row, in lexicographic order of their
     * positions.
     */
    public static Tensor combinations(Tensor x, int r, boolean withReplacement) {
        if (x.rank() != 1) throw Errors.argument("combinations", x, "needs a vector");
        if (r < 0) throw Errors.argument("combinations", x, "of " + r + " elements");
        if (r == 0) return Tensor.zeros(new long[] {0}, x.dtype());
        List<long[]> rows = new ArrayList<>();
        combine(new long[r], 0, 0, x.numel(), withReplacement, rows);
        long[] flat = rows.stream().flatMapToLong(Arrays::stream).toArray();
        return Trace.call(() -> x.get(Tensor.from(flat, rows.size(), r)));
    }

    private static void combine(long[] row, int k, long from, long n, boolean again, List<long[]> rows) {
        if (k == row.length) {
            rows.add(row.clone());
            return;
        }
        for (long i = from; i < n; i++) {
            row[k] = i;
            combine(row, k + 1, again ? i : i + 1, n, again, rows);
        }
    }
}
