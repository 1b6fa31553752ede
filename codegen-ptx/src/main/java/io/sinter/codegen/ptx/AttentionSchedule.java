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
 */
record AttentionSchedule(Math math, boolean async, int features) implements Schedule {
    private static final int[] FEATURES = {64, 128};

    AttentionSchedule(Math math, boolean async) {
        this(math, async, 0);
    }

    /** The form for a launch. */
    static AttentionSchedule choose(AttentionKernel kernel, IntToLongFunction slot, MatmulPrecision precision) {
        Math math = math(kernel, precision);
        boolean async = copies(kernel, math) && isAligned(kernel, slot);
        return new AttentionSchedule(math, async, async && hasWholeHeads(kernel, math) ? features(kernel, slot) : 0);
    }

    /** A form that is right for any launch. */
    static AttentionSchedule any(AttentionKernel kernel) {
        return new AttentionSchedule(math(kernel, MatmulPrecision.HIGHEST), false);
    }

    /** The others that a launch of this form may have. */
    List<AttentionSchedule> others() {
        List<AttentionSchedule> all = new ArrayList<>();
        if (features > 0) all.add(new AttentionSchedule(math, true));
        if (async) all.add(new AttentionSchedule(math, false));
        return all;
    }

    /** Queries of a CTA that has whole heads. */
    int queries() {
        return features == 64 ? 128 : 64;
    }

    /** All that there are for a kernel. */
    static List<AttentionSchedule> all(AttentionKernel kernel) {
        List<AttentionSchedule> all = new ArrayList<>();
        for (MatmulPrecision p : List.of(MatmulPrecision.HIGHEST, MatmulPrecision.HIGH)) {
            Math math = math(kernel, p);
            for (boolean async : new boolean[] {false, true}) {
                AttentionSchedule s = new AttentionSchedule(math, async);
                if (!all.contains(s) && (!async || copies(kernel, math))) all.add(s);
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
        for (Operand o : operands(kernel)) {
            if (!(o.value instanceof Expr.Load l)
                    || l.mask() != null
                    || l.buffer().kind() != Buf.Kind.IN) return false;
            if (l.buffer().dtype().bytes() != bytes) return false;
            boolean unit = false;
            for (Index.Term t : l.index().terms()) {
                if (!(t.atom() instanceof Index.VarAtom v)) return false;
                unit |= v.var() == o.column && t.coef().is(1);
            }
            if (!unit) return false;
        }
        return true;
    }

    private static boolean hasWholeHeads(AttentionKernel kernel, Math math) {
        return math.type() != null
                && math.type().bytes() == 2
                && kernel.bias() == null
                && kernel.pass() == AttentionKernel.Pass.FORWARD;
    }

    /** The fewest features that a launch's heads fit into; 0 if there are more than any form has, or results are not aligned. */
    private static int features(AttentionKernel kernel, IntToLongFunction slot) {
        AttentionKernel.Target out = kernel.outputs().getFirst();
        long all = LaunchRule.number(out.index().offset(), slot) * 2
                + slot.applyAsLong(out.buffer().slot());
        for (Index.Term t : out.index().terms())
            if (!(t.atom() instanceof Index.VarAtom v && v.var() == kernel.e()))
                all |= LaunchRule.number(t.coef(), slot) * 2;
        long values = LaunchRule.number(kernel.e().extent(), slot);
        if ((all | values * 2) % GemmOperand.CHUNK != 0) return 0;
        long most = java.lang.Math.max(LaunchRule.number(kernel.d().extent(), slot), values);
        for (int f : FEATURES) if (most <= f) return f;
        return 0;
    }

    /** Whether each row of each operand begins at a multiple of 16 bytes. */
    private static boolean isAligned(AttentionKernel kernel, IntToLongFunction slot) {
        long all = 0;
        for (Operand o : operands(kernel)) {
            Expr.Load l = (Expr.Load) o.value;
            long bytes = l.buffer().dtype().bytes();
            all |= slot.applyAsLong(l.buffer().slot())
                    | LaunchRule.number(l.index().offset(), slot) * bytes;
            for (Index.Term t : l.index().terms())
                if (((Index.VarAtom) t.atom()).var() != o.column) all |= LaunchRule.number(t.coef(), slot) * bytes;
        }
        return all % GemmOperand.CHUNK == 0;
    }

    @Override
    public String text() {
        return math.name().toLowerCase(Locale.ROOT) + " by " + (async ? "async" : "code")
                + (features > 0 ? ", heads of " + features : "");
    }

    /** The form in words, for listings. */
    String note() {
        String how = math == Math.FMA ? "fused multiply-adds" : "mma.sync of " + math;
        return how + "; operands by " + (async ? "asynchronous copies" : "their own code")
                + (features > 0 ? ", heads of up to " + features + " features at once" : "");
    }
}
