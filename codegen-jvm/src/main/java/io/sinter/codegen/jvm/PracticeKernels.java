// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stencil;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Kernels that no program has: of every kind, and with every form of loop IR. Whoever reads and links a plan of them has loaded what reads and links programs' plans. What they mean is of no
 * importance, and no class is generated for them.
 *
 * <p>All of them have their buffers, a number by value and the numbers of their launch in the same slots.
 */
public final class PracticeKernels {
    /** Slots of operands in f32. */
    public static final List<Integer> OPERANDS = List.of(1, 2, 3, 4);

    /** Slot of an operand in i64. */
    public static final int PLACES = 5;

    /** Slot of the result, in f32. */
    public static final int RESULT = 6;

    /** Slot of a number in f32, by value. */
    public static final int SCALAR = 7;

    /** The first slot of a launch's numbers, which are the rest. */
    public static final int NUMBERS = 8;

    static final int LEFT = OPERANDS.get(0);
    private static final int RIGHT = OPERANDS.get(1);

    /** Extents and strides of loop kernels. */
    private static final int LOOP_NUMBERS = 8;

    private static final long BYTES = Float.BYTES;

    /** As addresses stand in blocks when launches are planned: only their alignment is known. */
    private static final long ADDRESS = 64;

    private static final List<Buf> BUFFERS = List.of(
            in(1),
            in(2),
            in(3),
            in(4),
            new Buf(PLACES, DType.I64, Buf.Kind.IN),
            new Buf(RESULT, DType.F32, Buf.Kind.OUT));

    private static final Expr.Const ZERO = Expr.Const.of(DType.F32, 0);

    private PracticeKernels() {}

    /**
     * A kernel and its launches.
     *
     * @param code null for kernels of loops: any will do
     * @param launches of each, its numbers, from slot {@link #NUMBERS} on
     */
    public record Practice(Kernel kernel, JvmKernel code, List<long[]> launches) {}

    /** So many kernels of loops. */
    public static List<Practice> loops(int count) {
        List<Practice> all = new ArrayList<>();
        for (int i = 0; i < count; i++) all.add(new Practice(loop("loop" + i, i), null, List.of(extents(i))));
        return all;
    }

    /** Products, convolutions and attention. */
    public static List<Practice> templates() {
        int bits = Options.preferred().vectorBits();
        return List.of(
                product(bits),
                convolution("convolution", false, bits),
                convolution("weight_grad", true, bits),
                attention(AttentionKernel.Pass.FORWARD, bits),
                attention(AttentionKernel.Pass.BACKWARD, bits));
    }

    private static long[] extents(int number) {
        return LongStream.range(0, LOOP_NUMBERS).map(i -> 16 * (i + 1) + number).toArray();
    }

    private static Buf in(int slot) {
        return new Buf(slot, DType.F32, Buf.Kind.IN);
    }

    private static Coef number(int i) {
        return new Coef.Slot(NUMBERS + i);
    }

    private static Index.Term times(Coef coef, Var v) {
        return new Index.Term(coef, new Index.VarAtom(v));
    }

    private static Index at(Index.Term... terms) {
        return new Index(List.of(terms), Coef.of(0));
    }

    /** A load that steps through memory with a stride for each variable, from {@code first} of the launch's numbers on. */
    private static Expr.Load load(int slot, int first, Var... vars) {
        List<Index.Term> terms = new ArrayList<>();
        for (int i = 0; i < vars.length; i++) terms.add(times(number(first + i), vars[i]));
        return new Expr.Load(in(slot), new Index(terms, Coef.of(0)));
    }

    /**
     * Rows that are reduced and gone over again, with all forms of expressions, statements and indices.
     *
     * @param number makes kernels differ
     */
    private static Kernel loop(String name, int number) {
        Var row = new Var("row", number(0));
        Var i = new Var("i", number(1));
        Var j = new Var("j", Coef.of(64));
        Buf scratch = new Buf(NUMBERS + 7, DType.F32, Buf.Kind.SCRATCH);
        Buf result = BUFFERS.getLast();
        Local sum = new Local("sum", DType.F32);
        Local mean = new Local("mean", DType.F32);
        Expr.Load x = load(1, 2, row, i);
        Expr.Load places = new Expr.Load(BUFFERS.get(PLACES - 1), at(times(Coef.of(1), row)));
        Expr place = new Expr.Checked(places, number(4), true, Coef.of(0));
        Index found = at(new Index.Term(number(3), new Index.DataAtom(place, number(4))), times(Coef.of(1), i));
        Index turned = at(
                new Index.Term(Coef.of(4), new Index.DivAtom(at(times(Coef.of(1), i)), Coef.of(4))),
                new Index.Term(number(5), new Index.ModAtom(at(times(Coef.of(1), i)), Coef.of(4))));
        Expr inside = Expr.bin(
                Prim2.LT,
                new Expr.IndexValue(DType.I64, at(times(Coef.of(1), i))),
                new Expr.Convert(DType.I64, new Expr.Arg(DType.I32, NUMBERS + 6)));
        Expr masked = new Expr.Load(in(2), found, inside, ZERO);
        Expr fused = new Expr.Fma(x, new Expr.Arg(DType.F32, SCALAR), Expr.un(Prim1.EXP, masked));
        Expr chosen = new Expr.Select(inside, fused, Expr.Const.of(DType.F32, number));
        Expr rounded = new Expr.Narrow(DType.BF16, Expr.bin(Prim2.SUB, x, new Expr.Ref(mean)));
        Expr bits = new Expr.Bits(DType.F32, new Expr.Bits(DType.I32, rounded));
        List<Stmt> body = List.of(
                new Stmt.Declare(sum, ZERO),
                new Stmt.Loop(
                        i,
                        Stmt.Loop.Kind.VECTOR,
                        List.of(
                                new Stmt.Accumulate(sum, Stmt.Combine.SUM, chosen),
                                new Stmt.Store(scratch, turned, chosen))),
                new Stmt.Set(sum, Expr.un(Prim1.SQRT, new Expr.Ref(sum))),
                new Stmt.Let(mean, Expr.bin(Prim2.MUL, new Expr.Ref(sum), Expr.Const.of(DType.F32, 1.0 / 64))),
                new Stmt.If(
                        Expr.bin(Prim2.GT, new Expr.Ref(mean), ZERO),
                        List.of(new Stmt.Loop(
                                j,
                                at(times(Coef.of(1), row)),
                                Stmt.Loop.Kind.SEQ,
                                List.of(new Stmt.Store(
                                        result, at(times(number(2), row), times(Coef.of(1), j)), bits, inside))))));
        List<Buf> buffers = new ArrayList<>(BUFFERS);
        buffers.add(scratch);
        return new LoopKernel(name, List.of(row), buffers, NUMBERS + LOOP_NUMBERS, 4096, body);
    }

    private static Stmt store(Local result, int first, Var... vars) {
        Index at = load(RESULT, first, vars).index();
        return new Stmt.Store(BUFFERS.getLast(), at, new Expr.Ref(result));
    }

    private static Practice product(int bits) {
        Var m = new Var("m", number(4));
        Var n = new Var("n", number(5));
        Var k = new Var("k", number(6));
        Local result = new Local("c", DType.F32);
        List<long[]> launches = List.of(product(256, 768, 256), product(2048, 256, 1024), product(4, 512, 512));
        int count = launches.getFirst().length;
        Kernel kernel = new GemmKernel(
                "product",
                List.of(),
                List.of(m),
                List.of(n),
                List.of(k),
                load(LEFT, 9, m, k),
                load(RIGHT, 13, n, k),
                DType.F32,
                result,
                List.of(store(result, 17, m, n)),
                BUFFERS,
                NUMBERS + count);
        return new Practice(kernel, new PracticeCode.Product("product", bits, count, -1), launches);
    }

    private static long[] product(long m, long n, long k) {
        Numbers numbers = new Numbers().add(0, 1, 1, 1).add(m, n, k);
        numbers.view(k * BYTES, BYTES).view(k * BYTES, BYTES).view(n * BYTES, BYTES);
        return numbers.toArray();
    }

    /** @param gradient whether of a weight */
    private static Practice convolution(String name, boolean gradient, int bits) {
        Var o = new Var("o", number(4));
        int first = gradient ? 8 : 5;
        List<Var> inputs = vars(first, "image", "y", "x");
        List<Var> weights = vars(13 - first, "c", "ky", "kx");
        Var py = new Var("py", number(33));
        Var px = new Var("px", number(39));
        Local result = new Local("conv", DType.F32);
        List<Var> n = gradient ? weights : inputs;
        List<Var> k = gradient ? inputs : weights;
        Expr.Load staged = load(RIGHT, 51, k.getFirst(), n.getFirst(), py, px);
        Expr inside = Expr.bin(
                Prim2.LT,
                new Expr.IndexValue(DType.I64, at(times(Coef.of(1), py))),
                new Expr.IndexValue(DType.I64, new Index(List.of(), number(38))));
        Expr.Load padded = new Expr.Load(staged.buffer(), staged.index(), inside, ZERO);
        Expr.Load left = load(LEFT, 13, o, k.get(0), k.get(1), k.get(2));
        Index low = new Index(List.of(), Coef.of(-1));
        List<Stencil.Dim> dims = new ArrayList<>();
        for (Var p : List.of(py, px)) {
            int at = p == py ? 33 : 39;
            Index taps = new Index(List.of(), Coef.of(3));
            dims.add(new Stencil.Dim(p, number(at + 1), Coef.of(1), false, number(at + 4), low, number(at + 5), taps));
        }
        // Those of many channels go by Winograd's algorithm, whose transforms are generated unless a cache keeps them.
        int channels = bits == 0 || WinogradMatrix.areMade(bits) ? 64 : 8;
        List<long[]> launches = List.of(
                convolution(gradient, channels, 32, 3, 1),
                convolution(gradient, 2 * channels, 16, 3, 1),
                convolution(gradient, channels, 16, 3, 2),
                convolution(gradient, 3, 16, 7, 2),
                convolution(gradient, channels, 16, 1, 2));
        int count = launches.getFirst().length;
        Kernel kernel = new GemmKernel(
                name,
                List.of(),
                List.of(o),
                n,
                k,
                left,
                load(RIGHT, 45, k.get(0), k.get(1), k.get(2), n.get(0), n.get(1), n.get(2)),
                DType.F32,
                result,
                List.of(store(result, 27, o, n.get(0), n.get(1), n.get(2))),
                new Stencil(padded, true, left, gradient, dims),
                BUFFERS,
                NUMBERS + count);
        return new Practice(kernel, new PracticeCode.Product(name, bits, count, 31), launches);
    }

    private static List<Var> vars(int first, String... names) {
        List<Var> vars = new ArrayList<>();
        for (String name : names) vars.add(new Var(name, number(first + vars.size())));
        return vars;
    }

    private static long[] with(long stride, long[] strides) {
        return LongStream.concat(LongStream.of(stride), LongStream.of(strides)).toArray();
    }

    /** Of eight images of so many channels, with as many output channels, pixels and taps along both axes. */
    private static long[] convolution(boolean gradient, long channels, long pixels, long taps, long step) {
        long images = 8;
        long rows = pixels * step;
        long plane = rows * rows * BYTES;
        long area = pixels * pixels * BYTES;
        long kernel = taps * taps * BYTES;
        long[] ofImage = {channels * area, pixels * BYTES, BYTES};
        long[] ofWeight = {kernel, taps * BYTES, BYTES};
        Numbers numbers = new Numbers().add(0, 1, 3, 3).add(channels);
        if (gradient) {
            numbers.add(channels, taps, taps).add(images, pixels, pixels);
            numbers.view(with(area, ofImage)).none(6).view(with(channels * kernel, ofWeight));
        } else {
            numbers.add(images, pixels, pixels).add(channels, taps, taps);
            numbers.view(with(channels * kernel, ofWeight)).none(6).view(with(area, ofImage));
        }
        numbers.add(gradient ? 1 : 0, 2);
        for (int axis = 0; axis < 2; axis++) numbers.add((pixels - 1) * step + taps, step, 1, 0, taps / 2, rows);
        if (gradient) numbers.add(area).add(ofImage).add(0, 1).add(channels * plane, plane);
        else numbers.add(channels * kernel).add(ofWeight).add(1, 1).add(plane, channels * plane);
        return numbers.add(rows * BYTES, BYTES).toArray();
    }

    private static Practice attention(AttentionKernel.Pass pass, int bits) {
        boolean backward = pass == AttentionKernel.Pass.BACKWARD;
        String name = backward ? "attention_grad" : "attention";
        Var b = new Var("b", number(1));
        Var i = new Var("i", number(2));
        Var j = new Var("j", number(3));
        Var d = new Var("d", number(4));
        Var e = new Var("e", number(5));
        Expr.Load out = load(4, 23, b, i, e);
        List<AttentionKernel.Target> targets = new ArrayList<>();
        for (Var v : backward ? List.of(i, j, j) : List.of(i, i))
            targets.add(new AttentionKernel.Target(
                    BUFFERS.getLast(), load(RESULT, 8, b, v, d).index()));
        List<long[]> launches = List.of(attention(64, 128, 32), attention(8, 1024, 64));
        int count = launches.getFirst().length;
        Kernel kernel = new AttentionKernel(
                name,
                pass,
                List.of(b),
                i,
                j,
                d,
                e,
                load(1, 8, b, i, d),
                load(2, 13, b, j, d),
                load(3, 18, b, j, e),
                null,
                true,
                new Expr.Arg(DType.F32, SCALAR),
                backward ? List.of(out, out, load(4, 8, b, i)) : List.of(),
                targets,
                DType.F32,
                BUFFERS,
                NUMBERS + count);
        return new Practice(kernel, new PracticeCode.Attention(name, bits, count, backward), launches);
    }

    private static long[] attention(long batches, long length, long head) {
        Numbers numbers = new Numbers().add(1, batches, length, length, head, head);
        for (int view = 0; view < 4; view++) numbers.view(length * head * BYTES, head * BYTES, BYTES);
        return numbers.toArray();
    }

    /** Numbers as templates take them, one after the other. */
    private static final class Numbers {
        private final LongStream.Builder all = LongStream.builder();

        Numbers add(long... numbers) {
            for (long n : numbers) all.add(n);
            return this;
        }

        /** A {@link GemmView} of memory. */
        Numbers view(long... strides) {
            return add(GemmView.PLAIN, ADDRESS).add(strides);
        }

        /** One of no memory, in so many variables. */
        Numbers none(int variables) {
            return add(new long[2 + variables]);
        }

        long[] toArray() {
            return all.build().toArray();
        }
    }
}
