// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * Random 32-bit words, a pure function of a key and an offset (i64 scalars): Philox4x32-10 (Salmon
 * et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). Element e (row-major) is word
 * {@code e % 4} of the block whose counter is {@code offset + e / 4} (64 bits; upper words 0),
 * under the key's two halves, low word first.
 */
public record RandomBits(Shape shape) implements Leaf {
    private static final int MULTIPLIER_0 = 0xD2511F53;
    private static final int MULTIPLIER_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    @Override
    public String name() {
        return "random_bits";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("shape", shape.toArray());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        for (Type t : in) {
            if (!t.equals(Type.scalar(DType.I64)))
                throw OpException.of(name(), in, "key and offset must be i64[], got " + t);
        }
        return List.of(new Type(DType.I32, shape));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    /**
     * The four words of the block with this counter of 128 bits: ten rounds, the key bumped by Weyl
     * constants between them.
     */
    public static int[] philox(long key, long counterLow, long counterHigh) {
        int c0 = (int) counterLow;
        int c1 = (int) (counterLow >>> 32);
        int c2 = (int) counterHigh;
        int c3 = (int) (counterHigh >>> 32);
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = Integer.toUnsignedLong(MULTIPLIER_0) * Integer.toUnsignedLong(c0);
            long p1 = Integer.toUnsignedLong(MULTIPLIER_1) * Integer.toUnsignedLong(c2);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return new int[] {c0, c1, c2, c3};
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        long key = in.get(0).getLong(0);
        long offset = in.get(1).getLong(0);
        return List.of(RefArray.ofLongs(new Type(DType.I32, shape), e -> philox(key, offset + e / 4, 0)[e % 4]));
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                sample(Shape.of(3, 5), 0x0123456789abcdefL, 0),
                sample(Shape.of(2, 2, 2), -1, 7),
                sample(Shape.of(13), 42, 0xffffffffL),
                sample(Shape.SCALAR, 1, 3));
    }

    private static Sample sample(Shape shape, long key, long offset) {
        return Sample.values(
                new RandomBits(shape),
                RefArray.ofLongs(DType.I64, Shape.SCALAR, key),
                RefArray.ofLongs(DType.I64, Shape.SCALAR, offset));
    }
}
