// SPDX-License-Identifier: Apache-2.0
package io.sinter.random;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * The source of random numbers: PyTorch's CPU generator, so that one seed gives PyTorch's numbers.
 *
 * <p>All draws are serial and in memory order of the array, which is part of the contract: a tensor's values
 * depend on the seed and on the draws before it, never on threads. Draws that happen <em>inside</em> compiled
 * graphs (dropout) do not use this stream; they are Philox4x32-10, a counter-based generator, keyed by {@link
 * #seed()} and by a counter that {@link #reservePhilox} hands out (the values are Sinter's own: PyTorch's
 * masks differ by build).
 *
 * <p>Uniform values and integers equal PyTorch's bit for bit; normal values to about one unit in the last
 * place, because PyTorch's vectorized logarithm and cosine differ by machine. Here they come from {@link
 * StrictMath}: one seed, the same bits everywhere.
 *
 * <p>Safe for use by several threads; each call is atomic.
 */
public final class Generator {
    /** PyTorch's seed of a generator that was never seeded. */
    public static final long DEFAULT_SEED = 67280421310721L;

    private static final float UNIT_F32 = 0x1p-24f;
    private static final double UNIT_F64 = 0x1p-53;
    private static final int BLOCK = 16;
    /** Blocks that are worth another thread: about a millisecond's. */
    private static final int PIECE = 2048;

    private static final int STATE_BYTES = 4 + 8 + 8 + 4 + 4 * MersenneTwister.WORDS + 8;
    private static final int STATE_MAGIC = 0x53_4e_47_31; // "SNG1"

    private long seed;
    private MersenneTwister twister;
    private long philoxBlocks;
    /**
     * Second half of the last Box-Muller pair; NaN when there is none. It survives other draws until the next
     * seeding.
     */
    private double cachedNormal = Double.NaN;

    /** A generator with {@link #DEFAULT_SEED}. */
    public Generator() {
        this(DEFAULT_SEED);
    }

    public Generator(long seed) {
        manualSeed(seed);
    }

    /**
     * Starts the streams anew ({@code torch.Generator.manual_seed}); the twister takes the low 32 bits,
     * Philox all 64.
     */
    public synchronized Generator manualSeed(long seed) {
        this.seed = seed;
        twister = new MersenneTwister((int) seed);
        philoxBlocks = 0;
        cachedNormal = Double.NaN;
        return this;
    }

    /** The seed last set: the key of the Philox draws. */
    public synchronized long seed() {
        return seed;
    }

    /**
     * Reserves counters for {@code elements} 32-bit draws inside a graph and returns the first block (four
     * elements use one).
     *
     * @throws IllegalArgumentException if {@code elements} is negative
     */
    public synchronized long reservePhilox(long elements) {
        if (elements < 0) throw new IllegalArgumentException("cannot reserve " + elements + " random draws");
        long first = philoxBlocks;
        philoxBlocks += elements / 4 + (elements % 4 == 0 ? 0 : 1);
        return first;
    }

    /** 32 uniform bits. */
    public synchronized int nextInt() {
        return twister.next32();
    }

    /** 64 uniform bits. */
    public synchronized long nextLong() {
        return twister.next64();
    }

    /** Uniform in [0, 1) with 53 bits. */
    public synchronized double nextDouble() {
        return unitF64();
    }

    private float unitF32() {
        return (twister.next32() & 0xffffff) * UNIT_F32;
    }

    private double unitF64() {
        return (twister.next64() & ((1L << 53) - 1)) * UNIT_F64;
    }

    /**
     * Fills with uniform values in [from, to): {@code Tensor.uniform_} for f32 (and, rounded by the caller,
     * f16 and bf16).
     */
    public synchronized void uniform(float[] out, double from, double to) {
        checkRange("uniform", from, to);
        float low = (float) from;
        float width = (float) to - low;
        for (int i = 0; i < out.length; i++) out[i] = Math.fma(unitF32(), width, low);
    }

    /** Fills with uniform values in [from, to): {@code Tensor.uniform_} for f64. */
    public synchronized void uniform(double[] out, double from, double to) {
        checkRange("uniform", from, to);
        double width = to - from;
        for (int i = 0; i < out.length; i++) out[i] = Math.fma(unitF64(), width, from);
    }

    /** Fills with normal values: {@code Tensor.normal_} of a contiguous f32 tensor. */
    public synchronized void normal(float[] out, double mean, double std) {
        checkStd(std);
        int n = out.length;
        if (n < BLOCK) {
            for (int i = 0; i < n; i++) out[i] = (float) Math.fma(gaussian(), std, mean);
            return;
        }
        for (int i = 0; i < n; i++) out[i] = unitF32();
        blocks(n / BLOCK, b -> boxMuller(out, b * BLOCK, (float) mean, (float) std));
        if (n % BLOCK != 0) {
            for (int i = n - BLOCK; i < n; i++) out[i] = unitF32();
            boxMuller(out, n - BLOCK, (float) mean, (float) std);
        }
    }

    /** Fills with normal values: {@code Tensor.normal_} of a contiguous f64 tensor. */
    public synchronized void normal(double[] out, double mean, double std) {
        checkStd(std);
        int n = out.length;
        if (n < BLOCK) {
            for (int i = 0; i < n; i++) out[i] = Math.fma(gaussian(), std, mean);
            return;
        }
        for (int i = 0; i < n; i++) out[i] = unitF64();
        blocks(n / BLOCK, b -> boxMuller(out, b * BLOCK, mean, std));
        if (n % BLOCK != 0) {
            for (int i = n - BLOCK; i < n; i++) out[i] = unitF64();
            boxMuller(out, n - BLOCK, mean, std);
        }
    }

    /**
     * Transforms blocks, many of them on several threads: numbers are drawn one after the other before, and
     * each block depends on its own alone.
     */
    private static void blocks(int count, IntConsumer transform) {
        int pieces = (count + PIECE - 1) / PIECE;
        IntConsumer piece = p -> {
            int end = Math.min(count, (p + 1) * PIECE);
            for (int b = p * PIECE; b < end; b++) transform.accept(b);
        };
        if (pieces < 2) for (int p = 0; p < pieces; p++) piece.accept(p);
        else IntStream.range(0, pieces).parallel().forEach(piece);
    }

    private static void boxMuller(float[] d, int at, float mean, float std) {
        for (int j = at; j < at + BLOCK / 2; j++) {
            float u1 = 1 - d[j];
            float radius = (float) StrictMath.sqrt(-2 * (float) StrictMath.log(u1));
            float theta = (float) (2 * Math.PI) * d[j + BLOCK / 2];
            d[j] = Math.fma(radius * (float) StrictMath.cos(theta), std, mean);
            d[j + BLOCK / 2] = Math.fma(radius * (float) StrictMath.sin(theta), std, mean);
        }
    }

    private static void boxMuller(double[] d, int at, double mean, double std) {
        for (int j = at; j < at + BLOCK / 2; j++) {
            double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - d[j]));
            double theta = 2 * Math.PI * d[j + BLOCK / 2];
            d[j] = Math.fma(radius * StrictMath.cos(theta), std, mean);
            d[j + BLOCK / 2] = Math.fma(radius * StrictMath.sin(theta), std, mean);
        }
    }

    /** One standard normal value of the element-wise stream, whose second half is kept for the next call. */
    private double gaussian() {
        if (!Double.isNaN(cachedNormal)) {
            double value = cachedNormal;
            cachedNormal = Double.NaN;
            return value;
        }
        double u1 = unitF64();
        double u2 = unitF64();
        double radius = StrictMath.sqrt(-2 * StrictMath.log1p(-u2));
        double theta = 2 * Math.PI * u1;
        cachedNormal = radius * StrictMath.sin(theta);
        return radius * StrictMath.cos(theta);
    }

    /**
     * Fills with integers in [low, high): {@code torch.randint}.
     *
     * @throws IllegalArgumentException if {@code high <= low}
     */
    public synchronized void randint(long[] out, long low, long high) {
        if (high <= low) throw new IllegalArgumentException("randint: empty range [" + low + ", " + high + ")");
        long range = high - low; // unsigned: may pass Long.MAX_VALUE
        boolean oneWord = Long.compareUnsigned(range, 1L << 28) < 0;
        for (int i = 0; i < out.length; i++) {
            long bits = oneWord ? twister.next32() & 0xffffffffL : twister.next64();
            out[i] = Long.remainderUnsigned(bits, range) + low;
        }
    }

    /**
     * Fills with trials of success probability {@code p}: {@code Tensor.bernoulli_(p)}, one f64 uniform each.
     */
    public synchronized void bernoulli(boolean[] out, double p) {
        if (!(p >= 0 && p <= 1))
            throw new IllegalArgumentException("bernoulli: probability " + p + " is not in [0, 1]");
        for (int i = 0; i < out.length; i++) out[i] = unitF64() < p;
    }

    /** Trials with a probability each: {@code torch.bernoulli} of an f32 tensor, one f32 uniform each. */
    public synchronized void bernoulli(boolean[] out, float[] p) {
        checkProbabilities(out.length, p.length);
        for (int i = 0; i < out.length; i++) {
            if (!(p[i] >= 0 && p[i] <= 1)) throw badProbability(p[i]);
            out[i] = unitF32() < p[i];
        }
    }

    /** Trials with a probability each: {@code torch.bernoulli} of an f64 tensor, one f64 uniform each. */
    public synchronized void bernoulli(boolean[] out, double[] p) {
        checkProbabilities(out.length, p.length);
        for (int i = 0; i < out.length; i++) {
            if (!(p[i] >= 0 && p[i] <= 1)) throw badProbability(p[i]);
            out[i] = unitF64() < p[i];
        }
    }

    /**
     * A random permutation of 0 … n-1: {@code torch.randperm}.
     *
     * @throws IllegalArgumentException if {@code n} is negative
     */
    public synchronized long[] permutation(int n) {
        if (n < 0) throw new IllegalArgumentException("permutation of " + n + " elements");
        long[] p = new long[n];
        for (int i = 0; i < n; i++) p[i] = i;
        for (int i = 0; i < n - 1; i++) {
            int j = i + Integer.remainderUnsigned(twister.next32(), n - i);
            long t = p[i];
            p[i] = p[j];
            p[j] = t;
        }
        return p;
    }

    /** The whole state, to be given to {@link #setState}: it continues every stream exactly where it was. */
    public synchronized byte[] state() {
        ByteBuffer b = ByteBuffer.allocate(STATE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        b.putInt(STATE_MAGIC).putLong(seed).putLong(philoxBlocks).putInt(twister.next);
        for (int w : twister.words) b.putInt(w);
        return b.putDouble(cachedNormal).array();
    }

    /**
     * Continues from {@link #state()}.
     *
     * @throws IllegalArgumentException if the bytes are not such a state
     */
    public synchronized void setState(byte[] state) {
        if (state.length != STATE_BYTES) {
            throw new IllegalArgumentException(
                    "a generator's state has " + STATE_BYTES + " bytes, not " + state.length);
        }
        ByteBuffer b = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        if (b.getInt() != STATE_MAGIC) throw new IllegalArgumentException("not the state of a generator");
        long newSeed = b.getLong();
        long newBlocks = b.getLong();
        int next = b.getInt();
        if (next < 0 || next > MersenneTwister.WORDS) {
            throw new IllegalArgumentException("not the state of a generator: position " + next);
        }
        int[] words = new int[MersenneTwister.WORDS];
        for (int i = 0; i < words.length; i++) words[i] = b.getInt();
        seed = newSeed;
        philoxBlocks = newBlocks;
        twister = new MersenneTwister(words, next);
        cachedNormal = b.getDouble();
    }

    private static void checkRange(String what, double from, double to) {
        if (!(from <= to)) throw new IllegalArgumentException(what + ": range [" + from + ", " + to + ") is empty");
    }

    private static void checkStd(double std) {
        if (!(std >= 0)) throw new IllegalArgumentException("normal: standard deviation " + std + " is not >= 0");
    }

    private static void checkProbabilities(int out, int p) {
        if (out != p) throw new IllegalArgumentException("bernoulli: " + p + " probabilities for " + out + " trials");
    }

    private static IllegalArgumentException badProbability(double p) {
        return new IllegalArgumentException("bernoulli: probability " + p + " is not in [0, 1]");
    }
}
