// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A random loop kernel whose result is exact (no transcendental functions, no floating-point sums): a grid, a
 * vector loop with an inner loop at times, expressions over all types with masks, strides and data-dependent
 * indices, accumulators. For tests of code generators.
 */
public final class RandomKernel {
    private static final DType[] REGISTERS = {DType.F32, DType.F64, DType.I32, DType.I64, DType.BOOL};
    private static final int[] LENGTHS = {
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 1023, 1024, 1025, 2100
    };

    private final Random r;
    private final int n;
    private final int rows;
    private final Var g;
    private final Var v;
    private final Var k;
    private final List<Buf> buffers = new ArrayList<>();
    private final List<Long> slots = new ArrayList<>(List.of(0L));
    private final List<byte[]> contents = new ArrayList<>();
    private final List<Expr> pool = new ArrayList<>();
    private final boolean failures;
    private boolean inVector;
    private boolean inInner;

    /** @param failures whether data-dependent indices may be out of range */
    public RandomKernel(long seed, boolean failures) {
        r = new Random(seed);
        this.failures = failures;
        n = LENGTHS[r.nextInt(LENGTHS.length)];
        rows = n > 200 ? 1 + r.nextInt(2) : r.nextInt(4);
        g = new Var("g", coef(rows));
        v = new Var("v", coef(n));
        k = new Var("k", coef(r.nextInt(4)));
    }

    private Coef coef(long x) {
        if (x == 0 || x == 1 || r.nextBoolean()) return Coef.of(x);
        slots.add(x);
        return new Coef.Slot(slots.size() - 1);
    }

    private Buf buffer(DType t, Buf.Kind kind, int elements) {
        slots.add(0L);
        Buf b = new Buf(slots.size() - 1, t, kind);
        buffers.add(b);
        contents.add(fill(t, elements));
        return b;
    }

    private byte[] fill(DType t, int elements) {
        ByteBuffer m = ByteBuffer.allocate(elements * t.bytes()).order(ByteOrder.nativeOrder());
        for (int i = 0; i < elements; i++) {
            int at = i * t.bytes();
            switch (t) {
                case F64 -> m.putDouble(at, number());
                case F32 -> m.putFloat(at, (float) number());
                // By way of f32, so that NaNs are quiet: which bits a signalling one becomes is nobody's promise.
                case F16 ->
                    m.putShort(
                            at,
                            Float.floatToFloat16(
                                    r.nextInt(4) == 0 ? Float.float16ToFloat((short) r.nextInt()) : (float) number()));
                case BF16 -> m.putShort(at, (short) (Float.floatToRawIntBits((float) number()) >>> 16));
                case I64 -> m.putLong(at, integer());
                case I32 -> m.putInt(at, (int) integer());
                case I16 -> m.putShort(at, (short) r.nextInt());
                case I8, U8 -> m.put(at, (byte) r.nextInt());
                case BOOL -> m.put(at, (byte) r.nextInt(2));
            }
        }
        return m.array();
    }

    private double number() {
        return switch (r.nextInt(16)) {
            case 0 -> Double.NaN;
            case 1 -> r.nextBoolean() ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
            case 2 -> r.nextBoolean() ? 0.0 : -0.0;
            case 3 -> r.nextInt(9) - 4 + 0.5;
            case 4 -> r.nextGaussian() * 1e30;
            case 5 -> r.nextGaussian() * 1e-40;
            case 6 -> r.nextInt(1 << 25);
            default -> r.nextGaussian() * 4;
        };
    }

    private long integer() {
        return switch (r.nextInt(6)) {
            case 0 -> r.nextLong();
            case 1 -> r.nextBoolean() ? Long.MIN_VALUE : Long.MAX_VALUE;
            case 2 -> r.nextInt(70) - 3;
            default -> r.nextInt(9) - 4;
        };
    }

    private static Index.Term term(Coef c, Var x) {
        return new Index.Term(c, new Index.VarAtom(x));
    }

    /** A random load: a fresh buffer as large as the index needs. */
    private Expr load(DType register, int depth) {
        DType memory =
                switch (register) {
                    case F32 -> pick(DType.F32, DType.F32, DType.F16, DType.BF16);
                    case I32 -> pick(DType.I32, DType.I16, DType.I8, DType.U8);
                    default -> register;
                };
        int width = Math.max(n, 1);
        int size = Math.max(rows, 1) * width;
        List<Index.Term> terms = new ArrayList<>();
        long offset = 0;
        if (rows > 1 || r.nextBoolean()) terms.add(term(coef(width), g));
        switch (inVector ? r.nextInt(9) : 8) {
            case 0, 1, 2, 3 -> {
                terms.add(term(Coef.of(1), v));
                offset = r.nextInt(3);
            }
            case 4 -> {
                long stride = 2 + r.nextInt(3);
                terms.add(term(coef(stride), v));
                size += (int) stride * width;
            }
            case 5 -> {
                terms.add(term(coef(-1), v));
                offset = width;
            }
            case 6 -> {
                Index inner = new Index(List.of(term(Coef.of(1), v)), coef(r.nextInt(3)));
                terms.add(new Index.Term(coef(1 + r.nextInt(2)), new Index.DivAtom(inner, coef(2 + r.nextInt(3)))));
                terms.add(new Index.Term(Coef.of(1), new Index.ModAtom(inner, coef(2 + r.nextInt(3)))));
                size += width + 8;
            }
            case 7 -> {
                long bound = 1 + r.nextInt(20);
                Expr raw =
                        depth > 0 ? expr(DType.I64, depth - 1) : Expr.Const.ofLong(DType.I64, r.nextInt((int) bound));
                Expr in = failures && r.nextBoolean()
                        ? raw
                        : new Expr.Bin(Prim2.REM, raw, Expr.Const.ofLong(DType.I64, bound));
                Expr checked = new Expr.Checked(in, coef(bound), true, coef(r.nextInt(100)));
                terms.add(new Index.Term(coef(1 + r.nextInt(3)), new Index.DataAtom(checked, coef(bound))));
                size += 3 * (int) bound;
            }
            default -> {}
        }
        if (inInner && r.nextBoolean()) {
            terms.add(term(coef(1 + r.nextInt(3)), k));
            size += 16;
        }
        Buf b = buffer(memory, Buf.Kind.IN, size + 8);
        Index index = new Index(terms, coef(offset));
        if (depth > 0 && r.nextInt(3) == 0)
            return new Expr.Load(b, index, expr(DType.BOOL, depth - 1), expr(register, depth - 1));
        return new Expr.Load(b, index);
    }

    private DType pick(DType... types) {
        return types[r.nextInt(types.length)];
    }

    private Expr expr(DType t, int depth) {
        if (r.nextInt(5) == 0) {
            List<Expr> same = pool.stream().filter(e -> e.dtype() == t).toList();
            if (!same.isEmpty()) return same.get(r.nextInt(same.size()));
        }
        Expr e = depth <= 0 ? leaf(t) : inner(t, depth - 1);
        pool.add(e);
        return e;
    }

    private Expr leaf(DType t) {
        switch (r.nextInt(4)) {
            case 0 -> {
                return t.isFloat()
                        ? Expr.Const.of(t, number())
                        : t.isBool() ? Expr.Const.of(t, r.nextInt(2)) : Expr.Const.ofLong(t, integer());
            }
            case 1 -> {
                long bits =
                        switch (t) {
                            case F64 -> Double.doubleToRawLongBits(number());
                            case F32 -> Float.floatToRawIntBits((float) number()) & 0xffffffffL;
                            case I32 -> (int) integer();
                            case BOOL -> r.nextInt(2);
                            default -> integer();
                        };
                slots.add(bits);
                return new Expr.Arg(t, slots.size() - 1);
            }
            default -> {
                if (t == DType.I64 || t == DType.I32) {
                    if (r.nextInt(3) == 0) {
                        Var x = inVector ? (r.nextInt(4) == 0 ? g : v) : g;
                        return new Expr.IndexValue(
                                t, new Index(List.of(term(coef(r.nextBoolean() ? 1 : 3), x)), coef(r.nextInt(4))));
                    }
                }
                return load(t, 0);
            }
        }
    }

    private Expr inner(DType t, int d) {
        if (r.nextInt(5) == 0) return load(t, d);
        if (r.nextInt(6) == 0) return new Expr.Select(expr(DType.BOOL, d), expr(t, d), expr(t, d));
        return switch (t) {
            case F32, F64 ->
                switch (r.nextInt(6)) {
                    case 0 ->
                        Expr.un(
                                new Prim1[] {
                                            Prim1.NEG,
                                            Prim1.ABS,
                                            Prim1.SQRT,
                                            Prim1.FLOOR,
                                            Prim1.CEIL,
                                            Prim1.RINT,
                                            Prim1.TRUNC
                                        }
                                        [r.nextInt(7)],
                                expr(t, d));
                    case 1 -> new Expr.Fma(expr(t, d), expr(t, d), expr(t, d));
                    case 2 -> new Expr.Convert(t, expr(REGISTERS[r.nextInt(5)], d));
                    case 3 ->
                        t == DType.F32 && r.nextBoolean()
                                ? new Expr.Narrow(pick(DType.F16, DType.BF16), expr(t, d))
                                : new Expr.Bits(t, expr(t == DType.F32 ? DType.I32 : DType.I64, d));
                    default ->
                        Expr.bin(
                                new Prim2[] {Prim2.ADD, Prim2.SUB, Prim2.MUL, Prim2.DIV, Prim2.MAX, Prim2.MIN, Prim2.REM
                                        }
                                        [r.nextInt(7)],
                                expr(t, d),
                                expr(t, d));
                };
            case I32, I64 ->
                switch (r.nextInt(7)) {
                    case 0 -> Expr.un(new Prim1[] {Prim1.NEG, Prim1.ABS, Prim1.NOT}[r.nextInt(3)], expr(t, d));
                    case 1 -> new Expr.Convert(t, expr(REGISTERS[r.nextInt(5)], d));
                    case 2 ->
                        t == DType.I32 && r.nextBoolean()
                                ? new Expr.Narrow(pick(DType.I16, DType.I8, DType.U8), expr(t, d))
                                : bits(t, expr(t == DType.I32 ? DType.F32 : DType.F64, d));
                    case 3 ->
                        Expr.bin(
                                new Prim2[] {Prim2.SHL, Prim2.SHR, Prim2.USHR}[r.nextInt(3)],
                                expr(t, d),
                                r.nextBoolean() ? Expr.Const.ofLong(t, r.nextInt(70) - 3) : expr(t, d));
                    case 4 ->
                        t == DType.I32
                                ? Expr.bin(Prim2.UMULHI, expr(t, d), expr(t, d))
                                : Expr.bin(Prim2.POW, expr(t, d), expr(t, d));
                    default ->
                        Expr.bin(
                                new Prim2[] {
                                            Prim2.ADD, Prim2.SUB, Prim2.MUL, Prim2.DIV, Prim2.REM, Prim2.MAX, Prim2.MIN,
                                            Prim2.AND, Prim2.OR, Prim2.XOR
                                        }
                                        [r.nextInt(10)],
                                expr(t, d),
                                expr(t, d));
                };
            case BOOL ->
                switch (r.nextInt(5)) {
                    case 0 -> Expr.un(Prim1.NOT, expr(t, d));
                    case 1 ->
                        Expr.bin(
                                new Prim2[] {Prim2.AND, Prim2.OR, Prim2.XOR, Prim2.MAX, Prim2.MIN}[r.nextInt(5)],
                                expr(t, d),
                                expr(t, d));
                    case 2 ->
                        r.nextBoolean()
                                ? Expr.un(Prim1.ISNAN, expr(r.nextBoolean() ? DType.F32 : DType.F64, d))
                                : new Expr.Convert(t, expr(REGISTERS[r.nextInt(5)], d));
                    default -> {
                        DType x = REGISTERS[r.nextInt(5)];
                        Prim2[] ops = {Prim2.EQ, Prim2.NE, Prim2.LT, Prim2.LE, Prim2.GT, Prim2.GE};
                        yield Expr.bin(ops[r.nextInt(6)], expr(x, d), expr(x, d));
                    }
                };
            case F16, BF16, I16, I8, U8 -> throw new AssertionError(t);
        };
    }

    /** The bits of a number: which bits an operation gives a NaN differs between machines. */
    private static Expr bits(DType t, Expr x) {
        return new Expr.Select(Expr.un(Prim1.ISNAN, x), Expr.Const.ofLong(t, 7), new Expr.Bits(t, x));
    }

    /** The kernel with its parameters and the contents of its buffers. */
    public KernelCase build() {
        List<Stmt> body = new ArrayList<>();
        List<Stmt> after = new ArrayList<>();
        List<Stmt> inVectorLoop = new ArrayList<>();
        int depth = 1 + r.nextInt(3);
        if (r.nextBoolean()) {
            Local l = new Local("uniform", REGISTERS[r.nextInt(5)]);
            body.add(new Stmt.Let(l, expr(l.dtype(), depth)));
            pool.add(new Expr.Ref(l));
        }
        inVector = true;
        List<Expr> outside = List.copyOf(pool);
        if (r.nextBoolean()) {
            Local l = new Local("each", REGISTERS[r.nextInt(5)]);
            inVectorLoop.add(new Stmt.Let(l, expr(l.dtype(), depth)));
            pool.add(new Expr.Ref(l));
        }
        for (int i = r.nextInt(3); i > 0; i--) {
            DType t = REGISTERS[r.nextInt(5)];
            Stmt.Combine op = t.isFloat() ? pickOp(2) : t.isBool() ? pickOp(2) : pickOp(4);
            Local acc = new Local("acc" + i, t);
            body.add(new Stmt.Declare(acc, identity(op, t)));
            inVectorLoop.add(new Stmt.Accumulate(acc, op, expr(t, depth)));
            Buf out = buffer(t, Buf.Kind.OUT, Math.max(rows, 1));
            after.add(new Stmt.Store(out, new Index(List.of(term(Coef.of(1), g)), Coef.of(0)), new Expr.Ref(acc)));
        }
        if (r.nextInt(3) == 0) inVectorLoop.addAll(inner(depth));
        for (int i = 1 + r.nextInt(2); i > 0; i--) inVectorLoop.add(store(depth));
        body.add(new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, inVectorLoop));
        pool.clear();
        pool.addAll(outside);
        body.addAll(after);
        LoopKernel kernel = new LoopKernel("random", List.of(g), buffers, slots.size(), 0, body);
        KernelCase h = new KernelCase(kernel);
        for (int i = 0; i < slots.size(); i++) h.slots[i] = slots.get(i);
        for (int i = 0; i < buffers.size(); i++) h.inputs.put(buffers.get(i), contents.get(i));
        return h;
    }

    /** A sequential loop inside the vector loop, with a local of its own. */
    private List<Stmt> inner(int depth) {
        DType t = pick(DType.F32, DType.I32, DType.I64);
        Local sum = new Local("sum", t);
        Stmt.Declare declare = new Stmt.Declare(sum, expr(t, 0));
        List<Expr> before = List.copyOf(pool);
        inInner = true;
        List<Stmt> body = new ArrayList<>();
        Stmt change = r.nextBoolean()
                ? new Stmt.Accumulate(sum, pickOp(4), expr(t, depth - 1))
                : new Stmt.Set(sum, Expr.bin(Prim2.SUB, expr(t, depth - 1), new Expr.Ref(sum)));
        body.add(change);
        if (r.nextBoolean())
            body.add(new Stmt.If(
                    Expr.bin(Prim2.GT, new Expr.IndexValue(DType.I64, index(k)), Expr.Const.ofLong(DType.I64, 0)),
                    List.of(change)));
        inInner = false;
        pool.clear();
        pool.addAll(before);
        pool.add(new Expr.Ref(sum));
        return List.of(declare, new Stmt.Loop(k, Stmt.Loop.Kind.SEQ, body));
    }

    private static Index index(Var x) {
        return new Index(List.of(term(Coef.of(1), x)), Coef.of(0));
    }

    /** The value that combines with x to x. */
    private static Expr identity(Stmt.Combine op, DType t) {
        boolean greatest = op == Stmt.Combine.MIN;
        return switch (op) {
            case SUM -> Expr.Const.of(t, 0);
            case PROD -> Expr.Const.of(t, 1);
            case MAX, MIN ->
                switch (t) {
                    case I64 -> Expr.Const.ofLong(t, greatest ? Long.MAX_VALUE : Long.MIN_VALUE);
                    case I32 -> Expr.Const.ofLong(t, greatest ? Integer.MAX_VALUE : Integer.MIN_VALUE);
                    case BOOL -> Expr.Const.of(t, greatest ? 1 : 0);
                    default -> Expr.Const.of(t, greatest ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY);
                };
        };
    }

    private Stmt.Combine pickOp(int among) {
        Stmt.Combine[] ops = {Stmt.Combine.MAX, Stmt.Combine.MIN, Stmt.Combine.SUM, Stmt.Combine.PROD};
        return ops[r.nextInt(among)];
    }

    private Stmt store(int depth) {
        DType t = DType.values()[r.nextInt(DType.values().length)];
        int width = Math.max(n, 1);
        long stride = r.nextInt(4) == 0 ? 2 : 1;
        Buf out = buffer(t, Buf.Kind.OUT, (int) (Math.max(rows, 1) * width * stride) + 4);
        boolean reversed = r.nextInt(4) == 0;
        Index index = new Index(
                List.of(term(coef(width * stride), g), term(coef(reversed ? -stride : stride), v)),
                coef(reversed ? (width - 1) * stride : 0));
        return new Stmt.Store(out, index, expr(t.compute(), depth), r.nextInt(3) == 0 ? expr(DType.BOOL, depth) : null);
    }
}
