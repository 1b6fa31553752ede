// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.PoolPlanes;
import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;
import java.lang.foreign.Arena;

/** Operators that the JVM device runs whole, in plain Java over raw memory: sort, top-k and max-pooling. Operands and results are dense. */
final class JvmLibrary {
    private JvmLibrary() {}

    /** True if the library has this operator. */
    static boolean has(Op op) {
        return op instanceof Routine;
    }

    /**
     * Runs {@code op}.
     *
     * @param type of the operand
     * @param in address of the operand
     * @param values address of the first result
     * @param indices address of the second, i64
     */
    static void run(WorkerPool.Team team, int threads, Op op, Type type, long in, long values, long indices) {
        switch (op) {
            case Sort s -> rows(team, threads, type, s.axis(), type.dim(s.axis()), s.descending(), in, values, indices);
            case TopK t -> rows(team, threads, type, t.axis(), t.k(), t.largest(), in, values, indices);
            case MaxPool p -> maxPool(team, threads, p, type, in, values, indices);
            case Op other -> throw new IllegalStateException("no library routine for " + other.name());
        }
    }

    /** The first {@code k} of each row along {@code axis} in order; rows in parallel, and parts of long rows. */
    private static void rows(
            WorkerPool.Team team,
            int threads,
            Type type,
            int axis,
            long k,
            boolean descending,
            long in,
            long values,
            long indices) {
        Shape shape = type.shape();
        DType dtype = type.dtype();
        int width = dtype.bytes();
        if (shape.dim(axis) > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "sort of " + type + " along axis " + axis + ": at most 2^31 - 9 elements along the axis");
        }
        int n = (int) shape.dim(axis);
        int count = (int) k;
        long inner = 1;
        for (int i = axis + 1; i < shape.rank(); i++) inner *= shape.dim(i);
        long rows = n == 0 ? 0 : shape.numel() / n;
        long step = inner;
        if (count == n && n >= LongRowSorter.LEAST && rows < threads) {
            RowSorter sorter = new RowSorter(dtype, descending);
            for (long row = 0; row < rows; row++) {
                long first = row / step * n * step + row % step;
                long from = in + first * width;
                LongRowSorter sorted = new LongRowSorter(team, threads, sorter, from, step * width, n);
                sorted.inParts((_, begin, end) -> {
                    for (int j = begin; j < end; j++) {
                        int position = sorted.position(j);
                        long to = first + j * step;
                        copy(width, from + position * step * width, values + to * width);
                        Memory.putLong(indices + to * Long.BYTES, position);
                    }
                });
            }
            return;
        }
        // Rows of about 4,096 elements in a chunk at least, and some chunks a thread.
        long chunk = Math.max(1, Math.max(4096 / Math.max(n, 1), rows / (4L * threads)));
        team.run(rows, chunk, (_, begin, end) -> {
            RowSorter sorter = new RowSorter(dtype, descending);
            for (long row = begin; row < end; row++) {
                long outer = row / step;
                long offset = row % step;
                long from = in + (outer * n * step + offset) * width;
                if (count == n) sorter.sort(from, step * width, n);
                else sorter.select(from, step * width, n, count);
                long to = outer * count * step + offset;
                for (int j = 0; j < count; j++) {
                    int position = sorter.position(j);
                    copy(width, from + position * step * width, values + (to + j * step) * width);
                    Memory.putLong(indices + (to + j * step) * Long.BYTES, position);
                }
            }
        });
    }

    /** Planes in parallel. */
    private static void maxPool(
            WorkerPool.Team team, int threads, MaxPool op, Type type, long in, long values, long indices) {
        WindowMaxima maxima = new WindowMaxima(op, type);
        long plane = maxima.plane();
        long windows = maxima.windows();
        int width = type.dtype().bytes();
        long planes = plane == 0 ? 0 : type.numel() / plane;
        long chunk = Math.max(1, Math.max(4096 / Math.max(windows, 1), planes / (8L * threads)));
        int bits = type.dtype() == DType.F32 ? JvmFeatures.vectorBits() : 0;
        PoolPlanes.Windows shape = maxima.shape();
        team.run(planes, chunk, (_, begin, end) -> {
            if (bits > 0 && windows > 0) {
                try (Arena arena = Arena.ofConfined()) {
                    long scratch = arena.allocate(PoolPlanes.scratchBytes(shape), Long.BYTES)
                            .address();
                    PoolPlanes pool = new PoolPlanes(shape, bits, scratch);
                    for (long p = begin; p < end; p++) {
                        pool.run(
                                in + p * plane * width,
                                values + p * windows * width,
                                indices + p * windows * Long.BYTES);
                    }
                }
                return;
            }
            for (long p = begin; p < end; p++) {
                maxima.run(in + p * plane * width, values + p * windows * width, indices + p * windows * Long.BYTES);
            }
        });
    }

    private static void copy(int width, long from, long to) {
        switch (width) {
            case 8 -> Memory.putLong(to, Memory.getLong(from));
            case 4 -> Memory.putInt(to, Memory.getInt(from));
            case 2 -> Memory.putShort(to, Memory.getShort(from));
            default -> Memory.putByte(to, Memory.getByte(from));
        }
    }
}
