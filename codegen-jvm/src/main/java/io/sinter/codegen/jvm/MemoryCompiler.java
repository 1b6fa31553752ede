// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Compiles loads and stores: scalars; consecutive lanes as vectors; any other pattern lane by lane through
 * the scratch memory's lane area.
 */
final class MemoryCompiler {
    private final BodyCompiler c;

    MemoryCompiler(BodyCompiler c) {
        this.c = c;
    }

    /** An element that is the same for all lanes. */
    Code loadScalar(Expr.Load l) {
        if (l.mask() == null) return Memory.load(l.buffer().dtype(), c.indices.address(l.buffer(), l.index()));
        Code mask = c.scalar(l.mask());
        LocalVar result = c.method.local("load", Memory.jvmType(l.dtype()));
        c.block().add(result.set(c.scalar(l.otherwise())));
        Block read = c.nested(true, () -> {
            Code address = c.indices.address(l.buffer(), l.index());
            c.block().add(result.set(Memory.load(l.buffer().dtype(), address)));
        });
        c.block().ifThen(mask, read);
        return result;
    }

    void storeScalar(Stmt.Store s) {
        Code value = c.scalar(s.value());
        if (s.mask() == null) {
            c.block().add(Memory.store(s.buffer().dtype(), c.indices.address(s.buffer(), s.index()), value));
            return;
        }
        Code held = c.held(value);
        Code mask = c.scalar(s.mask());
        Block write = c.nested(true, () -> {
            Code address = c.indices.address(s.buffer(), s.index());
            c.block().add(Memory.store(s.buffer().dtype(), address, held));
        });
        c.block().ifThen(mask, write);
    }

    /** A load that differs between lanes: by its index or by its mask. */
    Value load(Expr.Load l) {
        VectorLoop loop = c.vector();
        DType type = l.buffer().dtype();
        // Bool elements are handled as i32 until the end.
        Species s = loop.species(type.isBool() ? DType.I32 : l.dtype());
        Code mask = l.mask() == null ? null : c.held(c.mask(l.mask(), s));
        Code active = Masks.andNullable(mask, c.readable(s));
        Vec raw;
        if (isConsecutive(type, l.index(), active != null))
            raw = loadConsecutive(s, type, c.indices.address(l.buffer(), l.index()), active);
        else if (isEverySecond(type, l.index()))
            raw = loadEverySecond(s, c.indices.address(l.buffer(), l.index()), mask);
        else raw = gather(s, l.buffer(), l.index(), active);
        if (type.isBool()) {
            Code read = c.held(raw).compare("NE", Vec.constant(s, 0));
            if (mask == null) return Value.mask(s, read);
            return Value.mask(s, Masks.or(Masks.and(read, mask), Masks.andNot(c.mask(l.otherwise(), s), mask)));
        }
        return Value.of(mask == null ? raw : c.vec(l.otherwise()).blend(raw, mask));
    }

    private boolean isConsecutive(DType type, Index i, boolean masked) {
        if (c.indices.access(i) != IndexCompiler.Access.UNIT) return false;
        return isWide(type)
                || c.vector().species(MemoryVectors.carrier(type)).exists()
                        && (!masked || c.options.vectorBits() == 512);
    }

    private boolean isEverySecond(DType type, Index i) {
        return isWide(type)
                && c.indices.access(i) == IndexCompiler.Access.LINEAR
                && c.indices.stride(i).is(2);
    }

    private static final Object EVERY_SECOND = new Object();
    private static final Object FIRSTS = new Object();
    private static final Object SECONDS = new Object();

    /**
     * Of two vectors, the second of which begins with the last element of the first: so nothing is read beyond the last lane's element.
     *
     * @param mask of lanes; null for all
     */
    private Vec loadEverySecond(Species s, Code at, Code mask) {
        Species bits = s.integral();
        int n = bits.lanes();
        Code address = c.held(at);
        Code low = null;
        Code high = null;
        if (mask != null) {
            // Lane l of the mask is lane 2l of the two vectors.
            Code lanes = Masks.toLong(Masks.andNullable(mask, c.readable(s)));
            Code spread = c.held(Code.call(
                    Code.object("java/lang/Long"),
                    "expand",
                    Type.LONG_TYPE,
                    lanes,
                    Code.constant(0x5555555555555555L)));
            low = Masks.fromLong(bits, spread);
            high = Masks.fromLong(bits, Code.ushr(spread, Code.constant(n - 1)));
        } else if (!c.vector().readsAll()) {
            Code last = Code.mul(c.vector().count(), Code.constant(2));
            low = c.tailMask(FIRSTS, bits, Code.sub(last, Code.constant(1)));
            Code beyond = Code.sub(last, Code.constant(n));
            Code none = Code.constant(0);
            high = c.tailMask(
                    SECONDS, bits, Code.call(Code.object("java/lang/Math"), "max", Type.INT_TYPE, beyond, none));
        }
        // 0, 2, 4, …, and one more in the second vector.
        Vec seconds = new Vec(
                bits,
                c.once(EVERY_SECOND, bits, Facts.Fact.NONE, () -> {
                            Vec lane = Vec.iota(bits);
                            int half = Integer.numberOfTrailingZeros(n) - 1;
                            return Value.of(lane.shl(1).add(lane.ushr(half)));
                        })
                        .code());
        Vec first = Vec.load(bits, address, low);
        Vec second = Vec.load(
                bits, Code.add(address, Code.constant((n - 1L) * bits.element().bytes())), high);
        return seconds.selectFrom(first, second).reinterpret(s);
    }

    private static boolean isWide(DType type) {
        return type.bytes() >= 4;
    }

    private Vec loadConsecutive(Species s, DType type, Code address, Code mask) {
        if (isWide(type)) return Vec.load(s, address, mask);
        Species narrow = c.vector().species(MemoryVectors.carrier(type));
        Code narrowMask = mask == null ? null : Masks.cast(mask, narrow);
        return MemoryVectors.widen(c, type, Vec.load(narrow, address, narrowMask));
    }

    void store(Stmt.Store st) {
        VectorLoop loop = c.vector();
        DType type = st.buffer().dtype();
        Species s = loop.species(type.isBool() ? DType.I32 : type.compute());
        Code given = st.mask() == null ? null : c.held(c.mask(st.mask(), s));
        Code active = Masks.andNullable(given, c.active(s));
        Vec value = type.isBool() ? MemoryVectors.fromMask(s, c.mask(st.value(), s)) : c.vec(st.value());
        if (!isConsecutive(type, st.index(), active != null)) {
            scatter(value, st.buffer(), st.index(), active);
            return;
        }
        Code address = c.indices.address(st.buffer(), st.index());
        if (isWide(type)) {
            c.block().add(value.store(address, active));
            return;
        }
        Species narrow = c.vector().species(MemoryVectors.carrier(type));
        Code narrowMask = active == null ? null : Masks.cast(active, narrow);
        c.block().add(MemoryVectors.narrow(c, type, value).store(address, narrowMask));
    }

    // Lane by lane

    /** Loads each lane's element on its own. */
    private Vec gather(Species s, Buf b, Index index, Code mask) {
        lanes(
                index,
                mask,
                (address, laneAddress) -> {
                    Code element = Memory.load(b.dtype(), address);
                    Code value =
                            b.dtype().isBool() ? Code.choose(element, Code.constant(1), Code.constant(0)) : element;
                    return Memory.store(s.element(), laneAddress, value);
                },
                b,
                s,
                null);
        return c.held(Vec.load(s, c.laneArea(0), null));
    }

    private void scatter(Vec value, Buf b, Index index, Code mask) {
        Vec v = c.held(value);
        lanes(
                index,
                mask,
                (address, laneAddress) -> {
                    Code element = Memory.load(v.species().element(), laneAddress);
                    if (!b.dtype().isBool()) return Memory.store(b.dtype(), address, element);
                    return Memory.store(DType.I8, address, element);
                },
                b,
                v.species(),
                v);
    }

    private interface LaneAction {
        Code at(Code address, Code laneAddress);
    }

    /**
     * Runs an action for each active lane, with the address of its element and of its place in slot 0 of the
     * lane area, where {@code stored} is put.
     */
    private void lanes(Index index, Code mask, LaneAction action, Buf b, Species s, Vec stored) {
        LocalVar lane = c.method.local("lane", Type.INT_TYPE);
        Code wide = Code.cast(Type.LONG_TYPE, lane);
        Map<Expr, Code> data = laneData(index, wide, mask);
        if (stored != null) c.block().add(stored.store(c.laneArea(0), null));
        LocalVar bits = mask == null ? null : c.method.local("lanes", Type.LONG_TYPE);
        if (bits != null) c.block().add(bits.set(Masks.toLong(mask)));
        Code first = c.held(c.indices.firstLane());
        LaneQuotients quotients = new LaneQuotients(c, index);
        Block body = c.nested(true, () -> {
            Code element = c.indices.lane(index, Code.add(first, wide), data::get, quotients);
            Code address = Code.add(c.indices.base(b), Code.mul(element, Code.constant((long)
                    b.dtype().bytes())));
            Code laneAddress = Code.add(c.laneArea(0), Code.mul(wide, Code.constant((long)
                    s.element().bytes())));
            c.block().add(action.at(address, laneAddress));
        });
        if (bits != null) {
            Code bit = Code.and(Code.ushr(bits, lane), Code.constant(1L));
            body = new Block().ifThen(Code.compare(Compare.Op.NE, bit, Code.constant(0L)), body);
        }
        quotients.next(body);
        c.block().forLoop(lane, Code.constant(0), Code.constant(s.lanes()), 1, body);
    }

    /** Values of an irregular index, one for each lane, as i64 or i32. */
    Vec laneIndices(Index index, Species s) {
        LocalVar lane = c.method.local("lane", Type.INT_TYPE);
        Code wide = Code.cast(Type.LONG_TYPE, lane);
        Map<Expr, Code> data = laneData(index, wide, null);
        Code first = c.held(c.indices.firstLane());
        LaneQuotients quotients = new LaneQuotients(c, index);
        Block body = c.nested(true, () -> {
            Code value = c.indices.lane(index, Code.add(first, wide), data::get, quotients);
            Code at = Code.add(c.laneArea(0), Code.mul(wide, Code.constant((long)
                    s.element().bytes())));
            c.block().add(Memory.store(s.element(), at, Code.cast(s.laneType(), value)));
        });
        quotients.next(body);
        c.block().forLoop(lane, Code.constant(0), Code.constant(s.lanes()), 1, body);
        return c.held(Vec.load(s, c.laneArea(0), null));
    }

    /**
     * Puts the data-dependent values of an index into the lane area, from slot 1 on; gives the code of each
     * for one lane.
     *
     * @param mask of the lanes whose index is asked for, which alone are checked; null for all
     */
    private Map<Expr, Code> laneData(Index index, Code lane, Code mask) {
        Map<Expr, Code> data = new IdentityHashMap<>();
        List<Expr> exprs = c.indices.laneData(index);
        if (exprs.size() > 3)
            throw new IllegalStateException("an index with " + exprs.size() + " data-dependent parts");
        // All values first: computing one may use the lane area.
        List<Vec> values = exprs.stream().map(e -> c.held(data(e, mask))).toList();
        for (int i = 0; i < exprs.size(); i++) {
            c.block().add(values.get(i).store(c.laneArea(i + 1), null));
            Code at = Code.add(c.laneArea(i + 1), Code.mul(lane, Code.constant(8L)));
            data.put(exprs.get(i), Memory.load(DType.I64, at));
        }
        return data;
    }

    /** A value of an index. What is checked under a mask is not kept: elsewhere it may be checked in other lanes. */
    private Vec data(Expr e, Code mask) {
        if (mask == null || !(e instanceof Expr.Checked k) || !c.varies(e)) return c.vec(e);
        Species s = c.vector().species(DType.I64);
        return new Vec(
                s, new VectorOps(c).checked(k, c.held(Masks.cast(mask, s))).code());
    }

    /** Applies a scalar function to each lane. */
    Vec perLane(Species result, List<Vec> operands, java.util.function.Function<List<Code>, Code> function) {
        LocalVar lane = c.method.local("lane", Type.INT_TYPE);
        Code wide = Code.cast(Type.LONG_TYPE, lane);
        List<Vec> held = operands.stream().map(c::held).toList();
        List<Code> args = new ArrayList<>();
        for (int i = 0; i < held.size(); i++) {
            Vec v = held.get(i);
            c.block().add(v.store(c.laneArea(i + 1), null));
            Code at = Code.add(c.laneArea(i + 1), Code.mul(wide, Code.constant((long)
                    v.species().element().bytes())));
            args.add(Memory.load(v.species().element(), at));
        }
        Code out = Code.add(c.laneArea(0), Code.mul(wide, Code.constant((long)
                result.element().bytes())));
        Block body = new Block().add(Memory.store(result.element(), out, function.apply(args)));
        c.block().forLoop(lane, Code.constant(0), Code.constant(result.lanes()), 1, body);
        return c.held(Vec.load(result, c.laneArea(0), null));
    }
}
