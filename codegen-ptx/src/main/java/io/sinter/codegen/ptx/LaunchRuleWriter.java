// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.GemmSchedule.Tile;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Var;
import io.sinter.ir.store.ByteWriter;
import java.util.List;

/**
 * Writes how kernels are launched. Records are taken apart by patterns, and {@link LaunchRuleReader} calls their constructors: a component that is
 * added to one of them and forgotten here or there does not compile. Of variables, names and extents alone matter to a launch.
 */
final class LaunchRuleWriter {
    private final ByteWriter out;

    LaunchRuleWriter(ByteWriter out) {
        this.out = out;
    }

    void rule(LaunchRule rule) {
        switch (rule) {
            case LaunchRule.Teams(
                    List<Coef> tasks,
                    List<Coef> shared,
                    boolean cooperates,
                    int most,
                    int width,
                    long scratchBytes) -> {
                out.u8(0);
                coefs(tasks);
                coefs(shared);
                out.bool(cooperates).number(most).number(width).number(scratchBytes);
            }
            case LaunchRule.Tiles(
                    List<Var> batch,
                    List<Var> rows,
                    List<Var> columns,
                    List<Var> depth,
                    GemmSchedule form,
                    int bytes,
                    long most,
                    int sharedBytes) -> {
                out.u8(1);
                vars(batch);
                vars(rows);
                vars(columns);
                vars(depth);
                form(form);
                out.number(bytes).number(most).number(sharedBytes);
            }
            case LaunchRule.Rows(List<Var> batch, List<Var> rows, List<Var> columns) -> {
                out.u8(2);
                vars(batch);
                vars(rows);
                vars(columns);
            }
            case LaunchRule.Blocks b -> {
                out.u8(3);
                vars(b.batch());
                var(b.rows());
                var(b.columns());
                out.number(b.down()).number(b.across()).number(b.threads());
                out.number(b.rowScratchBytes()).number(b.sharedBytes());
            }
            case LaunchRule.Parts(List<Coef> lines, int parts, int threads, long scratchBytes) -> {
                out.u8(4);
                coefs(lines);
                out.number(parts).number(threads).number(scratchBytes);
            }
            case LaunchRule.RowTeams(List<Coef> rows, int threads) -> {
                out.u8(5);
                coefs(rows);
                out.number(threads);
            }
        }
    }

    void form(GemmSchedule form) {
        if (!(form instanceof GemmSchedule(Math math, Tile tile, Source left, Source right, int splits)))
            throw new AssertionError();
        if (!(tile instanceof Tile(int rows, int columns, int depth, int warpsDown, int warpsAcross, int stages)))
            throw new AssertionError();
        out.constant(math).number(rows).number(columns).number(depth);
        out.number(warpsDown).number(warpsAcross).number(stages);
        out.constant(left).constant(right).number(splits);
    }

    void tensor(TensorRule tensor) {
        if (!(tensor
                instanceof
                TensorRule(PtxType type, int slot, Coef offset, List<Var> dims, List<Coef> strides, List<Integer> box)))
            throw new AssertionError();
        out.constant(type).number(slot);
        coef(offset);
        vars(dims);
        coefs(strides);
        out.number(box.size());
        box.forEach(out::number);
    }

    private void vars(List<Var> list) {
        out.number(list.size());
        list.forEach(this::var);
    }

    private void var(Var v) {
        out.text(v.name());
        coef(v.extent());
    }

    private void coefs(List<Coef> list) {
        out.number(list.size());
        list.forEach(this::coef);
    }

    private void coef(Coef c) {
        switch (c) {
            case Coef.Lit(long value) -> out.u8(0).number(value);
            case Coef.Slot(int slot) -> out.u8(1).number(slot);
        }
    }
}
