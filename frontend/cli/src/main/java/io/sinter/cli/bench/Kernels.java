// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import static io.sinter.cli.bench.Functions.rnd;
import static io.sinter.cli.bench.Part.NONE;
import static io.sinter.cli.bench.Part.WHOLE;
import static io.sinter.cli.bench.Part.along;
import static io.sinter.cli.bench.Part.alongWithGradients;
import static io.sinter.cli.bench.Part.whole;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.ValuesAndIndices;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The cases of single operators and small chains. */
final class Kernels {
    private static final long N16 = 1L << 24;

    private final List<BenchCase> cases = new ArrayList<>();

    private Kernels() {}

    static List<BenchCase> all() {
        Kernels k = new Kernels();
        k.products();
        k.memory();
        k.orders();
        k.rows();
        k.layers();
        return k.cases;
    }

    private void add(
            String name,
            long flops,
            long bytes,
            Supplier<Tensor[]> in,
            Part.Choice parts,
            Function<Tensor[], Tensor> f) {
        UnaryOperator<Tensor[]> g = x -> new Tensor[] {f.apply(x)};
        cases.add(new BenchCase(name, flops, bytes, Functions.forward(in, g, parts)));
    }

    /** Values and their indices, as PyTorch's sort and topk give both. */
    private void addOrder(
            String name, Supplier<Tensor[]> in, Part.Choice parts, Function<Tensor[], ValuesAndIndices> f) {
        UnaryOperator<Tensor[]> g = x -> {
            ValuesAndIndices r = f.apply(x);
            return new Tensor[] {r.values(), r.indices()};
        };
        cases.add(new BenchCase(name, Functions.forward(in, g, parts)));
    }

    private void addWithGradients(
            String name,
            long flops,
            long bytes,
            Supplier<Tensor[]> in,
            Supplier<Tensor> dy,
            Part.Choice parts,
            Function<Tensor[], Tensor> f) {
        cases.add(new BenchCase(name, flops, bytes, Functions.withGradients(in, dy, f, parts)));
    }

    private static Tensor[] a(Tensor... t) {
        return t;
    }

    private static int[] axes(int... axes) {
        return axes;
    }

    private void products() {
        for (long n : new long[] {512, 1024, 2048, 4096}) {
            Part.Choice rows = along(2, axes(0, WHOLE), 0);
            add("gemm_" + n, 2 * n * n * n, 12 * n * n, () -> a(rnd(n, n), rnd(n, n)), rows, x -> x[0].matmul(x[1]));
        }
        add(
                "gemm_1024_f64",
                2L << 30,
                24L << 20,
                () -> a(rnd(DType.F64, 1024, 1024), rnd(DType.F64, 1024, 1024)),
                along(4, axes(0, WHOLE), 0),
                x -> x[0].matmul(x[1]));
        add(
                "gemm_tall_65536x64x64",
                2L * 65536 * 64 * 64,
                0,
                () -> a(rnd(65536, 64), rnd(64, 64)),
                along(500, axes(0, WHOLE), 0),
                x -> x[0].matmul(x[1]));
        add(
                "gemv_4096",
                2L * 4096 * 4096,
                4L * 4096 * 4096,
                () -> a(rnd(4096, 4096), rnd(4096)),
                along(100, axes(0, WHOLE), 0),
                x -> x[0].matmul(x[1]));
        add(
                "bmm_64x128x64x128",
                2L * 64 * 128 * 64 * 128,
                0,
                () -> a(rnd(64, 128, 64), rnd(64, 64, 128)),
                along(2, axes(0, 0), 0),
                x -> x[0].bmm(x[1]));
        add(
                "linear_bias_gelu_4096x1024x1024",
                2L * 4096 * 1024 * 1024,
                0,
                () -> a(rnd(4096, 1024), rnd(1024, 1024), rnd(1024)),
                along(4, axes(0, WHOLE, WHOLE), 0),
                x -> F.gelu(F.linear(x[0], x[1], x[2]), true));
    }

    private void memory() {
        Part.Choice two = along(10_000, axes(0, 0), 0);
        Part.Choice rows = along(20, axes(0), 0);
        add("add_16M", 0, 12 * N16, () -> a(rnd(N16), rnd(N16)), two, x -> x[0].add(x[1]));
        add(
                "ew_chain_16M",
                0,
                20 * N16,
                () -> a(rnd(N16), rnd(N16), rnd(N16), rnd(N16)),
                along(10_000, axes(0, 0, 0, 0), 0),
                x -> x[0].mul(x[1]).add(x[2]).tanh().mul(x[3].sigmoid()));
        add("gelu_16M", 0, 8 * N16, () -> a(rnd(N16)), along(10_000, axes(0), 0), x -> F.gelu(x[0]));
        Supplier<Tensor[]> square = () -> a(rnd(4096, 4096));
        add("sum_all_16M", 0, 4 * N16, () -> a(rnd(N16)), whole(1), x -> x[0].sum());
        add("sum_axis0_4096x4096", 0, 4 * N16, square, along(20, axes(1), 0), x -> x[0].sum(0));
        add("sum_axis1_4096x4096", 0, 4 * N16, square, rows, x -> x[0].sum(1));
        add("transpose_copy_4096x4096", 0, 8 * N16, square, along(20, axes(0), 1), x -> x[0].t()
                .contiguous());
        add("cumsum_axis1_4096x4096", 0, 8 * N16, square, rows, x -> x[0].cumsum(1));
        add("tiny_add16_x1000", 0, 0, () -> a(rnd(16), rnd(16)), whole(1), x -> {
            Tensor y = x[0];
            for (int i = 0; i < 1000; i++) y = y.add(x[1]);
            return y;
        });
    }

    private void orders() {
        addOrder("sort_1M", () -> a(rnd(1 << 20)), whole(2), x -> x[0].sort());
        addOrder("topk_4096x1024_k50", () -> a(rnd(4096, 1024)), along(20, axes(0), 0, 0), x -> x[0].topk(50));
        addWithGradients(
                "embedding_50257x768_4096tok_fwdbwd",
                0,
                0,
                () -> a(rnd(50257, 768), Tensor.randint(0, 50257, 4096)),
                () -> rnd(4096, 768),
                alongWithGradients(2, axes(1, WHOLE), 1, 1, 1),
                x -> F.embedding(x[1], x[0]));
    }

    private void rows() {
        Part.Choice rows = along(10, axes(0), 0);
        add("softmax_4096x1024", 0, 8L * 4096 * 1024, () -> a(rnd(4096, 1024)), rows, x -> F.softmax(x[0], -1));
        Supplier<Tensor[]> norm = () -> a(rnd(4096, 1024), rnd(1024), rnd(1024));
        Function<Tensor[], Tensor> layerNorm = x -> F.layerNorm(x[0], new long[] {1024}, x[1], x[2], 1e-5);
        Part.Choice normRows = along(10, axes(0, WHOLE, WHOLE), 0);
        add("layernorm_4096x1024_fwd", 0, 8L * 4096 * 1024, norm, normRows, layerNorm);
        addWithGradients(
                "layernorm_4096x1024_fwdbwd", 0, 20L * 4096 * 1024, norm, () -> rnd(4096, 1024), whole(4), layerNorm);
        addWithGradients(
                "cross_entropy_1024x32000_fwdbwd",
                0,
                12L * 1024 * 32000,
                () -> a(rnd(1024, 32000), Tensor.randint(0, 32000, 1024)),
                () -> Tensor.ones(),
                crossEntropyRows(1024, 4).and(crossEntropyLoss()),
                x -> F.crossEntropy(x[0], x[1]));
    }

    /** Some rows' gradient: that of their own mean, weighted as they weigh in the mean of all. */
    private static Part.Choice crossEntropyRows(long rows, long n) {
        Part.Choice cut = alongWithGradients(n, axes(0, 0), WHOLE, NONE, 0);
        return in -> cut.of(in).stream()
                .map(p -> new Part(p.inputs(), dy -> dy.mul((double) n / rows), p.outputs()))
                .toList();
    }

    private static Part.Choice crossEntropyLoss() {
        return _ -> List.of(new Part(List.of(t -> t, t -> t), dy -> dy, Arrays.asList(t -> t, null)));
    }

    private void layers() {
        Supplier<Tensor[]> conv = () -> a(rnd(32, 64, 56, 56), rnd(64, 64, 3, 3));
        long flops = 2L * 32 * 56 * 56 * 64 * 64 * 9;
        Function<Tensor[], Tensor> conv2d = x -> F.conv2d(x[0], x[1], null, 1, 1);
        add("conv2d_3x3_64_64_32x56x56_fwd", flops, 0, conv, along(1, axes(0, WHOLE), 0), conv2d);
        // An image gives its own output and input gradient; an output channel its own output and weight gradient.
        addWithGradients(
                "conv2d_3x3_64_64_32x56x56_fwdbwd",
                3 * flops,
                0,
                conv,
                () -> rnd(32, 64, 56, 56),
                alongWithGradients(1, axes(0, WHOLE), 0, 0, 0, NONE)
                        .and(alongWithGradients(1, axes(WHOLE, 0), 1, 1, NONE, 0)),
                conv2d);
        addWithGradients(
                "batchnorm_relu_32x64x56x56_fwdbwd",
                0,
                0,
                () -> a(rnd(32, 64, 56, 56), rnd(64), rnd(64)),
                () -> rnd(32, 64, 56, 56),
                alongWithGradients(2, axes(1, 0, 0), 1, 1, 1, 0, 0),
                x -> F.relu(F.batchNorm(x[0], null, null, x[1], x[2], true, 0.1, 1e-5)));
        add(
                "maxpool_2x2_32x64x56x56_fwd",
                0,
                0,
                () -> a(rnd(32, 64, 56, 56)),
                along(1, axes(0), 0),
                x -> F.maxPool2d(x[0], 2));
        Supplier<Tensor[]> qkv = () -> a(rnd(4, 12, 512, 64), rnd(4, 12, 512, 64), rnd(4, 12, 512, 64));
        Function<Tensor[], Tensor> attention = x -> F.scaledDotProductAttention(x[0], x[1], x[2], null, 0, true);
        Part.Choice heads = along(1, axes(1, 1, 1), 1);
        add("attention_causal_4x12x512x64_fwd", 0, 0, qkv, heads, attention);
        addWithGradients(
                "attention_causal_4x12x512x64_fwdbwd",
                0,
                0,
                qkv,
                () -> rnd(4, 12, 512, 64),
                alongWithGradients(1, axes(1, 1, 1), 1, 1, 1, 1, 1),
                attention);
    }
}
