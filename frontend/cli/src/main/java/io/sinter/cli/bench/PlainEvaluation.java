// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/** Runs code on the reference evaluator, operator by operator in plain Java, and compares its results with a device's. */
final class PlainEvaluation {
    private PlainEvaluation() {}

    /** A tensor's elements outside of any session. */
    record Host(DType dtype, long[] shape, byte[] bytes) {
        static Host of(Tensor t) {
            return new Host(t.dtype(), t.shape(), t.toBytes());
        }

        /** In the current session. */
        Tensor tensor() {
            return Tensor.fromBytes(MemorySegment.ofArray(bytes), dtype, shape);
        }
    }

    /** What {@code f} gives in a session of the reference evaluator's own: not tensors, they end with it. */
    static <T> T of(Supplier<T> f) {
        Options plain = Session.current()
                .options()
                .withDevice(Device.JVM)
                .withThreads(1)
                .withBackend(Options.Backend.REFERENCE);
        try (Session session = Session.open(plain);
                var _ = session.use()) {
            return f.get();
        }
    }

    /**
     * Element by element: floats to {@code tolerance} of the element and of the root mean square of all, everything else exactly.
     *
     * @throws WrongOutput if an element differs by more
     */
    static void compare(String what, Host actual, Host expected, double tolerance) {
        checkTypes(what, actual, expected);
        if (!expected.dtype.isFloat()) {
            if (!java.util.Arrays.equals(actual.bytes, expected.bytes)) {
                throw new WrongOutput(what + " differs from the plain evaluation of " + expected.dtype + " elements");
            }
            return;
        }
        double[] a = doubles(actual);
        double[] e = doubles(expected);
        double scale = norm(e) / Math.sqrt(Math.max(1, e.length));
        for (int i = 0; i < e.length; i++) {
            boolean near = Math.abs(a[i] - e[i]) <= tolerance * (Math.abs(e[i]) + scale);
            if (!near && Double.doubleToLongBits(a[i]) != Double.doubleToLongBits(e[i])) {
                throw new WrongOutput(what + ", element " + i + " of " + e.length + ", is " + a[i]
                        + ", the plain evaluation gives " + e[i]);
            }
        }
    }

    /**
     * The Euclidean norm of the difference, to {@code tolerance} of the expected one's: for gradients of deep networks, where the rounding of one
     * activation can move single elements.
     *
     * @throws WrongOutput if it is greater
     */
    static void compareNorms(String what, Host actual, Host expected, double tolerance) {
        checkTypes(what, actual, expected);
        double[] a = doubles(actual);
        double[] e = doubles(expected);
        double norm = norm(e);
        for (int i = 0; i < e.length; i++) a[i] -= e[i];
        double difference = norm(a);
        // Not the other way round: NaN is wrong.
        if (!(difference <= tolerance * norm)) {
            throw new WrongOutput(
                    what + " is off by " + difference + " from the plain evaluation, whose norm is " + norm);
        }
    }

    private static void checkTypes(String what, Host actual, Host expected) {
        if (actual.dtype != expected.dtype || !java.util.Arrays.equals(actual.shape, expected.shape)) {
            throw new WrongOutput(what + " is " + actual.dtype + java.util.Arrays.toString(actual.shape)
                    + ", the plain evaluation gives " + expected.dtype + java.util.Arrays.toString(expected.shape));
        }
    }

    private static double norm(double[] x) {
        double sum = 0;
        for (double v : x) sum += v * v;
        return Math.sqrt(sum);
    }

    private static double[] doubles(Host h) {
        java.nio.ByteBuffer b = java.nio.ByteBuffer.wrap(h.bytes).order(java.nio.ByteOrder.nativeOrder());
        double[] r = new double[h.bytes.length / h.dtype.bytes()];
        for (int i = 0; i < r.length; i++) {
            r[i] = switch (h.dtype) {
                case F64 -> b.getDouble(8 * i);
                case F32 -> b.getFloat(4 * i);
                default -> throw new IllegalArgumentException("no case has outputs of " + h.dtype);
            };
        }
        return r;
    }
}
