// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Unary;
import io.sinter.ir.op.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Random well-typed programs and arguments for them: the same for the same seed. For property tests
 * of passes and backends.
 */
public final class RandomGraphs {
    private static final DType[] DTYPES = {DType.F32, DType.F32, DType.F32, DType.F64, DType.I64, DType.I32, DType.BOOL
    };
    private static final double[] CONSTANTS = {0, -0.0, 1, -1, 2, 0.5, 3, -2.5, Double.POSITIVE_INFINITY};

    private final RandomGenerator random;
    private final GraphBuilder e = new GraphBuilder();
    private final List<Node> values = new ArrayList<>();

    private RandomGraphs(long seed) {
        random = RandomGeneratorFactory.of("SplittableRandom").create(seed);
    }

    /**
     * A program of about {@code size} operators, with three inputs and up to four outputs, one
     * donation where types allow.
     */
    public static Graph graph(long seed, int size) {
        return new RandomGraphs(seed).build(size);
    }

    /** Arguments for a graph: small numbers, with zeros of both signs among them. */
    public static List<RefArray> arguments(Graph graph, long seed) {
        List<RefArray> arguments = new ArrayList<>();
        for (Node in : graph.inputs()) {
            RefArray a = Sample.uniform(in.type(), in.dtype().isBool() ? 0 : -2, 2, seed + arguments.size());
            for (int i = 0; i < a.size(); i += 5) if (a.dtype().isFloat()) a.set(i, i % 2 == 0 ? 0.0 : -0.0);
            arguments.add(a);
        }
        return arguments;
    }

    /** The same arguments but for the last bits of what is a float: what changes by more than a little between the two is decided by rounding alone. */
    public static List<RefArray> nudged(List<RefArray> arguments, long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(seed);
        List<RefArray> nudged = new ArrayList<>();
        for (RefArray a : arguments) {
            IntToDoubleFunction near = i -> a.getDouble(i) * (1 + (random.nextInt(9) - 4) * 0x1p-23);
            nudged.add(a.dtype().isFloat() ? RefArray.of(a.type(), near) : a);
        }
        return nudged;
    }

    private Graph build(int size) {
        values.add(e.input(Type.of(DType.F32, 3, 4)));
        values.add(e.input(new Type(DTYPES[random.nextInt(DTYPES.length)], Shape.of(2, 1, 4))));
        values.add(e.scalarInput(DType.F32));
        List<Node> inputs = List.copyOf(values);
        for (int i = 0; i < size; i++) {
            e.origin(i);
            step();
        }
        List<Node> outputs = new ArrayList<>();
        for (int i = 0; i < 4; i++)
            outputs.add(values.get(values.size() - 1 - random.nextInt(Math.min(values.size(), 6))));
        List<Integer> donations = new ArrayList<>(List.of(-1, -1, -1, -1));
        for (int i = 0; i < outputs.size(); i++) {
            boolean free = !outputs.contains(inputs.get(0));
            if (free && outputs.get(i).type().equals(inputs.get(0).type())) {
                donations.set(i, 0);
                break;
            }
        }
        return Graph.of(inputs, outputs, donations);
    }

    /**
     * One more value; a draw whose operands do not fit (an axis of a scalar, say) is drawn again.
     */
    private void step() {
        for (int attempt = 0; attempt < 50; attempt++) {
            try {
                Node n = draw();
                if (n.type().numel() <= 600) {
                    values.add(n);
                    return;
                }
            } catch (IllegalArgumentException _) {
                // Refused: by the type rule (an OpException), or because a scalar has no axis to
                // draw.
            }
        }
    }

    private Node any() {
        // Recent values more often: deep programs.
        int back = Math.min(random.nextInt(values.size()), random.nextInt(values.size()));
        return values.get(values.size() - 1 - back);
    }

    private int axis(Node n) {
        return random.nextInt(n.shape().rank());
    }

    private Node draw() {
        Node x = any();
        return switch (random.nextInt(20)) {
            case 0, 1, 2 ->
                e.unary(Unary.values().get(random.nextInt(Unary.values().size())), x);
            case 3, 4, 5, 6 ->
                e.binary(Binary.values().get(random.nextInt(Binary.values().size())), x, e.cast(any(), x.dtype()));
            case 7, 8 -> {
                double v = CONSTANTS[random.nextInt(CONSTANTS.length)];
                Node c = e.emit(
                                new Constant(
                                        x.dtype(), Constant.of(x.dtype(), v).bits(), random.nextInt(4) == 0),
                                List.of())
                        .get(0);
                Binary op = Binary.values().get(random.nextInt(Binary.values().size()));
                yield random.nextBoolean() ? e.binary(op, x, c) : e.binary(op, c, x);
            }
            case 9 -> e.where(e.cast(any(), DType.BOOL), x, e.cast(any(), x.dtype()));
            case 10 -> e.cast(x, DTYPES[random.nextInt(DTYPES.length)]);
            case 11 -> reshape(x);
            case 12 -> e.transpose(x, axis(x), axis(x));
            case 13 -> e.expand(x, x.shape().insert(0, 1 + random.nextInt(3)));
            case 14, 15 -> slice(x);
            case 16 -> e.apply(new Pad(padding(x), padding(x)), x);
            case 17 ->
                random.nextBoolean() ? e.apply(new Concat(axis(x)), x, x) : e.apply(new Window(axis(x), 2, 1), x);
            case 18 -> e.reduce(Reduce.Kind.values()[random.nextInt(6)], x, axis(x));
            default ->
                switch (random.nextInt(4)) {
                    case 0 ->
                        e.emit(new Sort(axis(x), random.nextBoolean()), List.of(x))
                                .get(random.nextInt(2));
                    case 1 -> e.apply(new Softmax(axis(x)), x);
                    case 2 -> product(x);
                    default -> e.apply(new Scan(Scan.Kind.SUM, axis(x), random.nextBoolean()), x);
                };
        };
    }

    /** x xᵀ, or its transpose. */
    private Node product(Node x) {
        if (x.shape().rank() < 2) return e.reshape(x, x.shape().insert(0, 1));
        Node product = e.matmul(x, e.transpose(x, -1, -2));
        return random.nextBoolean() ? e.transpose(product, -1, -2) : product;
    }

    private Node reshape(Node x) {
        long n = x.type().numel();
        long[] divisors = {1, 2, 3, 4, 6};
        long d = divisors[random.nextInt(divisors.length)];
        return random.nextBoolean() ? e.reshape(x, Shape.of(n)) : e.reshape(x, Shape.of(d, n / d));
    }

    private Node slice(Node x) {
        int axis = axis(x);
        long n = x.shape().dim(axis);
        long start = random.nextLong(n);
        long step = random.nextBoolean() ? 1 : random.nextInt(-2, 3);
        long size = step > 0 ? (n - start + step - 1) / step : start / Math.max(1, -step) + 1;
        return e.apply(new Slice(axis, start, 1 + random.nextLong(size), step, false), x);
    }

    private long[] padding(Node x) {
        long[] p = new long[x.shape().rank()];
        for (int i = 0; i < p.length; i++) p[i] = random.nextInt(2);
        return p;
    }
}
