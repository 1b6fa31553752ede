// SPDX-License-Identifier: Apache-2.0
package io.sinter.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Known answers of PyTorch 2.13 (CPU, seed 0 unless said), and the generator's own rules. */
class GeneratorTest {
    private final Generator g = new Generator(0);

    @Test
    void wordsAreThoseOfTheReferenceTwister() {
        // numpy.random.RandomState(0).randint(0, 2**32): the first tempered words of seed 0
        assertEquals(2357136044L, g.nextInt() & 0xffffffffL);
        assertEquals(2546248239L, g.nextInt() & 0xffffffffL);
        assertEquals(3071714933L, g.nextInt() & 0xffffffffL);
        // the reference implementation's 10,000th word of its default seed 5489, the known answer of C++'s std::mt19937
        g.manualSeed(5489);
        int last = 0;
        for (int i = 0; i < 10_000; i++) last = g.nextInt();
        assertEquals(4123659995L, last & 0xffffffffL);
    }

    @Test
    void uniform() {
        assertFloats(new double[] {0.49625658988952637, 0.7682217955589294, 0.08847743272781372}, uniform(3, 0, 1), 0);
        g.manualSeed(0);
        assertFloats(
                new double[] {0.1962565779685974, 0.4682217836380005, -0.21152257919311523}, uniform(3, -0.3, 0.7), 0);
        g.manualSeed(0);
        double[] d = new double[3];
        g.uniform(d, 0, 1);
        assertArrayEquals(new double[] {0.9700530018065531, 0.707819864399788, 0.45938294312745087}, d, 1e-15);
    }

    @Test
    void seedsUseTheirLow32Bits() {
        g.manualSeed(-1);
        assertFloats(new double[] {0.9937993884086609, 0.5713063478469849}, uniform(2, 0, 1), 0);
        g.manualSeed((1L << 40) + 5);
        assertFloats(new double[] {0.8302518725395203, 0.12611091136932373}, uniform(2, 0, 1), 0);
        assertEquals((1L << 40) + 5, g.seed());
    }

    @Test
    void normalByBlocksOfSixteenWithItsTailRule() {
        double[] expected20 = {
            -1.1258398294448853,
            -1.152360200881958,
            -0.2505785822868347,
            -0.4338788092136383,
            0.5988394618034363,
            -1.5550950765609741,
            -0.3413603901863098,
            1.85300612449646,
            0.46809640526771545,
            -0.1577124446630478,
            1.4436601400375366,
            0.26604941487312317,
            1.3893661499023438,
            1.586334228515625,
            0.946298360824585,
            -0.843676745891571,
            0.9318265914916992,
            1.2590092420578003,
            2.0049805641174316,
            0.05373690277338028
        };
        assertFloats(expected20, normal(20, 0, 1), 5e-7);
        double[] expected17 = {
            -4.27602950058544,
            -0.08318652216877369,
            -1.6523116392985961,
            -0.3173776551635276,
            1.4500881227305933,
            2.025749725254237,
            1.9429733784841645,
            -0.5762751275211224,
            2.0967951454204266,
            0.8933015438528558,
            -0.4325281932395452,
            -2.487953720195767,
            -0.21750923510886588,
            5.220185789526681,
            0.3789604882213723,
            -0.7275075879268438,
            3.1871438589850096
        };
        double[] d = new double[17];
        g.manualSeed(0);
        g.normal(d, 1.5, 2.5);
        assertArrayEquals(expected17, d, 1e-14);
    }

    @Test
    void manyNormalsOnSeveralThreadsAreThoseOfManySmallFills() {
        float[] many = normal(16 * 10_001, 0.5, 2);
        double[] wide = new double[16 * 5_001];
        g.normal(wide, 0.5, 2);
        g.manualSeed(0);
        for (int i = 0; i < many.length; i += 16)
            assertArrayEquals(Arrays.copyOfRange(many, i, i + 16), normal(16, 0.5, 2), 0f);
        double[] few = new double[16];
        for (int i = 0; i < wide.length; i += 16) {
            g.normal(few, 0.5, 2);
            assertArrayEquals(Arrays.copyOfRange(wide, i, i + 16), few, 0.0);
        }
    }

    @Test
    void normalOneByOneKeepsTheSecondHalfOfAPair() {
        assertFloats(new double[] {1.5409960746765137, -0.293428897857666, -2.1787893772125244}, normal(3, 0, 1), 0);
        double[] d = new double[2];
        g.normal(d, 0, 1);
        assertArrayEquals(new double[] {0.5684312772806678, -1.084522342424021}, d, 1e-15);
        assertFloats(new double[] {0.022325754165649414, 0.16885894536972046}, uniform(2, 0, 1), 0);
        // the pair's second half, kept across the uniform draws
        assertFloats(new double[] {-1.3985954523086548, -0.7830641269683838, 1.0621709823608398}, normal(3, 0, 1), 0);
    }

    @Test
    void randint() {
        assertArrayEquals(new long[] {4, 9, 3, 0, 3, 9, 7, 3, 7, 3}, randint(10, 0, 10));
        assertArrayEquals(new long[] {124254, 235504, 699573, 75625, 836018, 829954}, reseeded(6, -5, 1_000_000));
        assertArrayEquals(new long[] {209652404, 130329144, 118924928}, reseeded(3, 0, (1L << 28) - 1));
        assertArrayEquals(new long[] {130329135, 136432832, 195187451}, reseeded(3, 0, 1L << 28));
        assertArrayEquals(
                new long[] {900440291289639471L, 510765438681074880L, 742717097475461883L},
                reseeded(3, -(1L << 40), 1L << 60));
        for (long v : randint(100, Long.MIN_VALUE, Long.MAX_VALUE)) assertTrue(v < Long.MAX_VALUE);
        assertThrows(IllegalArgumentException.class, () -> randint(1, 3, 3));
    }

    @Test
    void permutation() {
        assertArrayEquals(new long[] {4, 1, 7, 5, 3, 9, 0, 8, 6, 2}, g.permutation(10));
        g.manualSeed(0);
        long[] p = g.permutation(40_000);
        assertArrayEquals(new long[] {16044, 31897, 28527, 5740}, Arrays.copyOf(p, 4));
        assertFloats(new double[] {0.3036630153656006}, uniform(1, 0, 1), 0);
        g.manualSeed(0);
        assertArrayEquals(new long[] {0}, g.permutation(1));
        assertFloats(new double[] {0.49625658988952637}, uniform(1, 0, 1), 0);
    }

    @Test
    void bernoulli() {
        boolean[] out = new boolean[8];
        g.bernoulli(out, 0.5);
        assertArrayEquals(new boolean[] {false, false, true, false, false, false, true, true}, out);
        assertFloats(new double[] {0.6976675987243652}, uniform(1, 0, 1), 0);
        g.manualSeed(0);
        float[] p = new float[8];
        Arrays.fill(p, 0.3f);
        g.bernoulli(out, p);
        assertArrayEquals(new boolean[] {false, false, true, true, false, false, false, false}, out);
        assertFloats(new double[] {0.455627977848053}, uniform(1, 0, 1), 0);
        assertThrows(IllegalArgumentException.class, () -> g.bernoulli(out, Double.NaN));
    }

    @Test
    void stateContinuesEveryStream() {
        normal(3, 0, 1); // leaves half a pair
        g.reservePhilox(9);
        byte[] state = g.state();
        float[] normals = normal(5, 0, 1);
        long[] ints = randint(700, 0, 1 << 20); // past the next twist
        long block = g.reservePhilox(1);
        Generator other = new Generator(7);
        other.setState(state);
        float[] again = new float[5];
        other.normal(again, 0, 1);
        assertArrayEquals(normals, again);
        long[] intsAgain = new long[700];
        other.randint(intsAgain, 0, 1 << 20);
        assertArrayEquals(ints, intsAgain);
        assertEquals(3, block);
        assertEquals(block, other.reservePhilox(1));
        assertEquals(0, other.seed());
        assertThrows(IllegalArgumentException.class, () -> other.setState(new byte[12]));
        assertThrows(IllegalArgumentException.class, () -> other.setState(new byte[state.length]));
    }

    @Test
    void philoxBlocksHoldFourWords() {
        assertEquals(0, g.reservePhilox(1));
        assertEquals(1, g.reservePhilox(4));
        assertEquals(2, g.reservePhilox(5));
        assertEquals(4, g.reservePhilox(0));
        assertEquals(4, g.reservePhilox(1));
        assertThrows(IllegalArgumentException.class, () -> g.reservePhilox(-1));
    }

    private float[] uniform(int n, double from, double to) {
        float[] out = new float[n];
        g.uniform(out, from, to);
        return out;
    }

    private float[] normal(int n, double mean, double std) {
        float[] out = new float[n];
        g.normal(out, mean, std);
        return out;
    }

    private long[] randint(int n, long low, long high) {
        long[] out = new long[n];
        g.randint(out, low, high);
        return out;
    }

    private long[] reseeded(int n, long low, long high) {
        g.manualSeed(0);
        return randint(n, low, high);
    }

    private static void assertFloats(double[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance, "element " + i);
        }
    }
}
