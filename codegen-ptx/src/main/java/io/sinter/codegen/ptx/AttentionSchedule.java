// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToLongFunction;

/**
 * The form of attention.
 *
 * @param math what multiplies: FMA, BF16, F16 or TF32
 * @param async whether operands come by asynchronous copies of 16 bytes, a panel ahead; else by their own code. FMA's do if they are f32
 * @param features those of a head, if whole heads are in shared memory at once (or a few more: 64 or 128); else 0. Of types of 16 bits that come by
 *     asynchronous copies, and without a bias
 * @param elements of a block of 64 × 64 that a thread has: of plain multiply-adds 16, or by asynchronous copies 64; of others 0
 */
record AttentionSchedule(Math math, boolean async, int features, int elements) implements Schedule {
    private static final int[] FEATURES = {64, 128};

    /** Elements of a thread, where few CTAs have to keep a device busy. */
    private static final int FEW = 16;

    /** Elements of a thread, where many CTAs do. */
    private static final int MANY = 64;

    /** So many CTAs are many: there are some for each multiprocessor. */
    private static final long CTAS = 3 * LaunchRule.MULTIPROCESSORS;

    AttentionSchedule(Math math, boolean async, int features) {
        this(math, async, features, math == Math.FMA ? FEW : 0);
    }

    AttentionSchedule(Math math, boolean async) {
        this(math, async, 0);
    }

    private AttentionSchedule withElements(int n) {
        return new AttentionSchedule(math, async, features, n);
    }

    /** The form for a launch. */
    static AttentionSchedule choose(AttentionKernel kernel, IntToLongFunction slot, MatmulPrecision precision) {
        Math math = math(kernel, precision);
        boolean async = copies(kernel, math) && isAligned(kernel, slot);
        AttentionSchedule s =
                new AttentionSchedule(math, async, async && hasWholeHeads(kernel, math) ? features(kernel, slot) : 0);
        return math == Math.FMA && async && ctas(kernel, slot) >= CTAS ? s.withElements(MANY) : s;
    }

    /** Blocks of a result: of a gradient the fewest. */
    private static long ctas(AttentionKernel kernel, IntToLongFunction slot) {
        long queries = blocks(kernel.i(), slot);
        boolean forward = kernel.pass() == AttentionKernel.Pass.FORWARD;
        long rows = forward ? queries : java.lang.Math.min(queries, blocks(kernel.j(), slot));
        return LaunchRule.extents(kernel.batch(), slot) * rows;
    }

    private static long blocks(Var v, IntToLongFunction slot) {
        return (LaunchRule.number(v.extent(), slot) + AttentionCode.SIDE - 1) / AttentionCode.SIDE;
    }

    /** A form that is right for any launch. */
    static AttentionSchedule any(AttentionKernel kernel) {
        return new AttentionSchedule(math(kernel, MatmulPrecision.HIGHEST), false);
    }

    /** The others that a launch of this form may have. */
    List<AttentionSchedule> others() {
        List<AttentionSchedule> all = new ArrayList<>();
        if (features > 0) all.add(new AttentionSchedule(math, true));
        if (math == Math.FMA && async) all.add(withElements(elements == FEW ? MANY : FEW));
        if (async) all.add(new AttentionSchedule(math, false));
        return all;
    }

    /** Rows of a CTA that has whole heads: queries, or keys. */
    int rows() {
        return features == 64 ? 128 : 64;
    }

    /** All that there are for a kernel. */
    static List<AttentionSchedule> all(AttentionKernel kernel) {
        List<AttentionSchedule> all = new ArrayList<>();
        for (MatmulPrecision p : List.of(MatmulPrecision.HIGHEST, MatmulPrecision.HIGH)) {
            Math math = math(kernel, p);
            for (boolean async : new boolean[] {false, true}) {
                AttentionSchedule s = new AttentionSchedule(math, async);
                if (all.contains(s) || async && !copies(kernel, math)) continue;
                all.add(s);
                if (math == Math.FMA && async) all.add(s.withElements(MANY));
            }
            if (!copies(kernel, math) || !hasWholeHeads(kernel, math)) continue;
            for (int features : FEATURES) {
                AttentionSchedule s = new AttentionSchedule(math, true, features);
                if (!all.contains(s)) all.add(s);
            }
        }
        return all;
    }

    /** Operands of products that are of one type of 16 bits in memory are multiplied as such. What is f32 is multiplied as f32 unless asked otherwise. */
    private static Math math(AttentionKernel kernel, MatmulPrecision precision) {
        if (kernel.acc() != DType.F32) return Math.FMA;
        DType first = element(kernel.q());
        if (first.bytes() == 2 && operands(kernel).stream().allMatch(o -> element(o.value) == first))
            return first == DType.BF16 ? Math.BF16 : Math.F16;
        return precision == MatmulPrecision.HIGHEST ? Math.FMA : Math.TF32;
    }

    /** An operand of products, and the variable of its columns. */
    private record Operand(Expr value, Var column) {}

    private static List<Operand> operands(AttentionKernel k) {
        List<Operand> all = new ArrayList<>(
                List.of(new Operand(k.q(), k.d()), new Operand(k.k(), k.d()), new Operand(k.v(), k.e())));
        if (!k.saved().isEmpty()) all.add(new Operand(k.saved().get(1), k.e()));
        return all;
    }

    private static DType element(Expr e) {
        return e instanceof Expr.Load l && l.mask() == null ? l.buffer().dtype() : e.dtype();
    }

    /** Whether all operands are memory with strides, as they stand multiplied so, and neighbours along their columns. */
    private static boolean copies(AttentionKernel kernel, Math math) {
        if (math == Math.FMA && kernel.acc() != DType.F32) return false;
        int bytes = math == Math.FMA ? kernel.acc().bytes() : math.type().bytes();
        return operands(kernel).stream().allMatch(o -> isCopied(o, bytes));
    }

    private static boolean isCopied(Operand o, int bytes) {
        if (!(o.value instanceof Expr.Load l) || l.mask() != null || l.buffer().kind() != Buf.Kind.IN) return false;
        if (l.buffer().dtype().bytes() != bytes) return false;
        boolean unit = false;
        for (Index.Term t : l.index().terms()) {
            if (!(t.atom() instanceof Index.VarAtom v)) return false;
            unit |= v.var() == o.column && t.coef().is(1);
        }
        return unit;
    }

    private static boolean hasWholeHeads(AttentionKernel kernel, Math math) {
        if (math.type() == null || math.type().bytes() != 2 || kernel.bias() != null) return false;
        return kernel.saved().isEmpty() || isCopied(result(kernel), 2);
    }

    /** The result of attention that its gradient is given. */
    private static Operand result(AttentionKernel kernel) {
        return new Operand(kernel.saved().getFirst(), kernel.e());
    }

    /** The fewest features that a launch's heads fit into; 0 if there are none, more than any form has, or results are not aligned. */
    private static int features(AttentionKernel kernel, IntToLongFunction slot) {
        long d = LaunchRule.number(kernel.d().extent(), slot);
        long e = LaunchRule.number(kernel.e().extent(), slot);
        if (d < 1 || e < 1) return 0;
        long all = 2 * e;
        if (kernel.pass() == AttentionKernel.Pass.FORWARD) {
            all |= strides(kernel.outputs().getFirst(), kernel.e(), slot);
        } else {
            all |= 2 * d | strides(result(kernel), slot);
            List<Var> columns = List.of(kernel.d(), kernel.d(), kernel.e());
            for (int i = 0; i < 3; i++) all |= strides(kernel.outputs().get(i), columns.get(i), slot);
        }
        if (all % GemmOperand.CHUNK != 0) return 0;
        for (int f : FEATURES) if (java.lang.Math.max(d, e) <= f) return f;
        return 0;
    }

    /** Whether each row of each operand begins at a multiple of 16 bytes. */
    private static boolean isAligned(AttentionKernel kernel, IntToLongFunction slot) {
        long all = 0;
        for (Operand o : operands(kernel)) all |= strides(o, slot);
        return all % GemmOperand.CHUNK == 0;
    }

    /** A number that is a multiple of a power of two if all rows begin at such. */
    private static long strides(Operand o, IntToLongFunction slot) {
        Expr.Load l = (Expr.Load) o.value;
        return strides(l.buffer(), l.index(), o.column, slot);
    }

    private static long strides(AttentionKernel.Target t, Var column, IntToLongFunction slot) {
        return strides(t.buffer(), t.index(), column, slot);
    }

    private static long strides(Buf buffer, Index index, Var column, IntToLongFunction slot) {
        long bytes = buffer.dtype().bytes();
        long all = slot.applyAsLong(buffer.slot()) | LaunchRule.number(index.offset(), slot) * bytes;
        for (Index.Term t : index.terms())
            if (((Index.VarAtom) t.atom()).var() != column) all |= LaunchRule.number(t.coef(), slot) * bytes;
        return all;
    }

    @Override
    public String text() {
        return math.name().toLowerCase(Locale.ROOT) + " by " + (async ? "async" : "code")
                + (features > 0 ? ", heads of " + features : "")
                + (elements > 0 ? ", " + elements + " a thread" : "");
    }

    /** The form in words, for listings. */
    String note() {
        String how = math == Math.FMA ? "fused multiply-adds" : "mma.sync of " + math;
        return how + "; operands by " + (async ? "asynchronous copies" : "their own code")
                + (features > 0 ? ", heads of up to " + features + " features at once" : "")
                + (elements > 0 ? ", " + elements + " elements of a block a thread" : "");
    }
}
