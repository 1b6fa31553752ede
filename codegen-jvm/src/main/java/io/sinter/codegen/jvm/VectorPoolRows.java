// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.constant;
import static io.sinter.codegen.jvm.bytecode.Code.lt;
import static io.sinter.codegen.jvm.bytecode.Code.sub;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import org.objectweb.asm.Type;

/** Generates {@link PoolRows} in the Vector API. */
final class VectorPoolRows {
    private final Species floats;
    private final Species ints;
    private final ClassBuilder cls;

    private VectorPoolRows(String className, int bits) {
        floats = new Species(DType.F32, bits / 32);
        ints = floats.integral();
        cls = new ClassBuilder(className, "io/sinter/codegen/jvm/PoolRows", null);
    }

    /** The class file of a subclass of {@link PoolRows}. */
    static byte[] generate(String className, int bits) {
        VectorPoolRows v = new VectorPoolRows(className, bits);
        v.rows("start", false);
        v.rows("meet", true);
        v.take();
        v.finish();
        return v.cls.toBytes();
    }

    private void rows(String name, boolean meets) {
        MethodBuilder m = cls.method(name, Type.VOID_TYPE);
        LocalVar from = m.parameter("from", Type.LONG_TYPE);
        LocalVar line = m.parameter("line", Type.INT_TYPE);
        LocalVar values = m.parameter("values", Type.LONG_TYPE);
        LocalVar places = m.parameter("places", Type.LONG_TYPE);
        LocalVar count = m.parameter("count", Type.INT_TYPE);
        LocalVar lane = m.local("lane", ints.vectorType());
        LocalVar i = m.local("i", Type.INT_TYPE);
        LocalVar mask = m.local("mask", Species.MASK);
        m.body().add(lane.set(Vec.iota(ints).code()));
        Block[] blocks = new Block[2];
        for (int tail = 0; tail < 2; tail++) {
            Code part = tail == 1 ? mask : null;
            LocalVar element = m.local("element" + tail, floats.vectorType());
            Block b = new Block();
            if (tail == 1) b.add(mask.set(floats.indexInRange(i, count)));
            b.add(element.set(Vec.load(floats, from, part).code()));
            Vec value = new Vec(floats, element);
            Vec place = new Vec(ints, lane).add(Vec.broadcast(ints, add(line, i)));
            if (meets) {
                LocalVar best = m.local("best" + tail, floats.vectorType());
                LocalVar greater = m.local("greater" + tail, Species.MASK);
                b.add(best.set(Vec.load(floats, values, null).code()));
                b.add(greater.set(greater(value, new Vec(floats, best))));
                value = new Vec(floats, best).blend(value, greater);
                place = Vec.load(ints, places, null).blend(place, Masks.cast(greater, ints));
            }
            b.add(value.store(values, part), place.store(places, part == null ? null : Masks.cast(part, ints)));
            b.add(next(from), next(values), next(places));
            blocks[tail] = b;
        }
        loop(m, i, count, blocks[0], blocks[1]);
    }

    private void take() {
        MethodBuilder m = cls.method("take", Type.VOID_TYPE);
        LocalVar candidates = m.parameter("candidates", Type.LONG_TYPE);
        LocalVar theirs = m.parameter("theirPlaces", Type.LONG_TYPE);
        LocalVar values = m.parameter("values", Type.LONG_TYPE);
        LocalVar places = m.parameter("places", Type.LONG_TYPE);
        LocalVar count = m.parameter("count", Type.INT_TYPE);
        LocalVar element = m.local("element", floats.vectorType());
        LocalVar best = m.local("best", floats.vectorType());
        LocalVar theirPlace = m.local("theirPlace", ints.vectorType());
        LocalVar place = m.local("place", ints.vectorType());
        LocalVar takes = m.local("takes", Species.MASK);
        Vec e = new Vec(floats, element);
        Vec b = new Vec(floats, best);
        // Neither is less, nor is one of them alone NaN.
        Code equal = Masks.or(e.compare("EQ", b), Masks.and(e.compare("NE", e), b.compare("NE", b)));
        Code earlier = Masks.cast(new Vec(ints, theirPlace).compare("LT", new Vec(ints, place)), floats);
        Block step = new Block()
                .add(element.set(Vec.load(floats, candidates, null).code()))
                .add(best.set(Vec.load(floats, values, null).code()))
                .add(theirPlace.set(Vec.load(ints, theirs, null).code()))
                .add(place.set(Vec.load(ints, places, null).code()))
                .add(takes.set(Masks.or(greater(e, b), Masks.and(equal, earlier))))
                .add(b.blend(e, takes).store(values, null))
                .add(new Vec(ints, place)
                        .blend(new Vec(ints, theirPlace), Masks.cast(takes, ints))
                        .store(places, null))
                .add(next(candidates), next(theirs), next(values), next(places));
        m.body().forLoop(m.local("i", Type.INT_TYPE), constant(0), count, floats.lanes(), step);
    }

    /**
     * Half a vector of places at a time, as they become twice as wide. Values are moved as integers: once vectors of floats of a second width
     * exist, HotSpot no longer knows which class a float vector is, and the tiles of matrix products put their sums into objects.
     */
    private void finish() {
        MethodBuilder m = cls.method("finish", Type.VOID_TYPE);
        LocalVar values = m.parameter("values", Type.LONG_TYPE);
        LocalVar places = m.parameter("places", Type.LONG_TYPE);
        LocalVar toValues = m.parameter("toValues", Type.LONG_TYPE);
        LocalVar toPlaces = m.parameter("toPlaces", Type.LONG_TYPE);
        LocalVar count = m.parameter("count", Type.INT_TYPE);
        Species narrow = new Species(DType.I32, floats.lanes() / 2);
        Species wide = new Species(DType.I64, floats.lanes() / 2);
        LocalVar place = m.local("place", narrow.vectorType());
        LocalVar i = m.local("i", Type.INT_TYPE);
        LocalVar mask = m.local("mask", Species.MASK);
        Block[] blocks = new Block[2];
        for (int tail = 0; tail < 2; tail++) {
            Vec p = new Vec(narrow, place);
            Code none = p.compare("EQ", Vec.bits(narrow, Integer.MAX_VALUE));
            Vec known = p.blend(Vec.bits(narrow, 0), none).convert("I2L", wide);
            Block b = new Block();
            if (tail == 1) b.add(mask.set(narrow.indexInRange(i, count)));
            b.add(place.set(Vec.load(narrow, places, null).code()))
                    .add(Vec.load(narrow, values, null).store(toValues, tail == 1 ? mask : null))
                    .add(known.store(toPlaces, tail == 1 ? Masks.cast(mask, wide) : null));
            for (LocalVar at : new LocalVar[] {values, places, toValues})
                b.add(at.set(add(at, constant(narrow.bits() / 8L))));
            blocks[tail] = b.add(toPlaces.set(add(toPlaces, constant(wide.bits() / 8L))));
        }
        m.body()
                .forLoop(i, constant(0), sub(count, constant(narrow.lanes() - 1)), narrow.lanes(), blocks[0])
                .ifThen(lt(i, count), blocks[1]);
    }

    /** Greater, or NaN where the other is none. */
    private static Code greater(Vec a, Vec than) {
        return Masks.andNot(than.compare("EQ", than), a.compare("LE", than));
    }

    private void loop(MethodBuilder m, LocalVar i, LocalVar count, Block step, Block tail) {
        m.body()
                .forLoop(i, constant(0), sub(count, constant(floats.lanes() - 1)), floats.lanes(), step)
                .ifThen(lt(i, count), tail);
    }

    private Code next(LocalVar address) {
        return address.set(add(address, constant(floats.bits() / 8L)));
    }
}
