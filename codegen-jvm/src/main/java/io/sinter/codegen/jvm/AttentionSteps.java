// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What attention does between its matrix products, as loop kernels on dense panels: rows of {@code panel}
 * elements, one lane a query (forward) or a key (backward). Nothing here depends on the attention
 * kernel at hand: all share the few kernels of a process.
 */
final class AttentionSteps {
    // Slots of the steps' parameter block. Slot 0 is every kernel's error record, which no step
    // needs.
    static final int ROWS = 1;
    static final int LANES = 2;

    /**
     * Distance of the diagonal: with causality lane x of row r is seen if {@code x ≥ r + DIAGONAL}, or
     * {@code x ≤ r + DIAGONAL}.
     */
    static final int DIAGONAL = 3;

    static final int FIRST_BUFFER = 4;
    static final int SLOTS = 12;

    private record Key(String step, DType type, int bits, int panel, boolean bias, boolean causal) {}

    private static final ConcurrentHashMap<Key, JvmKernel> KERNELS = new ConcurrentHashMap<>();

    private final DType type;
    private final int bits;
    private final int panel;

    AttentionSteps(DType type, int bits, int panel) {
        this.type = type;
        this.bits = bits;
        this.panel = panel;
    }

    /**
     * Adds the bias to the scores, hides future keys, and takes the running maximum. Buffers: scores,
     * bias, maximum (in and out), shift (what to subtract: the maximum, or 0 if all is hidden), decay
     * (factor of what was summed before). Rows are keys.
     */
    JvmKernel maximum(boolean bias, boolean causal) {
        return kernel("maximum", bias, causal);
    }

    /** Scores become weights. Buffers: scores (out: weights), shift, decay, sum (in and out). */
    JvmKernel weights() {
        return kernel("weights", false, false);
    }

    /** {@code a = a · decay + b}. Buffers: a, b, decay. */
    JvmKernel accumulate() {
        return kernel("accumulate", false, false);
    }

    /** Divides by the sum and gives the log-sum-exp. Buffers: result (in and out), shift, sum, lse. */
    JvmKernel finish() {
        return kernel("finish", false, false);
    }

    /** {@code Σ_r a·b} for each lane. Buffers: a, b, sum. */
    JvmKernel dots() {
        return kernel("dots", false, false);
    }

    /**
     * Scores become weights, and gradients of weights become gradients of scores. Buffers: scores (out:
     * weights), gradients, bias, lse, delta, of which the last two have an element for each row. Rows are
     * queries.
     */
    JvmKernel gradient(boolean bias, boolean causal) {
        return kernel("gradient", bias, causal);
    }

    private JvmKernel kernel(String step, boolean bias, boolean causal) {
        Key key = new Key(step, type, bits, panel, bias, causal);
        JvmKernel known = KERNELS.get(key);
        return known != null
                ? known
                : KERNELS.computeIfAbsent(key, k -> JvmCodegen.compile(new Builder(k).build(), new Options(k.bits)));
    }

    /** Builds one step's loop kernel. */
    private static final class Builder {
        private final Key key;
        private final Var lane = new Var("x", new Coef.Slot(LANES));
        private final Var row = new Var("r", new Coef.Slot(ROWS));
        private final List<Buf> buffers = new ArrayList<>();
        private final List<Stmt> before = new ArrayList<>();
        private final List<Stmt> body = new ArrayList<>();
        private final List<Stmt> after = new ArrayList<>();

        Builder(Key key) {
            this.key = key;
        }

        LoopKernel build() {
            switch (key.step) {
                case "maximum" -> maximum();
                case "weights" -> weights();
                case "accumulate" -> accumulate();
                case "finish" -> finish();
                case "dots" -> dots();
                case "gradient" -> gradient();
                default -> throw new AssertionError(key);
            }
            List<Stmt> lanes = new ArrayList<>(before);
            lanes.add(new Stmt.Loop(row, Stmt.Loop.Kind.SEQ, body));
            lanes.addAll(after);
            Stmt loop = new Stmt.Loop(lane, Stmt.Loop.Kind.VECTOR, lanes);
            return new LoopKernel("attention_" + key.step, List.of(), buffers, SLOTS, 0, List.of(loop));
        }

        private void maximum() {
            Buf scores = buffer(Buf.Kind.OUT);
            Buf bias = buffer(Buf.Kind.IN);
            Buf maximum = buffer(Buf.Kind.OUT);
            Buf shift = buffer(Buf.Kind.OUT);
            Buf decay = buffer(Buf.Kind.OUT);
            Expr old = let(before, "old", load(maximum, byLane()));
            Local max = new Local("max", key.type);
            before.add(new Stmt.Declare(max, old));
            Expr s = let(body, "s", score(scores, bias, true));
            if (key.bias || key.causal) body.add(new Stmt.Store(scores, inPanel(), s));
            body.add(new Stmt.Accumulate(max, Stmt.Combine.MAX, s));
            Expr top = let(after, "top", new Expr.Ref(max));
            Expr hidden = Expr.bin(Prim2.EQ, top, constant(Double.NEGATIVE_INFINITY));
            Expr by = let(after, "by", new Expr.Select(hidden, constant(0), top));
            after.add(new Stmt.Store(maximum, byLane(), top));
            after.add(new Stmt.Store(shift, byLane(), by));
            after.add(new Stmt.Store(decay, byLane(), Expr.un(Prim1.EXP, Expr.bin(Prim2.SUB, old, by))));
        }

        private void weights() {
            Buf scores = buffer(Buf.Kind.OUT);
            Buf shift = buffer(Buf.Kind.IN);
            Buf decay = buffer(Buf.Kind.IN);
            Buf sum = buffer(Buf.Kind.OUT);
            Expr by = let(before, "by", load(shift, byLane()));
            Local total = new Local("total", key.type);
            before.add(new Stmt.Declare(total, constant(0)));
            Expr p = let(body, "p", Expr.un(Prim1.EXP, Expr.bin(Prim2.SUB, load(scores, inPanel()), by)));
            body.add(new Stmt.Store(scores, inPanel(), p));
            body.add(new Stmt.Accumulate(total, Stmt.Combine.SUM, p));
            after.add(new Stmt.Store(
                    sum, byLane(), new Expr.Fma(load(sum, byLane()), load(decay, byLane()), new Expr.Ref(total))));
        }

        private void accumulate() {
            Buf a = buffer(Buf.Kind.OUT);
            Buf b = buffer(Buf.Kind.IN);
            Buf decay = buffer(Buf.Kind.IN);
            Expr factor = let(before, "factor", load(decay, byLane()));
            body.add(new Stmt.Store(a, inPanel(), new Expr.Fma(load(a, inPanel()), factor, load(b, inPanel()))));
        }

        private void finish() {
            Buf result = buffer(Buf.Kind.OUT);
            Buf shift = buffer(Buf.Kind.IN);
            Buf sum = buffer(Buf.Kind.IN);
            Buf lse = buffer(Buf.Kind.OUT);
            Expr total = let(before, "total", load(sum, byLane()));
            Expr hidden = let(before, "hidden", Expr.bin(Prim2.EQ, total, constant(0)));
            Expr divisor = let(before, "divisor", new Expr.Select(hidden, constant(1), total));
            body.add(new Stmt.Store(result, inPanel(), Expr.bin(Prim2.DIV, load(result, inPanel()), divisor)));
            Expr log = Expr.bin(Prim2.ADD, load(shift, byLane()), Expr.un(Prim1.LOG, divisor));
            after.add(new Stmt.Store(lse, byLane(), new Expr.Select(hidden, constant(Double.NEGATIVE_INFINITY), log)));
        }

        private void dots() {
            Buf a = buffer(Buf.Kind.IN);
            Buf b = buffer(Buf.Kind.IN);
            Buf sum = buffer(Buf.Kind.OUT);
            Local total = new Local("total", key.type);
            before.add(new Stmt.Declare(total, constant(0)));
            body.add(new Stmt.Accumulate(
                    total, Stmt.Combine.SUM, Expr.bin(Prim2.MUL, load(a, inPanel()), load(b, inPanel()))));
            after.add(new Stmt.Store(sum, byLane(), new Expr.Ref(total)));
        }

        private void gradient() {
            Buf scores = buffer(Buf.Kind.OUT);
            Buf gradients = buffer(Buf.Kind.OUT);
            Buf bias = buffer(Buf.Kind.IN);
            Buf lse = buffer(Buf.Kind.IN);
            Buf delta = buffer(Buf.Kind.IN);
            Index at = index(Coef.of(0), Coef.of(1));
            Expr s = let(body, "s", score(scores, bias, false));
            Expr p = let(body, "p", Expr.un(Prim1.EXP, Expr.bin(Prim2.SUB, s, load(lse, at))));
            body.add(new Stmt.Store(scores, inPanel(), p));
            Expr difference = Expr.bin(Prim2.SUB, load(gradients, inPanel()), load(delta, at));
            body.add(new Stmt.Store(gradients, inPanel(), Expr.bin(Prim2.MUL, p, difference)));
        }

        /** A score with bias, minus infinity if it is hidden. */
        private Expr score(Buf scores, Buf bias, boolean lanesAreQueries) {
            Expr s = load(scores, inPanel());
            if (key.bias) s = Expr.bin(Prim2.ADD, s, load(bias, inPanel()));
            if (!key.causal) return s;
            Expr x = new Expr.IndexValue(DType.I64, byLane());
            Expr r = new Expr.IndexValue(
                    DType.I64,
                    new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(row))), new Coef.Slot(DIAGONAL)));
            Expr seen = Expr.bin(lanesAreQueries ? Prim2.GE : Prim2.LE, x, r);
            return new Expr.Select(seen, s, constant(Double.NEGATIVE_INFINITY));
        }

        private Buf buffer(Buf.Kind kind) {
            Buf b = new Buf(FIRST_BUFFER + buffers.size(), key.type, kind);
            buffers.add(b);
            return b;
        }

        private Index byLane() {
            return index(Coef.of(1), Coef.of(0));
        }

        private Index inPanel() {
            return index(Coef.of(1), Coef.of(key.panel));
        }

        private Index index(Coef lanes, Coef rows) {
            List<Index.Term> terms = new ArrayList<>();
            if (!lanes.is(0)) terms.add(new Index.Term(lanes, new Index.VarAtom(lane)));
            if (!rows.is(0)) terms.add(new Index.Term(rows, new Index.VarAtom(row)));
            return new Index(terms, Coef.of(0));
        }

        private Expr load(Buf b, Index i) {
            return new Expr.Load(b, i);
        }

        private Expr constant(double v) {
            return Expr.Const.of(key.type, v);
        }

        private static Expr let(List<Stmt> to, String name, Expr value) {
            Local l = new Local(name, value.dtype());
            to.add(new Stmt.Let(l, value));
            return new Expr.Ref(l);
        }
    }
}
