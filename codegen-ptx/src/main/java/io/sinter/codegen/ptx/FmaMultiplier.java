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
 * bytes from the panels. Sums run over k in order.
 */
final class FmaMultiplier implements GemmMultiplier {
    private static final int SIDE = 16;
    private static final int EACH = 4;
    private static final int APART = SIDE * EACH;

    private final GemmCode g;
    private final PtxType type;
    private final int bytes;
    private final Panel left;
    private final Panel right;
    private final int down;
    private final int across;
    private final Operand row;
    private final Operand column;
    private final Operand leftAddress;
    private final Operand rightAddress;
    private final List<Reg> sums = new ArrayList<>();
    private final List<Reg> exposed = new ArrayList<>();

    FmaMultiplier(GemmCode g, Panel left, Panel right, Reg leftBase, Reg rightBase) {
        this.g = g;
        this.left = left;
        this.right = right;
        type = ScalarEmitter.type(g.kernel.acc());
        bytes = g.kernel.acc().bytes();
        down = g.schedule.tile().rows() / APART;
        across = g.schedule.tile().columns() / APART;
        row = g.ints.mul(g.ints.div(g.thread, SIDE), EACH);
        column = g.ints.mul(g.ints.mod(g.thread, SIDE), EACH);
        leftAddress = g.ints.add(leftBase, g.ints.mul(row, bytes));
        rightAddress = g.ints.add(rightBase, g.ints.mul(column, bytes));
        for (int i = 0; i < EACH * EACH * down * across; i++) sums.add(g.out.register(type));
        for (int i = 0; i < EACH; i++) exposed.add(g.out.register(type));
    }

    @Override
    public void clear() {
        for (Reg r : sums) g.c.scalars.assign(g.kernel.acc(), r, g.zero());
    }

    @Override
    public void multiply(Reg leftStage, Reg rightStage) {
        Operand a = g.ints.add(leftAddress, leftStage);
        Operand b = g.ints.add(rightAddress, rightStage);
        for (int k = 0; k < g.schedule.tile().depth(); k++) {
            List<Operand> x = elements(a, left, k, down);
            List<Operand> y = elements(b, right, k, across);
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

    private List<Operand> elements(Operand base, Panel panel, int step, int groups) {
        List<Operand> all = new ArrayList<>();
        int chunk = MemoryEmitter.elements(g.kernel.acc(), EACH);
        for (int n = 0; n < groups; n++) {
            for (int i = 0; i < EACH; i += chunk) {
                long offset = (long) step * panel.lineBytes() + (long) (n * APART + i) * bytes;
                all.addAll(g.out.load(Space.SHARED, stored(), chunk, g.out.at(base, offset))
                        .elements());
            }
        }
        return all;
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
        Operand i = g.ints.div(slice, across);
        Operand j = g.ints.mod(slice, across);
        Operand r = g.ints.add(g.ints.mul(g.ints.div(i, EACH), APART), g.ints.mod(i, EACH));
        return new Sums(g.ints.add(row, r), g.ints.add(column, g.ints.mul(j, APART)), List.copyOf(exposed));
    }
}
