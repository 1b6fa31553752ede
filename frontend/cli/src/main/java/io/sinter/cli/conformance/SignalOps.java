// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import io.sinter.Windows;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.List;

/** Windows of signal processing; integrals and derivatives of samples. */
final class SignalOps {
    private SignalOps() {}

    /** A window without a parameter. */
    private interface Window {
        Tensor call(int n, boolean symmetric, DType dtype);
    }

    /** A window with one parameter. */
    private interface Shaped {
        Tensor call(int n, double parameter, boolean symmetric, DType dtype);
    }

    private static void window(Registry r, String name, Window f) {
        r.add("signal.windows." + name, a -> f.call(a.axis(0, "M"), a.flag(-1, "sym", true), a.dtype(DType.F32)));
    }

    private static void window(Registry r, String name, String parameter, double otherwise, Shaped f) {
        r.add(
                "signal.windows." + name,
                a -> f.call(
                        a.axis(0, "M"),
                        a.number(-1, parameter, otherwise),
                        a.flag(-1, "sym", true),
                        a.dtype(DType.F32)));
    }

    static void register(Registry r) {
        window(r, "hann", Windows::hann);
        window(r, "hamming", Windows::hamming);
        window(r, "blackman", Windows::blackman);
        window(r, "nuttall", Windows::nuttall);
        window(r, "bartlett", Windows::bartlett);
        window(r, "cosine", Windows::cosine);
        window(r, "exponential", "tau", 1, Windows::exponential);
        window(r, "gaussian", "std", 1, Windows::gaussian);
        window(r, "kaiser", "beta", 12, Windows::kaiser);
        window(r, "general_hamming", "alpha", 0.54, Windows::generalHamming);
        r.add(
                "signal.windows.general_cosine",
                a -> Windows.generalCosine(
                        a.axis(0, "M"), a.numbers(-1, "a"), a.flag(-1, "sym", true), a.dtype(DType.F32)));
        r.add(
                List.of("trapezoid", "trapz"),
                a -> a.given(1, "x")
                        ? a.x().trapezoid(a.tensor(1, "x"), a.axis(-1, "dim", -1))
                        : a.x().trapezoid(a.number(-1, "dx", 1), a.axis(-1, "dim", -1)));
        r.add(
                "cumulative_trapezoid",
                a -> a.given(1, "x")
                        ? a.x().cumulativeTrapezoid(a.tensor(1, "x"), a.axis(-1, "dim", -1))
                        : a.x().cumulativeTrapezoid(a.number(-1, "dx", 1), a.axis(-1, "dim", -1)));
        r.add("gradient", SignalOps::gradient);
    }

    private static List<Tensor> gradient(Args a) {
        int[] axes = a.axes(-1, "dim");
        if (!a.given(-1, "dim")) {
            axes = new int[a.x().rank()];
            for (int i = 0; i < axes.length; i++) axes[i] = i;
        }
        Object spacing = a.value(-1, "spacing");
        List<Tensor> places = new ArrayList<>();
        if (spacing instanceof List<?> list) for (Object o : list) places.add(Args.asTensor(o, "spacing"));
        while (places.size() < axes.length)
            places.add(
                    spacing instanceof List<?> || spacing == null
                            ? Tensor.scalar(1.0)
                            : Args.asTensor(spacing, "spacing"));
        return a.x().gradient(places, axes, a.axis(-1, "edge_order", 1));
    }
}
