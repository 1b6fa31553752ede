// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.MatmulPrecision;
import io.sinter.random.Generator;
import io.sinter.runtime.Counters;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/** Switches and services: recording of gradients, running by hand, compiled functions, counters. */
public final class Sinter {
    private Sinter() {}

    /** Records no tape until closed: {@code try (var _ = noGrad()) { … }}. */
    public static Autograd.Scope noGrad() {
        return Autograd.mode(false);
    }

    /** Records again inside a {@link #noGrad} until closed. */
    public static Autograd.Scope enableGrad() {
        return Autograd.mode(true);
    }

    /**
     * Memory that comes into being until the scope is closed goes back when it is: {@code try (var scope =
     * Sinter.scope()) { … }}. Not that of tensors written in place, of gradients, of what a tape holds for a
     * later backward pass, and of tensors given to {@link MemoryScope#keep}. Never needed: unreachable
     * tensors are freed anyway, a little later.
     */
    public static MemoryScope scope() {
        return new MemoryScope(Trace.current());
    }

    /**
     * The key of the program that reading {@code tensors} would run now: equal keys mean equal code, whatever
     * the numbers and source lines. Runs nothing. Tensors that are in memory already count as arguments.
     */
    public static String programKey(Tensor... tensors) {
        return Trace.current()
                .work
                .key(Arrays.stream(tensors).map(Tensor::value).toList());
    }

    /** Runs this thread's pending work. Never needed for right results. */
    public static void flush() {
        Trace.current().work.flush();
    }

    /**
     * Makes a function that traces {@code f} once for each signature of its argument and then replays the
     * program without tracing: results, in-place writes, gradients and random draws are those of {@code f}.
     * {@code f} may not read values; Java code and Java numbers in it take effect only when it is traced (for
     * numbers that change, see {@link Trace#live}): side effects happen then and not again, and loops and conditions are frozen as they went. The
     * signature is shapes, dtypes, which arguments are one tensor, which require gradients, whether gradients are recorded, and the
     * training modes of the networks that were asked. With {@code -Dsinter.compile.verify=N} every N-th replay traces again, and fails if the
     * function no longer does what it did (contents of arrays that it makes on the host are not compared). A first call that makes state, such as an optimizer's, is
     * followed by a second that is traced too.
     *
     * <p>Results may be differentiated: the backward pass through {@code f} is compiled as a second program, which runs as soon as a gradient arrives (as
     * AOTAutograd's does), with what the tape would have saved, kept from the replay on. A second derivative through it is an error. Where user code would run in the
     * backward pass ({@link CustomFunction}, {@link Autograd#checkpoint}, hooks on inner tensors), or gradients leave {@code f} to something that is neither an argument nor
     * a leaf, {@code f} is traced at every call instead. A gradient of before the call that {@code f} asks a leaf for (a step that begins with the optimizer's, or one
     * that adds to a gradient) is the one that the leaf has at each call; {@code f} is traced once more for leaves that have one and had none, or the other way about.
     */
    public static UnaryOperator<Tensor> compile(UnaryOperator<Tensor> f) {
        Compiled c = new Compiled(x -> new Tensor[] {f.apply(x[0])});
        return x -> c.call(x)[0];
    }

    /** As {@link #compile(UnaryOperator)}, for two arguments. */
    public static BinaryOperator<Tensor> compile(BinaryOperator<Tensor> f) {
        Compiled c = new Compiled(x -> new Tensor[] {f.apply(x[0], x[1])});
        return (x, y) -> c.call(x, y)[0];
    }

    /** As {@link #compile(UnaryOperator)}, for any number of arguments and results. */
    public static UnaryOperator<Tensor[]> compileAll(UnaryOperator<Tensor[]> f) {
        return compileAll(f, CompileOptions.DEFAULT);
    }

    /** As {@link #compileAll(UnaryOperator)}, with options. */
    public static UnaryOperator<Tensor[]> compileAll(UnaryOperator<Tensor[]> f, CompileOptions options) {
        Compiled c = new Compiled(f, options);
        return c::call;
    }

    /**
     * Keeps compiled programs in a folder from now on, so that the next process need not compile them: as the system property {@code sinter.cache}
     * and the environment variable {@code SINTER_CACHE} do for a whole process. The folder is made for this user alone if it is not there. One
     * that belongs to another user, or that others may write to, is not used, with a warning: entries are code.
     *
     * @param folder null for {@linkplain CacheOptions#defaultFolder the default}
     */
    public static void cache(Path folder) {
        Session session = Session.current();
        session.cache(session.options().cache().withFolder(folder != null ? folder : CacheOptions.defaultFolder()));
    }

    /** Seeds the session's random numbers: the same seed gives PyTorch's numbers. */
    public static void manualSeed(long seed) {
        generator().manualSeed(seed);
    }

    /** The session's source of random numbers. */
    public static Generator generator() {
        return Session.current().attached(Generator.class, _ -> new Generator());
    }

    /**
     * Says how exactly products of f32 matrices, and convolutions, multiply on devices that can do it faster, as PyTorch's {@code
     * torch.set_float32_matmul_precision} does: {@code "highest"} (f32, the default), {@code "high"} or {@code "tf32"} (operands are rounded to 11 bits,
     * sums are f32), {@code "medium"} (as high). Of the session, for programs that run from now on.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static void setMatmulPrecision(String precision) {
        Session.current().setMatmulPrecision(MatmulPrecision.parse(precision));
    }

    /** What {@link #setMatmulPrecision} said last: {@code "highest"}, {@code "high"} or {@code "medium"}. */
    public static String matmulPrecision() {
        return Session.current().matmulPrecision().name().toLowerCase(Locale.ROOT);
    }

    /**
     * Says whether every run of a program is to give the same bits, as PyTorch's {@code torch.use_deterministic_algorithms} does; but here that is so
     * unless you say otherwise. {@code false} lets GPUs add to one element in whatever order threads come (gradients of {@code gather},
     * {@code indexSelect} and embeddings, {@code scatterAdd}, {@code indexAdd}), which is faster where many elements meet few places; sums of integers are
     * exact in any order. Nothing else changes, and nothing on the JVM. Of the session, for programs that run from now on.
     */
    public static void useDeterministicAlgorithms(boolean on) {
        Session.current().setDeterministic(on);
    }

    /** What {@link #useDeterministicAlgorithms} said last; {@code true} at first. */
    public static boolean areDeterministicAlgorithmsEnabled() {
        return Session.current().isDeterministic();
    }

    /**
     * Makes a program fail that makes a NaN or an infinity, with a {@link io.sinter.runtime.NonFiniteException} that names the line, operator and
     * element where it came into being, in a backward pass too ({@code torch.autograd.set_detect_anomaly}; {@code -Dsinter.nan=trap}). Of the
     * session, for programs that run from now on. What is thrown away before it reaches a result does not count, and neither do infinities that
     * are given as data or as constants, such as an attention mask's.
     */
    public static void setDetectAnomaly(boolean on) {
        Session session = Session.current();
        session.check(session.checks().withNan(on));
    }

    /** As {@link #setDetectAnomaly}, until the scope is closed: {@code try (var _ = Sinter.detectAnomaly()) { … }}. What is pending then runs first. */
    public static Autograd.Scope detectAnomaly() {
        Session session = Session.current();
        boolean before = session.checks().nan();
        session.check(session.checks().withNan(true));
        return () -> {
            try {
                flush();
            } finally {
                session.check(session.checks().withNan(before));
            }
        };
    }

    /** What the current session has done so far: programs compiled and run, kernels. */
    public static Counters counters() {
        return Session.current().counters();
    }
}
