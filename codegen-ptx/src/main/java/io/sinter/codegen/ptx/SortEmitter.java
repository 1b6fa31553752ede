// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.RoutineKernel.Stage;
import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * The two kernels of sorts. What is sorted are items: an element's key and its place in the row, so that no two are equal, and any network that sorts
 * them is a stable sort. Keys of 32 bits and their places are one number of 64 bits. Tiles are sorted by a bitonic network (Batcher 1968) in shared
 * memory; sorted parts are merged by CTAs that each make a tile of the result, which of both parts it takes from being found by bisection ("merge
 * path", Green, McColl and Bader 2012). Behind the elements of a row stand items that are greater than all others, up to whole tiles.
 */
final class SortEmitter {
    private final RoutineCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    private final DType dtype;
    private final Stage stage;
    /** Whether keys have 64 bits, and places are beside them. */
    private final boolean isWide;

    private final Reg lane;
    private final Reg lanes;
    private final Reg team;
    private final Reg teams;
    private final Reg sharedKeys;
    private final Reg sharedPlaces;
    // The parameters that both kernels have, see PtxRoutine.
    private final Reg input;
    private final Reg values;
    private final Reg places;
    private final Reg source;
    private final Reg sourcePlaces;
    private final Reg sink;
    private final Reg sinkPlaces;
    private final Reg units;
    private final Reg tile;
    private final Reg tilesPerRow;
    private final Reg elements;
    private final Reg length;
    private final Reg step;
    private final Reg kept;
    private final Reg shown;
    private final ScalarEmitter.Divisor byTiles;
    private final ScalarEmitter.Divisor byStep;

    /** A key, and its place unless the key holds it. */
    private record Item(Reg key, Reg place) {}

    /** Where items of a row lie: addresses of the first key and the first place. */
    private record Area(Space space, Operand keys, Operand places) {}

    SortEmitter(KernelBuilder out, DType dtype, Stage stage) {
        this.out = out;
        this.dtype = dtype;
        this.stage = stage;
        g = new RoutineCode(out);
        ints = g.ints;
        isWide = PtxRoutine.hasWideKeys(dtype);
        Operand.Symbol keys = out.shared("keys", 16, (long) PtxRoutine.TILE * Long.BYTES);
        sharedKeys = out.mov(PtxType.U32, keys);
        sharedPlaces =
                isWide ? out.mov(PtxType.U32, out.shared("places", 16, (long) PtxRoutine.TILE * Integer.BYTES)) : null;
        input = out.pointer();
        values = out.pointer();
        places = out.pointer();
        source = out.pointer();
        sourcePlaces = out.pointer();
        sink = out.pointer();
        sinkPlaces = out.pointer();
        units = g.number();
        tile = g.small();
        tilesPerRow = g.number();
        Reg inRow = g.small();
        length = g.small();
        elements = stage.readsElements() ? length : inRow;
        step = g.number();
        kept = g.small();
        shown = g.small();
        lane = g.special(Operand.Special.TID_X);
        lanes = g.special(Operand.Special.NTID_X);
        team = g.special(Operand.Special.TID_Y);
        teams = g.special(Operand.Special.NTID_Y);
        byTiles = g.scalars.divisor(tilesPerRow);
        byStep = touchesElements() ? g.scalars.divisor(step) : null;
    }

    private boolean touchesElements() {
        return stage.readsElements() || stage.writesResults();
    }

    // ---- items

    private Reg key(Area a, Operand index) {
        return out.load(a.space, PtxType.B64, out.at(at(a.keys, index, Long.BYTES)));
    }

    private Item load(Area a, Operand index) {
        Reg key = key(a, index);
        Reg place = isWide ? out.load(a.space, PtxType.B32, out.at(at(a.places, index, Integer.BYTES))) : null;
        return new Item(key, place);
    }

    private void store(Area a, Operand index, Item item) {
        out.store(a.space, PtxType.B64, out.at(at(a.keys, index, Long.BYTES)), item.key);
        if (isWide) out.store(a.space, PtxType.B32, out.at(at(a.places, index, Integer.BYTES)), item.place);
    }

    private void storeWhere(Reg p, Area a, Operand index, Item item) {
        Operand key = at(a.keys, index, Long.BYTES);
        Operand place = isWide ? at(a.places, index, Integer.BYTES) : null;
        out.add(Guard.when(p), Memory.Store.of(a.space, PtxType.B64, out.at(key), item.key));
        if (isWide) out.add(Guard.when(p), Memory.Store.of(a.space, PtxType.B32, out.at(place), item.place));
    }

    /** Shared addresses have 32 bits, others 64. */
    private Operand at(Operand base, Operand index, int bytes) {
        if (base instanceof Reg r && r.type().bytes() == 4) return ints.add(ints.mul(index, bytes), base);
        return out.madWide(PtxType.U32, index, out.constant(bytes), base);
    }

    private Reg less(Item a, Item b) {
        Reg below = out.setp(Relation.LT, PtxType.U64, a.key, b.key);
        if (!isWide) return below;
        Reg equal = out.setp(Relation.EQ, PtxType.U64, a.key, b.key);
        Reg before = out.setp(Relation.LT, PtxType.U32, a.place, b.place);
        return out.or(PtxType.PRED, below, out.and(PtxType.PRED, equal, before));
    }

    private Operand place(Item i) {
        return isWide ? i.place : ints.low(i.key);
    }

    private Item greatest() {
        return new Item(out.mov(PtxType.B64, out.constant(-1)), isWide ? out.mov(PtxType.B32, out.constant(-1)) : null);
    }

    /** This team's part of shared memory; where tiles are as large as can be, a CTA has one team. */
    private Area shared(boolean severalTeams) {
        if (!severalTeams) return new Area(Space.SHARED, sharedKeys, sharedPlaces);
        Operand first = out.mul(PtxType.U32, team, tile);
        Operand keys = ints.add(sharedKeys, ints.mul(first, Long.BYTES));
        return new Area(Space.SHARED, keys, isWide ? ints.add(sharedPlaces, ints.mul(first, Integer.BYTES)) : null);
    }

    /** Items in scratch memory, from one on. */
    private Area scratch(Reg keys, Reg behind, Operand first) {
        return new Area(
                Space.GLOBAL,
                g.address(keys, first, Long.BYTES),
                isWide ? g.address(behind, first, Integer.BYTES) : null);
    }

    // ---- rows

    /** A row and the number of a tile in it. */
    private record Unit(Operand row, Operand tile) {}

    private Unit unit(Reg number) {
        Operand row = g.scalars.quotient(number, byTiles);
        return new Unit(row, ints.low(g.scalars.rest(number, row, byTiles)));
    }

    /** The first element of a row whose elements are {@code step} apart, if each has {@code count}. */
    private Operand first(Operand row, Operand count) {
        Operand outer = g.scalars.quotient(row, byStep);
        Operand inner = g.scalars.rest(row, outer, byStep);
        Operand rows = g.scalars.mulLong(outer, step);
        return g.scalars.addLong(g.scalars.mulLong(rows, ints.wide(count)), inner);
    }

    /** Teams take units in turn; those of a CTA go through the loop together, since they wait for each other. */
    private void units(BiConsumer<Reg, Reg> body) {
        Operand first = out.mul(PtxType.U64, g.wideSpecial(Operand.Special.CTAID_X), ints.wide(teams));
        Operand all = out.mul(PtxType.U64, g.wideSpecial(Operand.Special.NCTAID_X), ints.wide(teams));
        g.loop(PtxType.S64, first, units, all, base -> {
            Reg unit = out.add(PtxType.S64, base, ints.wide(team));
            body.accept(unit, out.setp(Relation.LT, PtxType.S64, unit, units));
        });
    }

    /** Stores the value and the place of an item as results of a row. */
    private void show(Operand position, Item item, Operand from, Operand to) {
        Operand place = ints.wide(place(item));
        Operand element = out.mad(PtxType.S64, place, step, from);
        Operand result = out.mad(PtxType.S64, ints.wide(position), step, to);
        Reg value = g.load(dtype, g.address(input, element, dtype.bytes()));
        g.store(dtype, g.address(values, result, dtype.bytes()), value);
        out.store(Space.GLOBAL, PtxType.B64, out.at(g.address(places, result, Long.BYTES)), place);
    }

    // ---- tiles

    void tiles(boolean descending) {
        Area shared = shared(stage.writesResults());
        units((number, isOne) -> {
            Unit u = unit(number);
            Operand first = out.mul(PtxType.U32, u.tile, tile);
            Operand row = touchesElements() ? first(u.row, elements) : null;
            Area items = stage.readsElements()
                    ? null
                    : scratch(source, sourcePlaces, out.mul(PtxType.S64, u.row, ints.wide(length)));
            g.loop(PtxType.U32, lane, tile, lanes, i -> {
                Operand position = out.add(PtxType.U32, i, first);
                Item item = greatest();
                Reg inside = out.setp(Relation.LT, PtxType.U32, position, length);
                g.when(out.and(PtxType.PRED, inside, isOne), () -> {
                    if (stage.readsElements()) element(position, row, descending, item);
                    else copy(item, load(items, position));
                });
                store(shared, i, item);
            });
            out.barrier();
            sort(shared);
            if (stage.writesResults()) {
                Operand to = first(u.row, shown);
                g.when(isOne, () -> g.loop(PtxType.U32, lane, shown, lanes, i -> show(i, load(shared, i), row, to)));
            } else {
                Area to = scratch(sink, sinkPlaces, out.mul(PtxType.S64, number, ints.wide(kept)));
                g.when(isOne, () -> g.loop(PtxType.U32, lane, kept, lanes, i -> store(to, i, load(shared, i))));
            }
            // What a thread has read it overwrites itself.
        });
    }

    /** Makes an item of the element at a position of a row. */
    private void element(Operand position, Operand row, boolean descending, Item to) {
        Operand index = out.mad(PtxType.S64, ints.wide(position), step, row);
        Operand key = g.key(dtype, g.load(dtype, g.address(input, index, dtype.bytes())));
        if (descending) key = out.not(isWide ? PtxType.B64 : PtxType.B32, key);
        if (isWide) {
            out.assign(PtxType.B64, to.key, key);
            out.assign(PtxType.B32, to.place, position);
        } else {
            out.assign(PtxType.B64, to.key, Operand.Vector.of(position, key));
        }
    }

    private void copy(Item to, Item from) {
        out.assign(PtxType.B64, to.key, from.key);
        if (isWide) out.assign(PtxType.B32, to.place, from.place);
    }

    /**
     * Sorts a tile. Of sorted halves the first step compares mirrored positions, so that every comparison puts the smaller item first; the threads of the
     * whole CTA are at the same step.
     */
    private void sort(Area tiles) {
        Operand pairs = ints.div(tile, 2);
        Reg size = out.mov(PtxType.B32, out.constant(2));
        Reg half = out.register(PtxType.B32);
        Reg mask = out.register(PtxType.B32);
        g.loopWhile(() -> out.setp(Relation.LE, PtxType.U32, size, tile), () -> {
            out.assign(PtxType.B32, half, ints.div(size, 2));
            out.assign(PtxType.B32, mask, ints.add(size, -1));
            g.loopWhile(() -> out.setp(Relation.GT, PtxType.U32, half, out.constant(0)), () -> {
                g.loop(PtxType.U32, lane, pairs, lanes, pair -> {
                    Operand inner = out.and(PtxType.B32, pair, ints.add(half, -1));
                    Operand i = out.add(PtxType.U32, out.add(PtxType.U32, pair, pair), out.neg(PtxType.S32, inner));
                    Operand j = ints.xor(i, mask);
                    Item a = load(tiles, i);
                    Item b = load(tiles, j);
                    Reg swap = less(b, a);
                    storeWhere(swap, tiles, i, b);
                    storeWhere(swap, tiles, j, a);
                });
                out.barrier();
                out.assign(PtxType.B32, half, ints.div(half, 2));
                out.assign(PtxType.B32, mask, half);
            });
            out.assign(PtxType.B32, size, ints.mul(size, 2));
        });
    }

    // ---- parts

    /** Two sorted parts of a row, the first of which may be all that is left of it. */
    private record Parts(Area a, Area b, Operand left, Operand right) {}

    /** {@code length} is a multiple of {@code tile}, as is {@code kept}, the length of parts. */
    void merge() {
        Area shared = shared(false);
        units((number, isOne) -> {
            Unit u = unit(number);
            Operand first = out.mul(PtxType.U32, u.tile, tile);
            Operand row = out.mul(PtxType.S64, u.row, ints.wide(length));
            // Two parts are a power of two together, as is each.
            Operand start = out.and(PtxType.B32, first, out.neg(PtxType.S32, ints.mul(kept, 2)));
            Parts parts = parts(row, start);
            Operand begin = out.sub(PtxType.U32, first, start);
            Reg fromA = out.mov(PtxType.B32, out.constant(0));
            Reg toA = out.mov(PtxType.B32, out.constant(0));
            g.when(isOne, () -> {
                out.assign(PtxType.B32, fromA, split(parts, begin));
                out.assign(PtxType.B32, toA, split(parts, ints.add(tile, begin)));
            });
            Operand ofA = out.sub(PtxType.U32, toA, fromA);
            Operand fromB = out.sub(PtxType.U32, begin, fromA);
            g.when(
                    isOne,
                    () -> g.loop(PtxType.U32, lane, tile, lanes, i -> {
                        Item item = greatest();
                        Reg inA = out.setp(Relation.LT, PtxType.U32, i, ofA);
                        Reg inB = out.not(PtxType.PRED, inA);
                        g.when(inA, () -> copy(item, load(parts.a, out.add(PtxType.U32, fromA, i))));
                        Operand behind = out.sub(PtxType.U32, i, ofA);
                        g.when(inB, () -> copy(item, load(parts.b, out.add(PtxType.U32, fromB, behind))));
                        store(shared, i, item);
                    }));
            out.barrier();
            Operand from = touchesElements() ? first(u.row, elements) : null;
            Operand to = touchesElements() ? first(u.row, shown) : null;
            Area items =
                    stage.writesResults() ? null : scratch(sink, sinkPlaces, g.scalars.addLong(row, ints.wide(first)));
            g.when(
                    isOne,
                    () -> g.loop(PtxType.U32, lane, tile, lanes, i -> {
                        Item item = load(shared, i);
                        Operand rank = rank(shared, i, item, ofA);
                        if (!stage.writesResults()) {
                            store(items, rank, item);
                            return;
                        }
                        Reg position = out.add(PtxType.U32, first, rank);
                        Reg isShown = out.setp(Relation.LT, PtxType.U32, position, shown);
                        g.when(isShown, () -> show(position, item, from, to));
                    }));
            out.barrier();
        });
    }

    private Parts parts(Operand row, Operand start) {
        Operand rest = out.sub(PtxType.U32, length, start);
        Operand left = out.min(PtxType.U32, kept, rest);
        Operand right = out.min(PtxType.U32, kept, out.sub(PtxType.U32, rest, left));
        Operand first = g.scalars.addLong(row, ints.wide(start));
        Area a = scratch(source, sourcePlaces, first);
        Area b = scratch(source, sourcePlaces, g.scalars.addLong(first, ints.wide(left)));
        return new Parts(a, b, left, right);
    }

    /**
     * Where an item of a tile goes: behind the items of its own part before it, and those of the other part that are less.
     *
     * @param ofA so many of the tile's items are the first part's, and stand before the others
     */
    private Operand rank(Area tile, Operand i, Item item, Operand ofA) {
        Reg inA = out.setp(Relation.LT, PtxType.U32, i, ofA);
        Reg low = out.selp(PtxType.B32, ofA, out.constant(0), inA);
        Operand high = out.selp(PtxType.B32, this.tile, ofA, inA);
        bisect(low, high, middle -> less(load(tile, middle), item));
        return out.sub(PtxType.U32, out.add(PtxType.U32, i, low), ofA);
    }

    /** How many of the {@code count} least items of two parts are the first's. */
    private Operand split(Parts p, Operand count) {
        Reg low = out.mov(PtxType.B32, out.sub(PtxType.U32, count, out.min(PtxType.U32, count, p.right)));
        Operand high = out.min(PtxType.U32, count, p.left);
        Operand last = ints.add(count, -1);
        // All places in the first part are less than those in the second: keys alone decide.
        bisect(low, high, middle -> {
            Reg inA = key(p.a, middle);
            Reg inB = key(p.b, out.sub(PtxType.U32, last, middle));
            return out.setp(Relation.LE, PtxType.U64, inA, inB);
        });
        return low;
    }

    /** Moves {@code low} up to the first number below {@code high} that {@code below} does not hold for. */
    private void bisect(Reg low, Operand high, Function<Operand, Reg> below) {
        Reg end = out.mov(PtxType.B32, high);
        g.loopWhile(() -> out.setp(Relation.LT, PtxType.U32, low, end), () -> {
            Operand middle = ints.div(out.add(PtxType.U32, low, end), 2);
            Reg up = below.apply(middle);
            out.add(
                    Guard.when(up),
                    new Arithmetic.Binary(
                            Arithmetic.BinaryOp.ADD, FloatMode.DEFAULT, PtxType.U32, low, middle, out.constant(1)));
            out.assign(PtxType.B32, end, out.selp(PtxType.B32, end, middle, up));
        });
    }
}
