// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.GemmSchedule.Tile;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Var;
import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Reads what {@link LaunchRuleWriter} wrote, and holds it to what a launch can be. */
final class LaunchRuleReader {
    private static final Math[] MATHS = Math.values();
    private static final Source[] SOURCES = Source.values();
    private static final PtxType[] TYPES = PtxType.values();

    /** Threads of a CTA, extents of tiles, warps, stages: none of ours is larger. */
    private static final int MOST = 1024;

    private final ByteReader in;
    private final int slots;

    /** @param slots that the kernel's parameter block has */
    LaunchRuleReader(ByteReader in, int slots) {
        this.in = in;
        this.slots = slots;
    }

    LaunchRule rule() {
        return switch (in.u8()) {
            case 0 ->
                new LaunchRule.Teams(
                        coefs(), coefs(), in.bool(), positive(MOST), positive(MOST), bytes(Integer.MAX_VALUE));
            case 1 ->
                new LaunchRule.Tiles(
                        vars(), vars(), vars(), vars(), form(), positive(Long.BYTES), bytes(LaunchRule.MAX_CTAS), (int)
                                bytes(1 << 20));
            case 2 -> new LaunchRule.Rows(vars(), vars(), vars());
            case 3 ->
                new LaunchRule.Blocks(
                        vars(), var(), var(), positive(MOST), positive(MOST), positive(MOST), (int) bytes(MOST), (int)
                                bytes(1 << 20));
            case 4 -> new LaunchRule.Parts(coefs(), positive(MOST), positive(MOST), bytes(8L * ScanSchedule.MAX_PARTS));
            case 5 -> new LaunchRule.RowTeams(coefs(), positive(LaunchRule.MAX_TEAM));
            default -> throw new FormatException("no rule of launches");
        };
    }

    private GemmSchedule form() {
        Math math = in.constant(MATHS);
        Tile tile = new Tile(
                positive(MOST), positive(MOST), positive(MOST), positive(MOST), positive(MOST), positive(MOST));
        if (32L * tile.warpsDown() * tile.warpsAcross() > MOST) throw new FormatException("more threads than a CTA's");
        Source left = in.constant(SOURCES);
        Source right = in.constant(SOURCES);
        return new GemmSchedule(math, tile, left, right, positive(MOST));
    }

    TensorRule tensor() {
        PtxType type = in.constant(TYPES);
        int slot = in.index(slots);
        Coef offset = coef();
        List<Var> dims = vars();
        List<Coef> strides = coefs();
        List<Integer> box = list(() -> positive(MOST));
        if (dims.isEmpty() || strides.size() != dims.size() - 1 || box.size() != dims.size())
            throw new FormatException("a tensor of " + dims.size() + " dimensions with " + strides.size()
                    + " strides and a box of " + box.size());
        return new TensorRule(type, slot, offset, dims, strides, box);
    }

    private int positive(int most) {
        int n = in.index(most + 1);
        if (n == 0) throw new FormatException("nothing where there must be something");
        return n;
    }

    private long bytes(long most) {
        long n = in.number();
        if (n < 0 || n > most) throw new FormatException(n + " is not from 0 to " + most);
        return n;
    }

    private List<Var> vars() {
        return list(this::var);
    }

    private Var var() {
        return new Var(in.text(), coef());
    }

    private List<Coef> coefs() {
        return list(this::coef);
    }

    private <T> List<T> list(Supplier<T> element) {
        List<T> list = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) list.add(element.get());
        return list;
    }

    private Coef coef() {
        return switch (in.u8()) {
            case 0 -> new Coef.Lit(in.number());
            case 1 -> new Coef.Slot(in.index(slots));
            default -> throw new FormatException("no coefficient");
        };
    }
}
