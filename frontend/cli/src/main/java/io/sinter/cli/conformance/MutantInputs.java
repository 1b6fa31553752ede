// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import java.util.Random;

/** Values that show faults: dense ones for places, sparse ones whose sums are rounded once in whatever order, special ones for branches. */
final class MutantInputs {
    private MutantInputs() {}

    static RefArray uniform(Type t, long seed) {
        return Sample.uniform(t, -2, 2, seed);
    }

    /** Whole numbers, so that sums are exact in any order, and many are equal. */
    static RefArray whole(Type t, long seed) {
        Random r = new Random(seed);
        return RefArray.of(t, _ -> r.nextInt(-8, 9));
    }

    /** Numbers of all sizes, none of them 0. */
    static RefArray integers(Type t, long seed) {
        Random r = new Random(seed);
        return RefArray.ofLongs(t, _ -> {
            long v = r.nextLong() >> r.nextInt(64);
            return v == 0 ? 3 : v;
        });
    }

    /** Numbers of all exponents that a type has, and of either sign. */
    static RefArray ofAllSizes(Type t, long seed) {
        Random r = new Random(seed);
        int largest = t.dtype() == DType.F64 ? 1023 : 127;
        return RefArray.of(t, _ -> Math.scalb(r.nextDouble(-2, 2), r.nextInt(-largest, largest)));
    }

    /** What functions treat apart. */
    static RefArray edges(Type t) {
        double inf = Double.POSITIVE_INFINITY;
        double[] e = {
            0,
            -0.0,
            Double.NaN,
            inf,
            -inf,
            1,
            -1,
            0x1p-149,
            0x1p-126,
            -0x1p-127,
            88.72,
            88.73,
            -87.4,
            -103.9,
            -104.1,
            0x1p127,
            0.5,
            1.5,
            2.5,
            -0.5,
            -1.5,
            9.1,
            -9.1
        };
        return RefArray.of(t, i -> i % 3 == 0 ? e[i / 3 % e.length] : Math.scalb(1 + i * 0x1p-14, i % 260 - 130));
    }

    /**
     * Zeros but for two numbers in each line along an axis, whose sum lies in the middle between two floats: it is rounded once, in whatever order the
     * line is added up. Their distance is a power of two: the one where the halves of a butterfly, or of a vector, meet.
     */
    static RefArray spikes(Type t, int axis, long seed) {
        Random r = new Random(seed);
        RefArray a = RefArray.zeros(t);
        double large = t.dtype() == DType.F64 ? 0x1p53 + 2 : 0x1p24 + 2;
        int n = Math.toIntExact(t.dim(axis));
        int inner = 1;
        for (int i = axis + 1; i < t.rank(); i++) inner *= Math.toIntExact(t.dim(i));
        int lines = a.size() / n;
        for (int line = 0; line < lines; line++) {
            int first = line / inner * n * inner + line % inner;
            int i = r.nextInt(n);
            int j = (i + (1 << r.nextInt(32 - Integer.numberOfLeadingZeros(n - 1)))) % n;
            if (j == i) j = (i + 1) % n;
            double sign = r.nextBoolean() ? 1 : -1;
            a.set(first + i * inner, sign * large);
            a.set(first + j * inner, sign);
        }
        return a;
    }

    /** Two elements in each row whose exponential is not 0. */
    static RefArray twoOfMany(Type t, long seed) {
        Random r = new Random(seed);
        RefArray a = RefArray.of(t, _ -> -300);
        int n = Math.toIntExact(t.dim(1));
        for (int row = 0; row < t.dim(0); row++) {
            int i = r.nextInt(n);
            int j = (i + (1 << r.nextInt(32 - Integer.numberOfLeadingZeros(n - 1)))) % n;
            if (j == i) j = (i + 1) % n;
            a.set(row * n + i, r.nextDouble(-3, 3));
            a.set(row * n + j, r.nextDouble(-3, 3));
        }
        return a;
    }

    /**
     * Rows of which one element is the greatest by so much that the exponentials of all others, added up in whatever order, do not change the sum:
     * it is 1, and of every other element the exponential itself is the result, to the bit. What lies behind the first {@code n} is infinite.
     */
    static RefArray dominated(Type t, int n, long seed) {
        Random r = new Random(seed);
        int stride = Math.toIntExact(t.dim(1));
        boolean wide = t.dtype() == DType.F64;
        double least = wide ? -746 : -104;
        double greatest = wide ? -45 : -23;
        RefArray a = RefArray.of(t, i -> i % stride < n ? r.nextDouble(least, greatest) : Double.POSITIVE_INFINITY);
        for (int row = 0; row < t.dim(0); row++) a.set(row * stride + r.nextInt(n), r.nextDouble(1, 2));
        return a;
    }

    /**
     * Rows of a 0 and of numbers whose exponentials, as of {@link #dominated}, are the results. They lie beside odd multiples of half a logarithm of 2, where
     * what is left beside a power of 2 changes from 1/2 to −1/2.
     */
    static RefArray halvesOfTwo(Type t) {
        int n = Math.toIntExact(t.dim(1));
        boolean wide = t.dtype() == DType.F64;
        int least = wide ? 66 : 35;
        int most = wide ? 1000 : 125;
        return RefArray.of(t, i -> {
            if (i % n == 0) return 0;
            double x = -(least + i % (most - least) + 0.5) * Math.log(2);
            int beside = i / (most - least) % 17 - 8;
            return wide ? x + beside * Math.ulp(x) : (float) x + beside * Math.ulp((float) x);
        });
    }

    /** Whole numbers that mostly grow from each row's end to its beginning, whose greatest so far is another one again and again. */
    static RefArray falling(Type t, long seed) {
        Random r = new Random(seed);
        int n = Math.toIntExact(t.dim(1));
        return RefArray.ofLongs(t, i -> (r.nextInt(10) - 3L * (i % n) << 32) + (r.nextInt() & 0xffff_ffffL));
    }

    /** Rows of little numbers, among which, seen from the end, greater ones come now and then: each is the greatest up to the next one. */
    static RefArray records(Type t, long seed) {
        Random r = new Random(seed);
        int n = Math.toIntExact(t.dim(1));
        int apart = 2 << r.nextInt(9);
        return RefArray.ofLongs(
                t,
                i -> r.nextInt(apart) == 0
                        ? ((long) n - i % n << 32) + r.nextInt(1 << 30)
                        : r.nextInt(8) - 0x1_0000_0000L);
    }

    /** In each row one element that is 7, of others that are not, and another one that is the least, of both halves of whose bits that can be told. */
    static RefArray one(Type t, long seed) {
        Random r = new Random(seed);
        int n = Math.toIntExact(t.dim(1));
        RefArray a = RefArray.ofLongs(t, _ -> 0x5_0000_0008L + r.nextInt(1 << 20));
        for (int row = 0; row < a.size() / n; row++) {
            if (row % 3 != 0) a.set(row * n + r.nextInt(n), 7L);
            a.set(row * n + r.nextInt(n), r.nextBoolean() ? -0x3_0000_0000L + row : 0x4_0000_0000L + row);
        }
        return a;
    }

    /** Zeros but for one number in each row, of either sign. */
    static RefArray single(Type t, double value, long seed) {
        Random r = new Random(seed);
        int n = Math.toIntExact(t.dim(t.rank() - 1));
        RefArray a = RefArray.zeros(t);
        for (int row = 0; row < a.size() / n; row++) a.set(row * n + r.nextInt(n), r.nextBoolean() ? value : -value);
        return a;
    }

    /** The same elements in the opposite order. */
    static RefArray backwards(RefArray a) {
        int last = a.size() - 1;
        return a.dtype().isFloat()
                ? RefArray.of(a.type(), i -> a.getDouble(last - i))
                : RefArray.ofLongs(a.type(), i -> a.getLong(last - i));
    }

    /** Ones. */
    static RefArray ones(Type t) {
        return RefArray.of(t, _ -> 1);
    }

    /** Indices in [low, high), of which the one at a place is {@code wrong}. */
    static RefArray indices(Type t, long low, long high, long seed, int place, long wrong) {
        RefArray a = Sample.uniform(t, low, high, seed);
        if (place >= 0) a.set(place % a.size(), wrong);
        return a;
    }

    /**
     * Left operand of a product: rows with two numbers, one at an even place, one at an odd one. With {@link #columns} as the right one, of each sum
     * of products one addition is rounded, in the middle between two floats.
     */
    static RefArray pairs(Type t, long seed) {
        int n = Math.toIntExact(t.dim(t.rank() - 1));
        Random r = new Random(seed);
        RefArray a = RefArray.zeros(t);
        for (int row = 0; row < a.size() / n; row++) {
            double sign = r.nextBoolean() ? 1 : -1;
            a.set(row * n + 2 * r.nextInt(n / 2), sign * (t.dtype() == DType.F64 ? 0x1p52 + 1 : 0x1p23 + 1));
            a.set(row * n + 1 + 2 * r.nextInt(n / 2), sign);
        }
        return a;
    }

    /**
     * Left operand of a product of 16 bits: with {@link #firstRows} as the right one, each sum is one more, or one less, than a number of a result's
     * last even place: in the middle between two results.
     */
    static RefArray middles(Type t) {
        int n = Math.toIntExact(t.dim(t.rank() - 1));
        double large = t.dtype() == DType.F16 ? 0x1p11 : 0x1p8;
        return RefArray.of(t, i -> {
            int row = i / n;
            double sign = row / 2 % 2 == 0 ? 1 : -1;
            return i % n == 0 ? sign * large : i % n == 1 ? sign * (1 + row % 2 * 2) : 0;
        });
    }

    /** Right operand of a product: ones in the first two rows of each matrix. */
    static RefArray firstRows(Type t) {
        int n = Math.toIntExact(t.dim(t.rank() - 1));
        int k = Math.toIntExact(t.dim(t.rank() - 2));
        return RefArray.of(t, i -> i / n % k < 2 ? 1 : 0);
    }

    /** A number with one sign or the other. */
    static RefArray signs(Type t, double value, long seed) {
        Random r = new Random(seed);
        return RefArray.of(t, _ -> r.nextBoolean() ? value : -value);
    }

    /** Right operand of a product: rows of 2 and of 1 in turn. */
    static RefArray columns(Type t) {
        int n = Math.toIntExact(t.dim(t.rank() - 1));
        int k = Math.toIntExact(t.dim(t.rank() - 2));
        return RefArray.of(t, i -> i / n % k % 2 == 0 ? 2 : 1);
    }

    /** Dense, with infinities in the last of an axis: what is read beyond the end is not to be added. */
    static RefArray infiniteEnd(Type t, int axis, long seed) {
        RefArray a = uniform(t, seed);
        int n = Math.toIntExact(t.dim(axis));
        int inner = 1;
        for (int i = axis + 1; i < t.rank(); i++) inner *= Math.toIntExact(t.dim(i));
        for (int i = 0; i < a.size(); i++) if (i / inner % n == n - 1) a.set(i, Double.POSITIVE_INFINITY);
        return a;
    }
}
