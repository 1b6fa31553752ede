// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.constant;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sums of products over named or numbered axes, and distances: functions of {@link F}. */
abstract sealed class Products extends Joins permits MarginLosses {
    Products() {}

    /**
     * Sums of products over pairs of axes; the result has the other axes of {@code a}, then those of {@code
     * b}.
     */
    public static Tensor tensordot(Tensor a, Tensor b, int[] axesA, int[] axesB) {
        if (axesA.length != axesB.length)
            throw Errors.argument("tensordot", a, b, "as many axes of one as of the other");
        int[] p = new int[axesA.length];
        int[] q = new int[axesB.length];
        for (int i = 0; i < p.length; i++) {
            p[i] = Axes.axis("tensordot", a, axesA[i]);
            q[i] = Axes.axis("tensordot", b, axesB[i]);
            if (a.size(p[i]) != b.size(q[i]))
                throw Errors.argument("tensordot", a, b, "axes " + p[i] + " and " + q[i] + " differ in extent");
        }
        return Trace.call(() -> {
            int[] freeA = others(a.rank(), p);
            int[] freeB = others(b.rank(), q);
            long k = Arrays.stream(p).mapToLong(a::size).reduce(1, (x, y) -> x * y);
            long m = Arrays.stream(freeA).mapToLong(a::size).reduce(1, (x, y) -> x * y);
            long n = Arrays.stream(freeB).mapToLong(b::size).reduce(1, (x, y) -> x * y);
            Tensor left = a.permute(joined(freeA, p)).reshape(m, k);
            Tensor right = b.permute(joined(q, freeB)).reshape(k, n);
            long[] shape = new long[freeA.length + freeB.length];
            for (int i = 0; i < freeA.length; i++) shape[i] = a.size(freeA[i]);
            for (int i = 0; i < freeB.length; i++) shape[freeA.length + i] = b.size(freeB[i]);
            return left.matmul(right).reshape(shape);
        });
    }

    /** Sums of products over the last {@code axes} axes of {@code a} and the first of {@code b}. */
    public static Tensor tensordot(Tensor a, Tensor b, int axes) {
        int[] p = new int[axes];
        for (int i = 0; i < axes; i++) p[i] = a.rank() - axes + i;
        return tensordot(a, b, p, Axes.all(axes));
    }

    private static int[] others(int rank, int[] axes) {
        return Arrays.stream(Axes.all(rank))
                .filter(i -> Arrays.stream(axes).noneMatch(a -> a == i))
                .toArray();
    }

    private static int[] joined(int[] a, int[] b) {
        int[] r = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, r, a.length, b.length);
        return r;
    }

    /** Product of several matrices from left to right; the first and last may be vectors. */
    public static Tensor multiDot(List<Tensor> matrices) {
        return Trace.call(() -> matrices.stream().reduce(Tensor::matmul).orElseThrow());
    }

    /**
     * Sums of products in Einstein's notation ({@code torch.einsum}): {@code einsum("bij,bjk->bik", a, b)}.
     * Letters name axes; those that the result does not name are summed. {@code ...} stands for axes that
     * broadcast; without {@code ->} the result has the letters that occur once, in order.
     */
    public static Tensor einsum(String equation, Tensor... operands) {
        String text = equation.replace(" ", "");
        int arrow = text.indexOf("->");
        String[] terms = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
        if (terms.length != operands.length) {
            throw Errors.argument(
                    "einsum(\"" + equation + "\"): " + terms.length + " terms for " + operands.length + " operands");
        }
        return Trace.call(() -> {
            // Axes of an ellipsis get names that no letter has: '0' for the last one, '1' for the one before,
            // …
            int wild = 0;
            String[] names = new String[terms.length];
            for (int i = 0; i < terms.length; i++) {
                int extra = operands[i].rank() - terms[i].replace("...", "").length();
                if (extra < 0 || extra > 0 && !terms[i].contains("...")) {
                    throw Errors.argument(
                            "einsum",
                            operands[i],
                            "term '" + terms[i] + "' of \"" + equation + "\" names another number of axes");
                }
                if (terms[i].contains("...")) wild = Math.max(wild, extra);
                names[i] = terms[i].replace("...", wildcards(extra));
            }
            String all = wildcards(wild);
            String result =
                    arrow < 0 ? all + once(terms) : text.substring(arrow + 2).replace("...", all);
            Tensor r = null;
            String have = "";
            for (int i = 0; i < operands.length; i++) {
                Tensor x = operands[i];
                String n = names[i];
                for (int j = 0; j < n.length(); j++) {
                    int k = n.indexOf(n.charAt(j), j + 1);
                    if (k < 0) continue;
                    // A letter twice: the diagonal, whose axis comes last.
                    x = x.diagonal(0, j, k);
                    char c = n.charAt(j);
                    n = n.substring(0, j) + n.substring(j + 1, k) + n.substring(k + 1) + c;
                    j--;
                }
                String later = result + String.join("", Arrays.copyOfRange(names, i + 1, names.length));
                if (r == null) {
                    r = x;
                    have = n;
                    String drop = missing(have, later);
                    r = sumOver(r, have, drop);
                    have = without(have, drop);
                } else {
                    String drop = missing(n, have + later);
                    x = sumOver(x, n, drop);
                    n = without(n, drop);
                    Pair p = contract(r, have, x, n, later);
                    r = p.tensor;
                    have = p.names;
                }
            }
            return arranged(r, have, result);
        });
    }

    private record Pair(Tensor tensor, String names) {}

    private static String wildcards(int n) {
        StringBuilder b = new StringBuilder();
        for (int i = n - 1; i >= 0; i--) b.append((char) ('0' + i));
        return b.toString();
    }

    private static String once(String[] terms) {
        Map<Character, Integer> count = new LinkedHashMap<>();
        for (String t : terms) for (char c : t.replace(".", "").toCharArray()) count.merge(c, 1, Integer::sum);
        StringBuilder b = new StringBuilder();
        count.entrySet().stream()
                .filter(e -> e.getValue() == 1)
                .map(Map.Entry::getKey)
                .sorted()
                .forEach(b::append);
        return b.toString();
    }

    private static String missing(String names, String in) {
        StringBuilder b = new StringBuilder();
        for (char c : names.toCharArray()) if (in.indexOf(c) < 0) b.append(c);
        return b.toString();
    }

    private static String without(String names, String drop) {
        return missing(names, drop);
    }

    private static Tensor sumOver(Tensor x, String names, String drop) {
        if (drop.isEmpty()) return x;
        int[] axes = drop.chars().map(names::indexOf).toArray();
        return Operators.cast(x.sum(axes, false), x.dtype());
    }

    /** Both operands as [shared and kept, own, summed], multiplied as batches of matrices. */
    private static Pair contract(Tensor a, String na, Tensor b, String nb, String later) {
        StringBuilder batch = new StringBuilder();
        StringBuilder summed = new StringBuilder();
        for (char c : na.toCharArray()) if (nb.indexOf(c) >= 0) (later.indexOf(c) >= 0 ? batch : summed).append(c);
        String left = without(na, batch.toString() + summed);
        String right = without(nb, batch.toString() + summed);
        List<Long> shape = new ArrayList<>();
        Tensor x = arranged(a, na, batch + left + summed);
        Tensor y = arranged(b, nb, batch.toString() + summed + right);
        int k = batch.length();
        for (int i = 0; i < k; i++) shape.add(x.size(i) == 1 ? y.size(i) : x.size(i));
        long[] s = shape.stream().mapToLong(Long::longValue).toArray();
        // Summed axes of extent 1 broadcast against the other's.
        long[] sums = new long[summed.length()];
        for (int i = 0; i < sums.length; i++) sums[i] = Math.max(x.size(k + left.length() + i), y.size(k + i));
        x = x.expand(concat(s, extents(x, k, left.length()), sums));
        y = y.expand(concat(s, sums, extents(y, k + sums.length, right.length())));
        long m = product(extents(x, k, left.length()));
        long n = product(extents(y, k + sums.length, right.length()));
        Tensor p = x.reshape(product(s), m, product(sums)).matmul(y.reshape(product(s), product(sums), n));
        long[] to = concat(s, extents(x, k, left.length()), extents(y, k + sums.length, right.length()));
        return new Pair(p.reshape(to), batch + left + right);
    }

    private static long[] extents(Tensor x, int from, int count) {
        return Arrays.copyOfRange(x.shape(), from, from + count);
    }

    private static long product(long[] v) {
        return Arrays.stream(v).reduce(1, (a, b) -> a * b);
    }

    private static long[] concat(long[]... parts) {
        return Arrays.stream(parts).flatMapToLong(Arrays::stream).toArray();
    }

    private static Tensor arranged(Tensor x, String names, String to) {
        int[] p = to.chars().map(names::indexOf).toArray();
        if (p.length != x.rank())
            throw Errors.argument("einsum", x, "the result names '" + to + "', the operands '" + names + "'");
        return p.length == 0 ? x : x.permute(p);
    }

    /**
     * p-norms of the differences of all pairs of rows: [batch…, M, D] and [batch…, N, D] give [batch…, M, N].
     */
    public static Tensor cdist(Tensor a, Tensor b, double p) {
        if (a.rank() < 2 || b.rank() < 2 || a.size(-1) != b.size(-1))
            throw Errors.argument("cdist", a, b, "needs [batch, M, D] and [batch, N, D]");
        return Trace.call(() -> a.unsqueeze(-2).sub(b.unsqueeze(-3)).norm(p, -1, false));
    }

    /** p-norms of the differences of the rows of a matrix, each pair once. */
    public static Tensor pdist(Tensor x, double p) {
        if (x.rank() != 2) throw Errors.argument("pdist", x, "needs a matrix");
        int n = Math.toIntExact(x.size(0));
        long[] first = new long[n * (n - 1) / 2];
        long[] second = new long[first.length];
        int k = 0;
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                first[k] = i;
                second[k++] = j;
            }
        }
        return Trace.call(() -> x.indexSelect(0, Tensor.from(first))
                .sub(x.indexSelect(0, Tensor.from(second)))
                .norm(p, -1, false));
    }

    /** p-norm of {@code a - b + eps} along the last axis. */
    public static Tensor pairwiseDistance(Tensor a, Tensor b, double p, double eps, boolean keepdim) {
        return Trace.call(() -> a.sub(b).add(eps).norm(p, -1, keepdim));
    }

    /** Cosine of the angle between vectors along an axis; norms are at least {@code eps}. */
    public static Tensor cosineSimilarity(Tensor a, Tensor b, int axis, double eps) {
        return Trace.call(() -> {
            Tensor[] both = Blending.Blend.broadcast("cosineSimilarity", a, b);
            int i = Axes.axis("cosineSimilarity", both[0], axis);
            Tensor x = both[0].div(both[0].norm(2, i, true).clampMin(eps));
            Tensor y = both[1].div(both[1].norm(2, i, true).clampMin(eps));
            return x.mul(y).sum(i);
        });
    }

    /** Powers 0 to n - 1 of each element, along a new last axis ({@code torch.linalg.vander}). */
    public static Tensor vander(Tensor x, long n) {
        return Trace.call(() -> {
            Tensor y = x.rank() == 0 ? x.reshape(1) : x;
            if (n < 1) throw Errors.argument("vander", x, n + " powers");
            Tensor[] powers = new Tensor[(int) n];
            powers[0] = y.onesLike();
            for (int i = 1; i < n; i++) powers[i] = powers[i - 1].mul(y);
            return Combining.stack(-1, powers);
        });
    }

    /** 0 where a condition holds. */
    static Tensor zeroWhere(Tensor condition, Tensor x) {
        return condition.where(constant(x, 0), x);
    }
}
