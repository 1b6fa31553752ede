// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.AttentionKernel.Target;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import java.util.List;

/** The meaning of an attention kernel: whole rows of scores, in double. */
final class AttentionInterpreter {
    private final AttentionKernel k;
    private final LoopInterpreter run;
    private final int queries;
    private final int keys;
    private final int dims;
    private final int values;

    private AttentionInterpreter(AttentionKernel k, LoopInterpreter run) {
        this.k = k;
        this.run = run;
        queries = Math.toIntExact(run.coef(k.i().extent()));
        keys = Math.toIntExact(run.coef(k.j().extent()));
        dims = Math.toIntExact(run.coef(k.d().extent()));
        values = Math.toIntExact(run.coef(k.e().extent()));
    }

    static void run(AttentionKernel k, LoopInterpreter run) {
        AttentionInterpreter a = new AttentionInterpreter(k, run);
        PlanInterpreter.forEach(k.batch(), 0, run, k.pass() == AttentionKernel.Pass.FORWARD ? a::forward : a::backward);
    }

    private double get(Expr e, int i, int j, int d, int x) {
        run.set(k.i(), i);
        run.set(k.j(), j);
        run.set(k.d(), d);
        run.set(k.e(), x);
        return ExprInterpreter.decode(e.dtype(), run.eval(e));
    }

    private void put(Target t, int i, int j, int d, int x, double v) {
        DType register = t.buffer().dtype().compute();
        Local l = new Local("v", register);
        run.set(k.i(), i);
        run.set(k.j(), j);
        run.set(k.d(), d);
        run.set(k.e(), x);
        run.set(l, ExprInterpreter.encode(register, v));
        run.run(List.of(new Stmt.Store(t.buffer(), t.index(), new Expr.Ref(l))));
    }

    private double score(int i, int j) {
        if (k.causal() && j > i) return Double.NEGATIVE_INFINITY;
        double s = 0;
        for (int d = 0; d < dims; d++) s += get(k.q(), i, j, d, 0) * get(k.k(), i, j, d, 0);
        s *= get(k.scale(), i, j, 0, 0);
        return k.bias() == null ? s : s + get(k.bias(), i, j, 0, 0);
    }

    private void forward() {
        for (int i = 0; i < queries; i++) {
            double[] s = new double[keys];
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < keys; j++) max = Math.max(max, s[j] = score(i, j));
            double sum = 0;
            if (max != Double.NEGATIVE_INFINITY) for (int j = 0; j < keys; j++) sum += s[j] = Math.exp(s[j] - max);
            for (int x = 0; x < values; x++) {
                double out = 0;
                if (sum > 0) for (int j = 0; j < keys; j++) out += s[j] / sum * get(k.v(), i, j, 0, x);
                put(k.outputs().get(0), i, 0, 0, x, out);
            }
            put(k.outputs().get(1), i, 0, 0, 0, sum > 0 ? max + Math.log(sum) : Double.NEGATIVE_INFINITY);
        }
    }

    private void backward() {
        Expr out = k.saved().get(0);
        Expr dout = k.saved().get(1);
        Expr lse = k.saved().get(2);
        double scale = get(k.scale(), 0, 0, 0, 0);
        double[][] dk = new double[keys][dims];
        double[][] dv = new double[keys][values];
        for (int i = 0; i < queries; i++) {
            double delta = 0;
            for (int x = 0; x < values; x++) delta += get(out, i, 0, 0, x) * get(dout, i, 0, 0, x);
            double all = get(lse, i, 0, 0, 0);
            double[] dq = new double[dims];
            for (int j = 0; j < keys; j++) {
                double s = score(i, j);
                double p = s == Double.NEGATIVE_INFINITY ? 0 : Math.exp(s - all);
                if (p == 0) continue;
                double dp = 0;
                for (int x = 0; x < values; x++) {
                    double g = get(dout, i, j, 0, x);
                    dp += g * get(k.v(), i, j, 0, x);
                    dv[j][x] += p * g;
                }
                double ds = p * (dp - delta) * scale;
                for (int d = 0; d < dims; d++) {
                    dq[d] += ds * get(k.k(), i, j, d, 0);
                    dk[j][d] += ds * get(k.q(), i, j, d, 0);
                }
            }
            for (int d = 0; d < dims; d++) put(k.outputs().get(0), i, 0, d, 0, dq[d]);
        }
        for (int j = 0; j < keys; j++) {
            for (int d = 0; d < dims; d++) put(k.outputs().get(1), 0, j, d, 0, dk[j][d]);
            for (int x = 0; x < values; x++) put(k.outputs().get(2), 0, j, 0, x, dv[j][x]);
        }
    }
}
