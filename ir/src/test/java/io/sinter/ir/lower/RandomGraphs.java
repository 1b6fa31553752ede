// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.Unary;
import io.sinter.ir.op.Window;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Random programs over small f64 arrays whose values stay near 1, so that results can be compared closely. */
final class RandomGraphs {
    record Program(Graph graph, List<RefArray> args) {}

    private final SplittableRandom r;
    private final GraphBuilder b = new GraphBuilder();
    private final List<Node> pool = new ArrayList<>();
    private final List<RefArray> args = new ArrayList<>();

    private RandomGraphs(long seed) {
        r = new SplittableRandom(seed);
    }

    static Program program(long seed, int size) {
        return new RandomGraphs(seed).make(size);
    }

    private Program make(int size) {
        int inputs = 1 + r.nextInt(4);
        for (int i = 0; i < inputs; i++) input(randomShape());
        for (int i = 0; i < size; i++) {
            Node n = step();
            if (n != null && n.type().numel() <= 4000) pool.add(n);
        }
        List<Node> out = new ArrayList<>();
        int outputs = 1 + r.nextInt(3);
        for (int i = 0; i < outputs; i++) out.add(pool.get(pool.size() - 1 - r.nextInt(Math.min(pool.size(), 6))));
        List<Integer> donations = new ArrayList<>();
        List<Integer> taken = new ArrayList<>();
        for (Node o : out) {
            int d = -1;
            for (int k = 0; k < args.size() && d < 0; k++) {
                boolean fits = args.get(k).type().equals(o.type())
                        && !taken.contains(k)
                        && out.indexOf(o) == out.lastIndexOf(o);
                if (fits && !out.contains(inputNodes.get(k)) && r.nextInt(2) == 0) d = k;
            }
            taken.add(d);
            donations.add(d);
        }
        return new Program(Graph.of(inputNodes, out, donations), args);
    }

    private final List<Node> inputNodes = new ArrayList<>();

    private Node input(Shape s) {
        Type t = new Type(DType.F64, s);
        args.add(Sample.uniform(t, .5, 1.5, r.nextLong()));
        Node n = b.input(t);
        inputNodes.add(n);
        pool.add(n);
        return n;
    }

    private Shape randomShape() {
        long[] d = new long[r.nextInt(4)];
        long[] choices = {1, 2, 3, 4, 5, 8, 12};
        for (int i = 0; i < d.length; i++) d[i] = choices[r.nextInt(choices.length)];
        return Shape.of(d);
    }

    private Node any() {
        return pool.get(r.nextInt(pool.size()));
    }

    private Node recent() {
        return pool.get(pool.size() - 1 - r.nextInt(Math.min(pool.size(), 4)));
    }

    private Node step() {
        Node x = r.nextInt(3) == 0 ? any() : recent();
        int rank = x.shape().rank();
        return switch (r.nextInt(16)) {
            case 0, 1 -> b.unary(pick(Unary.TANH, Unary.NEG, Unary.SIGMOID, Unary.ABS, Unary.COS, Unary.RELU), x);
            case 2, 3, 4 -> binary(x);
            case 5 -> rank == 0 ? null : norm(b.reduce(Reduce.Kind.SUM, x, axes(rank)), x);
            case 6 -> rank == 0 ? null : b.reduce(r.nextBoolean() ? Reduce.Kind.MAX : Reduce.Kind.MIN, x, axes(rank));
            case 7 -> rank == 0 ? null : centered(x);
            case 8 -> rank < 2 ? null : b.transpose(x, r.nextInt(rank), r.nextInt(rank));
            case 9 -> reshape(x);
            case 10 -> rank == 0 ? null : slice(x);
            case 11 -> rank == 0 ? null : b.apply(new Softmax(r.nextInt(rank)), x);
            case 12 -> rank < 2 ? null : matmul(x);
            case 13 -> rank == 0 ? null : view(x);
            case 14 -> rank == 0 ? null : take(x);
            default -> b.expand(x, widen(x.shape()));
        };
    }

    @SafeVarargs
    private <T> T pick(T... of) {
        return of[r.nextInt(of.length)];
    }

    private Node norm(Node sum, Node x) {
        return b.mul(sum, (double) sum.type().numel() / x.type().numel());
    }

    private int[] axes(int rank) {
        List<Integer> a = new ArrayList<>();
        for (int i = 0; i < rank; i++) if (r.nextInt(2) == 0) a.add(i);
        if (a.isEmpty()) a.add(r.nextInt(rank));
        return a.stream().mapToInt(Integer::intValue).toArray();
    }

    private Node centered(Node x) {
        int[] axes = axes(x.shape().rank());
        Node mean = norm(b.sumKeep(x, axes), x);
        return b.sub(x, mean);
    }

    private Node binary(Node x) {
        Node y = any();
        for (int tries = 0; tries < 8; tries++, y = any()) {
            try {
                return switch (r.nextInt(5)) {
                    case 0 -> b.add(b.mul(x, .5), b.mul(y, .5));
                    case 1 -> b.mul(b.unary(Unary.TANH, x), y);
                    case 2 -> b.binary(pick(Binary.MAX, Binary.MIN), x, y);
                    case 3 -> b.where(b.binary(Binary.GT, x, y), x, b.unary(Unary.SIN, y));
                    default -> b.sub(x, y);
                };
            } catch (io.sinter.ir.OpException _) {
                // shapes do not broadcast; try another
            }
        }
        return b.unary(Unary.SIN, x);
    }

    private Node reshape(Node x) {
        long n = x.type().numel();
        List<Long> d = new ArrayList<>();
        long left = n;
        while (left > 1 && d.size() < 3) {
            List<Long> divisors = new ArrayList<>();
            for (long k = 1; k <= left; k++) if (left % k == 0) divisors.add(k);
            long k = divisors.get(r.nextInt(divisors.size()));
            d.add(k);
            left /= k;
        }
        d.add(left);
        return b.reshape(x, Shape.of(d.stream().mapToLong(Long::longValue).toArray()));
    }

    private Node slice(Node x) {
        int a = r.nextInt(x.shape().rank());
        long n = x.shape().dim(a);
        long size = 1 + r.nextLong(n);
        if (r.nextInt(3) == 0) return b.apply(new Slice(a, n - 1, n, -1, false), x);
        return b.apply(new Slice(a, r.nextLong(n - size + 1), size, 1, false), x);
    }

    private Node matmul(Node x) {
        int rank = x.shape().rank();
        Node y = b.transpose(x, -2, -1);
        Node p = b.matmul(x, y);
        return b.mul(p, 1.0 / x.shape().dim(rank - 1));
    }

    private Node view(Node x) {
        int a = r.nextInt(x.shape().rank());
        long[] low = new long[x.shape().rank()];
        long[] high = new long[x.shape().rank()];
        return switch (r.nextInt(4)) {
            case 0 -> {
                low[a] = r.nextInt(3);
                high[a] = r.nextInt(3);
                yield b.apply(new Pad(low, high), x);
            }
            case 1 -> b.apply(new Concat(a), x, b.unary(Unary.COS, x));
            case 2 -> {
                long size = 1 + r.nextLong(x.shape().dim(a));
                yield b.apply((Op) new Window(a, size, 1 + r.nextInt(2)), x);
            }
            default -> b.mul(b.apply(new Scan(Scan.Kind.SUM, a, r.nextBoolean()), x), .25);
        };
    }

    private Node take(Node x) {
        int a = r.nextInt(x.shape().rank());
        long n = x.shape().dim(a);
        Type t = Type.of(DType.I64, 1 + r.nextInt(5));
        args.add(Sample.uniform(t, -n, n, r.nextLong()));
        Node idx = b.input(t);
        inputNodes.add(idx);
        return b.apply(new Take(a), x, idx);
    }

    private Shape widen(Shape s) {
        Shape w = s;
        for (int i = 0; i < s.rank(); i++) if (s.dim(i) == 1 && r.nextBoolean()) w = w.with(i, 1 + r.nextInt(4));
        return r.nextInt(3) == 0 && s.rank() < 4 ? w.insert(0, 1 + r.nextInt(3)) : w;
    }
}
