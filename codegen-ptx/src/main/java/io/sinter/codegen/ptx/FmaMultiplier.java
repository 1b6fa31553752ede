// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.ArrayList;
import java.util.List;

/**
 * Fused multiply-adds of 16 × 16 threads. Each has blocks of 4 × 4 sums, 64 rows and columns apart, so that a warp reads neighbouring vectors of 16
 * bytes from panels with a line for each step of k. Where lines are along k, a vector is some steps of one row. Sums run over k in order.
 */
final class FmaMultiplier implements GemmMultiplier {
    /** Rows, and columns, of a block of sums. */
    static final int EACH = 4;

    private static final int SIDE = 16;
    private static final int APART = SIDE * EACH;

    private final GemmCode g;
    private final PtxType type;
    private final Side left;
    private final Side right;
    private final Operand row;
    private final Operand column;
    private final List<Reg> sums = new ArrayList<>();
    private final List<Reg> exposed = new ArrayList<>();

    FmaMultiplier(GemmCode g, Panel leftPanel, Panel rightPanel, Reg leftBase, Reg rightBase) {
        this.g = g;
        type = ScalarEmitter.type(g.kernel.acc());
        row = g.ints.mul(g.ints.div(g.thread, SIDE), EACH);
        column = g.ints.mul(g.ints.mod(g.thread, SIDE), EACH);
        left = new Side(leftPanel, leftBase, row, g.schedule.tile().rows() / APART);
        right = new Side(rightPanel, rightBase, column, g.schedule.tile().columns() / APART);
        for (int i = 0; i < EACH * EACH * left.groups * right.groups; i++) sums.add(g.out.register(type));
        for (int i = 0; i < EACH; i++) exposed.add(g.out.register(type));
    }

    /** The thread's elements of one operand: blocks of rows (or columns), {@link #APART}. */
    private final class Side {
        final Panel panel;
        final int groups;
        /** Elements of a vector of 16 bytes. */
        final int chunk;
        /** Where the thread's first element is, in the first stage; along k, its line. */
        final Operand first;
        /** What chunks are exchanged by; null where lines are not along k. */
        final Operand exchange;
        /** Where the thread's elements of the stage that is multiplied begin. */
        Operand stage;
        /** Vectors of some steps, for each row; along k. */
        List<List<Operand>> steps;

        Side(Panel panel, Reg base, Operand position, int groups) {
            this.panel = panel;
            this.groups = groups;
            chunk = MemoryEmitter.elements(g.kernel.acc(), EACH);
            boolean alongK = panel.factor() != 0;
            first = g.ints.add(base, g.ints.mul(position, alongK ? panel.lineBytes() : panel.bytes()));
            // The same for all of the thread's lines: blocks are whole periods apart.
            exchange = alongK ? g.ints.mul(panel.exchange(g.ints, position), GemmOperand.CHUNK) : null;
            if (alongK && APART % panel.period() != 0) throw new IllegalStateException("blocks of " + panel);
        }

        void begin(Reg at) {
            stage = g.ints.add(first, at);
        }

        /** The elements of a step. */
        List<Operand> elements(int step) {
            List<Operand> all = new ArrayList<>();
            if (exchange == null) {
                for (int n = 0; n < groups; n++)
                    for (int i = 0; i < EACH; i += chunk)
                        all.addAll(vector(
                                stage, (long) step * panel.lineBytes() + (long) (n * APART + i) * panel.bytes()));
                return all;
            }
            if (step % chunk == 0) {
                long place = (long) (step / chunk) * GemmOperand.CHUNK;
                Operand at = g.ints.add(stage, g.ints.xor(exchange, g.out.constant(place)));
                steps = new ArrayList<>();
                for (int n = 0; n < groups; n++)
                    for (int i = 0; i < EACH; i++) steps.add(vector(at, (long) (n * APART + i) * panel.lineBytes()));
            }
            for (List<Operand> v : steps) all.add(v.get(step % chunk));
            return all;
        }

        private List<Operand> vector(Operand base, long offset) {
            return g.out.load(Space.SHARED, stored(), chunk, g.out.at(base, offset))
                    .elements();
        }
    }

    @Override
    public void clear() {
        for (Reg r : sums) g.c.scalars.assign(g.kernel.acc(), r, g.zero());
    }

    @Override
    public void multiply(Reg leftStage, Reg rightStage) {
        left.begin(leftStage);
        right.begin(rightStage);
        for (int k = 0; k < g.schedule.tile().depth(); k++) {
            List<Operand> x = left.elements(k);
            List<Operand> y = right.elements(k);
            for (int i = 0; i < x.size(); i++) {
                for (int j = 0; j < y.size(); j++) {
                    Reg sum = sums.get(i * y.size() + j);
                    g.out.add(
                            type.isFloat()
                                    ? new Arithmetic.Fma(FloatMode.RN, type, sum, x.get(i), y.get(j), sum)
                                    : new Arithmetic.MultiplyAdd(
                                            Arithmetic.Part.LO, false, type, sum, x.get(i), y.get(j), sum));
                }
            }
        }
    }

    private PtxType stored() {
        return type.isFloat() ? type : type.bitsType();
    }

    @Override
    public int slices() {
        return sums.size() / EACH;
    }

    @Override
    public void expose(int slice) {
        for (int j = 0; j < EACH; j++) g.c.scalars.assign(g.kernel.acc(), exposed.get(j), sums.get(slice * EACH + j));
    }

    @Override
    public int rounds() {
        return 1;
    }

    @Override
    public void sync() {}

    @Override
    public Sums sums(Reg slice, Reg round) {
        Operand i = g.ints.div(slice, right.groups);
        Operand j = g.ints.mod(slice, right.groups);
        Operand r = g.ints.add(g.ints.mul(g.ints.div(i, EACH), APART), g.ints.mod(i, EACH));
        return new Sums(g.ints.add(row, r), g.ints.add(column, g.ints.mul(j, APART)), List.copyOf(exposed));
    }
}
