// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Index;
import io.sinter.Tensor;
import java.util.Arrays;
import java.util.List;

/** Views and copies of the same elements in other shapes and orders. */
final class MovementOps {
    private MovementOps() {}

    static void register(Registry r) {
        shapes(r);
        orders(r);
        pieces(r);
        r.add("repeat", a -> a.x().repeat(a.rest(1, "repeats")));
        r.add("tile", a -> a.x().tile(a.rest(1, "dims")));
        r.add("repeat_interleave", a -> {
            boolean flat = !a.given(2, "dim");
            a.value(-1, "output_size"); // only saves PyTorch a synchronization
            if (!a.isTensor(1, "repeats")) {
                long n = a.integer(1, "repeats");
                return flat ? a.x().repeatInterleave(n) : a.x().repeatInterleave(n, a.axis(2, "dim"));
            }
            Tensor times = a.tensor(1, "repeats");
            return flat
                    ? a.x().reshape(-1).repeatInterleave(times, 0)
                    : a.x().repeatInterleave(times, a.axis(2, "dim"));
        });
        r.add("diff", a -> a.x().diff(
                        a.axis(1, "n", 1), a.axis(2, "dim", -1), a.optional(3, "prepend"), a.optional(4, "append")));
    }

    private static void shapes(Registry r) {
        r.add(List.of("reshape", "view", "view_copy"), a -> a.x().reshape(a.rest(1, "shape")));
        r.add(List.of("reshape_as", "view_as"), a -> a.x().reshapeAs(a.tensor(1, "other")));
        r.unary("ravel", Tensor::ravel);
        r.add("flatten", a -> a.x().flatten(a.axis(1, "start_dim", 0), a.axis(2, "end_dim", -1)));
        r.add("unflatten", a -> a.x().unflatten(a.axis(1, "dim"), a.longs(2, "sizes")));
        r.add(List.of("squeeze", "squeeze_copy"), a -> {
            if (!a.given(1, "dim")) return a.x().squeeze();
            return a.axes(1, "dim").length == 0 ? a.x().reshape(a.x().shape()) : a.x().squeeze(a.axes(1, "dim"));
        });
        r.add(List.of("unsqueeze", "unsqueeze_copy"), a -> a.x().unsqueeze(a.axis(1, "dim")));
        r.add(List.of("expand", "expand_copy"), a -> a.x().expand(a.rest(1, "size")));
        r.add("broadcast_to", a -> a.x().broadcastTo(a.longs(1, "size")));
        r.add("expand_as", a -> a.x().expandAs(a.tensor(1, "other")));
        r.add("sum_to_size", a -> a.x().sumToSize(a.rest(1, "size")));
    }

    private static void orders(Registry r) {
        r.add(List.of("permute", "permute_copy"), a -> a.x().permute(a.axes(1, "dims")));
        r.add(List.of("transpose", "transpose_copy"), a -> a.x().transpose(a.axis(1, "dim0"), a.axis(2, "dim1")));
        r.add(List.of("t", "t_copy", "T", "H"), a -> a.x().t());
        r.unary("mT", Tensor::mT);
        r.unary("mH", Tensor::mH);
        r.add("movedim", a -> a.x().movedim(a.axes(1, "source"), a.axes(2, "destination")));
        r.add("flip", a -> a.x().flip(a.axes(1, "dims")));
        r.unary("fliplr", Tensor::fliplr);
        r.unary("flipud", Tensor::flipud);
        r.add(
                "roll",
                a -> a.axes(2, "dims").length == 0
                        ? a.x().roll(a.integer(1, "shifts"))
                        : a.x().roll(a.longs(1, "shifts"), a.axes(2, "dims")));
        r.add("rot90", a -> {
            int[] axes = a.given(2, "dims") ? a.axes(2, "dims") : new int[] {0, 1};
            return a.x().rot90(a.integer(1, "k", 1), axes[0], axes[1]);
        });
        r.add("fft.fftshift", a -> shifted(a, false));
        r.add("fft.ifftshift", a -> shifted(a, true));
        r.add(List.of("diagonal", "diagonal_copy"), a -> a.x().diagonal(
                        a.integer(1, "offset", 0), a.axis(2, "dim1", 0), a.axis(3, "dim2", 1)));
        r.add("linalg.diagonal", a -> a.x().diagonal(
                        a.integer(-1, "offset", 0), a.axis(-1, "dim1", -2), a.axis(-1, "dim2", -1)));
        r.add("diag", a -> a.x().diag(a.integer(1, "diagonal", 0)));
        r.add("diagflat", a -> a.x().diagflat(a.integer(1, "offset", 0)));
        r.add("diag_embed", a -> a.x().diagEmbed(
                        a.integer(1, "offset", 0), a.axis(2, "dim1", -2), a.axis(3, "dim2", -1)));
        r.add("tril", a -> a.x().tril(a.integer(1, "diagonal", 0)));
        r.add("triu", a -> a.x().triu(a.integer(1, "diagonal", 0)));
    }

    private static Tensor shifted(Args a, boolean back) {
        Tensor x = a.x();
        int[] axes = a.axes(1, "dim");
        if (!a.given(1, "dim")) {
            axes = new int[x.rank()];
            for (int i = 0; i < axes.length; i++) axes[i] = i;
        }
        long[] by = new long[axes.length];
        for (int i = 0; i < by.length; i++) by[i] = back ? -(x.size(axes[i]) / 2) : x.size(axes[i]) / 2;
        return x.roll(by, axes);
    }

    private static void pieces(Registry r) {
        r.add(List.of("chunk", "unsafe_chunk"), a -> a.x().chunk(a.axis(1, "chunks"), a.axis(2, "dim", 0)));
        r.add(
                List.of("split", "unsafe_split"),
                a -> a.value(1, "split_size") instanceof List<?>
                        ? a.x().split(a.longs(1, "split_size"), a.axis(2, "dim", 0))
                        : a.x().split(a.integer(1, "split_size"), a.axis(2, "dim", 0)));
        r.add(List.of("split_with_sizes", "split_with_sizes_copy"), a -> a.x().split(
                        a.longs(1, "split_sizes"), a.axis(2, "dim", 0)));
        r.add("tensor_split", a -> split(a, a.axis(2, "dim", 0)));
        r.add("hsplit", a -> split(a, a.x().rank() == 1 ? 0 : 1));
        r.add("vsplit", a -> split(a, 0));
        r.add("dsplit", a -> split(a, 2));
        r.add(List.of("unbind", "unbind_copy"), a -> a.x().unbind(a.axis(1, "dim", 0)));
        r.add(List.of("unfold", "unfold_copy"), a -> a.x().unfold(
                        a.axis(1, "dimension"), a.integer(2, "size"), a.integer(3, "step")));
        r.add(List.of("narrow", "narrow_copy"), a -> a.x().narrow(
                        a.axis(1, "dim"), a.integer(2, "start"), a.integer(3, "length")));
        r.add("select", a -> a.x().select(a.axis(1, "dim"), a.integer(2, "index")));
        r.add("slice", a -> {
            int axis = a.axis(1, "dim", 0);
            Object[] indices = new Object[axis + 1];
            Arrays.fill(indices, Index.ALL);
            Long start = a.given(2, "start") ? a.integer(2, "start") : null;
            Long end = a.given(3, "end") ? a.integer(3, "end") : null;
            indices[axis] = new Index.Slice(start, end, a.integer(4, "step", 1));
            return a.x().get(indices);
        });
    }

    private static List<Tensor> split(Args a, int axis) {
        Object how = a.value(1, "indices_or_sections");
        boolean positions = how instanceof List<?> || how instanceof Tensor t && t.rank() > 0;
        return positions
                ? a.x().tensorSplit(a.longs(1, "indices_or_sections"), axis)
                : a.x().tensorSplit(a.axis(1, "indices_or_sections"), axis);
    }
}
