// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.loop.GemmKernel;
import java.util.ArrayList;
import java.util.List;

/** The second kernel of a product whose sum is in parts: adds the parts up, in order, and runs the epilogue. */
final class GemmFinish {
    private static final int EACH = GemmEpilogue.EACH;

    private final GemmKernel kernel;
    private final GemmSchedule schedule;
    private final int file;
    private final KernelBuilder out;

    GemmFinish(GemmKernel kernel, GemmSchedule schedule, String entry, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        this.file = file;
        out = new KernelBuilder(entry);
    }

    /** The type of sums in memory. */
    static PtxType type(GemmKernel kernel) {
        PtxType t = ScalarEmitter.type(kernel.acc());
        return t.isFloat() ? t : t.bitsType();
    }

    PtxKernel emit() {
        out.limits(Kernel.Limits.threads(LaunchRule.CTA));
        GemmCode g = new GemmCode(kernel, schedule, out, file);
        GemmEpilogue epilogue = new GemmEpilogue(g);
        Operand fours = g.tiles(g.paddedColumns, EACH);

        Reg first = out.mad(
                PtxType.S64, g.special(Operand.Special.CTAID_X), out.constant(LaunchRule.CTA), g.ints.wide(g.thread));
        Operand all = g.c.scalars.mulLong(g.special(Operand.Special.NCTAID_X), out.constant(LaunchRule.CTA));
        g.loop(first, g.c.scalars.mulLong(g.allRows, fours), all, number -> {
            Operand row = g.quotient(number, fours);
            Operand n = g.c.scalars.mulLong(g.remainder(number, fours), out.constant(EACH));
            Operand m = g.remainder(row, g.rows);
            g.decode(kernel.batch(), List.of(g.quotient(row, g.rows)));
            List<Operand> sums = parts(g, 0, row, n);
            for (int s = 1; s < schedule.splits(); s++) {
                List<Operand> part = parts(g, s, row, n);
                List<Operand> before = sums;
                sums = new ArrayList<>();
                for (int i = 0; i < EACH; i++)
                    sums.add(out.add(ScalarEmitter.type(kernel.acc()), before.get(i), part.get(i)));
            }
            epilogue.write(m, n, sums, null);
        });
        out.ret();
        LaunchRule rule = new LaunchRule.Rows(kernel.batch(), kernel.m(), kernel.n());
        return new PtxKernel(out.build(), g.listing(), rule);
    }

    private List<Operand> parts(GemmCode g, int split, Operand row, Operand column) {
        Operand at = g.partial(out.constant(split), row, column);
        PtxType type = type(kernel);
        int chunk = 16 / type.bytes();
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < EACH; i += chunk)
            all.addAll(out.load(Space.GLOBAL, type, chunk, out.at(at, (long) i * type.bytes()))
                    .elements());
        return all;
    }
}
