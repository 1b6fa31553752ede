// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products of matrices against sums by hand: fragments are laid out as the PTX ISA's tables say, element for element, and shared memory as its canonical
 * layouts do.
 */
class MatrixTest {
    /** Where element {@code i} of a lane's fragment is, given the lane's group and its number in it. */
    private interface Layout {
        int[] at(int i, int group, int thread);
    }

    /**
     * A form of {@code mma}.
     *
     * @param type of the operands
     * @param sum type of c and d
     * @param a row and column of an element of a
     * @param b row and column of an element of b
     */
    private record Form(int m, int k, PtxType type, PtxType sum, Layout a, Layout b) {
        String opcode() {
            return "mma.sync.aligned.m" + m + "n8k" + k + ".row.col." + sum + "." + type + "." + type + "." + sum;
        }

        int each(int rows, int columns) {
            return rows * columns / 32;
        }
    }

    private static int[] at(int row, int column) {
        return new int[] {row, column};
    }

    private static final Layout A_K16 = (i, g, t) -> at(g + (i / 2 % 2) * 8, 2 * t + i % 2 + i / 4 * 8);
    private static final Layout B_K16 = (i, g, t) -> at(2 * t + i % 2 + i / 2 * 8, g);
    private static final Layout A_BYTES = (i, g, t) -> at(g + (i / 4 % 2) * 8, 4 * t + i % 4 + i / 8 * 16);
    private static final Layout B_BYTES = (i, g, t) -> at(4 * t + i % 4 + i / 4 * 16, g);
    private static final Layout A_WORDS = (i, g, t) -> at(g + i % 2 * 8, t + i / 2 * 4);
    private static final Layout B_WORDS = (i, g, t) -> at(t + i * 4, g);

    @TestFactory
    Stream<DynamicTest> fragments() {
        PtxType f32 = PtxType.F32;
        return Stream.of(
                        new Form(16, 16, PtxType.BF16, f32, A_K16, B_K16),
                        new Form(16, 16, PtxType.F16, f32, A_K16, B_K16),
                        new Form(16, 16, PtxType.F16, PtxType.F16, A_K16, B_K16),
                        new Form(16, 8, PtxType.BF16, f32, A_K16, B_K16),
                        new Form(16, 8, PtxType.F16, f32, A_K16, B_K16),
                        new Form(16, 8, PtxType.TF32, f32, A_WORDS, B_WORDS),
                        new Form(16, 4, PtxType.TF32, f32, A_WORDS, B_WORDS),
                        new Form(16, 32, PtxType.S8, PtxType.S32, A_BYTES, B_BYTES),
                        new Form(16, 16, PtxType.U8, PtxType.S32, A_BYTES, B_BYTES),
                        new Form(8, 4, PtxType.F64, PtxType.F64, (_, g, t) -> at(g, t), (_, g, t) -> at(t, g)))
                .map(f -> DynamicTest.dynamicTest(f.opcode(), () -> product(f)));
    }

    private static final Random RANDOM = new Random(3);

    private static int[][] matrix(int rows, int columns) {
        int[][] x = new int[rows][columns];
        for (int[] row : x) for (int c = 0; c < columns; c++) row[c] = RANDOM.nextInt(7);
        return x;
    }

    /** Each lane's registers one after the other, elements from the low bits on. */
    private static byte[] pack(int[][] x, int each, PtxType t, Layout l) {
        ByteBuffer b = ByteBuffer.allocate(32 * each * t.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < each; i++) {
                int[] at = l.at(i, lane / 4, lane % 4);
                double v = x[at[0]][at[1]];
                long bits = t.isFloat() ? Floats.encode(t, v, Rounding.RN) : (long) v;
                switch (t.bytes()) {
                    case 1 -> b.put((byte) bits);
                    case 2 -> b.putShort((short) bits);
                    case 4 -> b.putInt((int) bits);
                    default -> b.putLong(bits);
                }
            }
        }
        return b.array();
    }

    private static void product(Form f) {
        int[][] a = matrix(f.m, f.k);
        int[][] b = matrix(f.k, 8);
        int[][] c = matrix(f.m, 8);
        Layout sums = (i, g, t) -> at(g + i / 2 * 8, 2 * t + i % 2);
        boolean wide = f.type == PtxType.F64;
        StringBuilder ptx = new StringBuilder("""
                .version 8.0
                .target sm_80
                .address_size 64
                .visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d) {
                    .reg .b32 %t; .reg .b64 %p, %x; .reg .b32 %w<40>; .reg .f64 %e<20>;
                    mov.u32 %t, %tid.x;
                """);
        int next = 0;
        String[] vectors = new String[3];
        PtxType[] types = {f.type, f.type, f.sum};
        int[] each = {f.each(f.m, f.k), f.each(f.k, 8), f.each(f.m, 8)};
        String register = wide ? "%e" : "%w";
        int bytes = wide ? 8 : 4;
        for (int o = 0; o < 3; o++) {
            int registers = each[o] * types[o].bytes() / bytes;
            ptx.append("ld.param.u64 %p, [").append("abc".charAt(o)).append("]; mad.wide.u32 %p, %t, ");
            ptx.append(registers * bytes).append(", %p;\n");
            StringBuilder v = new StringBuilder();
            for (int r = 0; r < registers; r++) {
                ptx.append("ld.global.")
                        .append(wide ? "f64 " : "b32 ")
                        .append(register)
                        .append(next);
                ptx.append(", [%p+").append(r * bytes).append("];\n");
                v.append(r == 0 ? "" : ", ").append(register).append(next++);
            }
            vectors[o] = "{" + v + "}";
        }
        ptx.append(f.opcode())
                .append(" ")
                .append(vectors[2])
                .append(", ")
                .append(vectors[0])
                .append(", ");
        ptx.append(vectors[1]).append(", ").append(vectors[2]).append(";\nld.param.u64 %p, [d]; mad.wide.u32 %p, %t, ");
        int out = each[2] * f.sum.bytes() / bytes;
        ptx.append(out * bytes).append(", %p;\n");
        for (int r = 0; r < out; r++) {
            ptx.append("st.global.")
                    .append(wide ? "f64" : "b32")
                    .append(" [%p+")
                    .append(r * bytes)
                    .append("], ");
            ptx.append(register).append(next - out + r).append(";\n");
        }
        Launcher l = new Launcher(ptx.append("ret; }").toString());
        long d = l.empty(32L * out * bytes);
        l.launch(
                "k",
                Dim3.of(1),
                Dim3.of(32),
                l.buffer(pack(a, each[0], f.type, f.a)),
                l.buffer(pack(b, each[1], f.type, f.b)),
                l.buffer(pack(c, each[2], f.sum, sums)),
                d);
        int[][] want = new int[f.m][8];
        for (int i = 0; i < f.m; i++) {
            for (int j = 0; j < 8; j++) {
                want[i][j] = c[i][j];
                for (int k = 0; k < f.k; k++) want[i][j] += a[i][k] * b[k][j];
            }
        }
        byte[] got = new byte[32 * out * bytes];
        l.device.memory().copyOut(d, java.lang.foreign.MemorySegment.ofArray(got));
        org.junit.jupiter.api.Assertions.assertArrayEquals(pack(want, each[2], f.sum, sums), got);
    }

    /** Matrix j's element (r, c) is {@code 100 j + 8 r + c}; stored from fragments, and loaded again the other way round. */
    @ParameterizedTest
    @CsvSource({"1,false", "2,false", "4,false", "1,true", "2,true", "4,true"})
    void storedAndLoaded(int count, boolean transposed) {
        String trans = transposed ? ".trans" : "";
        String back = transposed ? "" : ".trans";
        StringBuilder v = new StringBuilder();
        StringBuilder loads = new StringBuilder();
        StringBuilder stores = new StringBuilder();
        for (int r = 0; r < count; r++) {
            v.append(r == 0 ? "" : ", ").append("%w").append(r);
            loads.append("ld.global.b32 %w" + r + ", [%p+" + 4 * r + "];\n");
            stores.append("st.global.b32 [%p+" + 4 * r + "], %w" + r + ";\n");
        }
        String ptx = """
                .version 8.0
                .target sm_90
                .address_size 64
                .visible .entry k(.param .u64 x, .param .u64 y, .param .u64 z) {
                    .reg .b32 %t, %s, %m, %w<4>; .reg .b64 %p, %q; .reg .v4 .b32 %v;
                    .shared .align 16 .b8 s[512];
                    mov.u32 %t, %tid.x; mov.u32 %s, s;
                    ld.param.u64 %p, [x]; mad.wide.u32 %p, %t, BYTES, %p;
                LOADS
                    rem.u32 %m, %t, ROWS; mad.lo.u32 %m, %m, 16, %s;
                    stmatrix.sync.aligned.m8n8.xCOUNTTRANS.shared.b16 [%m], {VECTOR};
                    bar.sync 0;
                    ld.param.u64 %q, [y]; mad.wide.u32 %q, %t, 4, %q; mad.lo.u32 %s, %t, 4, %s;
                COPIES
                    sub.u32 %s, %s, 0;
                    ldmatrix.sync.aligned.m8n8.xCOUNTBACK.shared.b16 {VECTOR}, [%m];
                    ld.param.u64 %p, [z]; mad.wide.u32 %p, %t, BYTES, %p;
                STORES
                    ret;
                }
                """;
        StringBuilder copies = new StringBuilder();
        for (int r = 0; r < count; r++) {
            copies.append("ld.shared.b32 %w" + r + ", [%s+" + 128 * r + "]; st.global.b32 [%q+" + 128 * r + "], %w" + r
                    + ";\n");
        }
        ptx = ptx.replace(" .reg .v4 .b32 %v;", "")
                .replace("    sub.u32 %s, %s, 0;\n", "")
                .replace("BYTES", "" + 4 * count)
                .replace("LOADS", loads)
                .replace("STORES", stores)
                .replace("COPIES", copies)
                .replace("ROWS", "" + 8 * count)
                .replace("COUNT", "" + count)
                .replace("TRANS", trans)
                .replace("BACK", back)
                .replace("VECTOR", v);
        Launcher l = new Launcher(ptx);
        short[] x = new short[64 * count];
        for (int lane = 0; lane < 32; lane++) {
            for (int j = 0; j < count; j++) {
                for (int h = 0; h < 2; h++) {
                    int row = lane / 4;
                    int column = 2 * (lane % 4) + h;
                    x[2 * (lane * count + j) + h] = (short) (100 * j + 8 * row + column);
                }
            }
        }
        long y = l.empty(128L * count);
        long z = l.empty(128L * count);
        l.launch("k", Dim3.of(1), Dim3.of(32), l.buffer(x), y, z);
        short[] memory = l.shorts(y, 64 * count);
        short[] again = l.shorts(z, 64 * count);
        for (int j = 0; j < count; j++) {
            for (int r = 0; r < 8; r++) {
                for (int c = 0; c < 8; c++) {
                    int stored = transposed ? 8 * c + r : 8 * r + c;
                    assertEquals(100 * j + stored, memory[64 * j + 8 * r + c], "matrix " + j);
                    // Loading with the other order turns what lies in memory.
                    int lane = 4 * r + c / 2;
                    int turned = transposed ? stored : 8 * c + r;
                    assertEquals(100 * j + turned, again[2 * (lane * count + j) + c % 2], "fragment " + j);
                }
            }
        }
    }

    /**
     * {@code wgmma} of 64 × 16 × 16 on every canonical layout, which tensor copies make: lines of {@code swizzle} bytes along k or along the rows; without a
     * swizzle 8 × 8 core matrices.
     */
    @ParameterizedTest
    @CsvSource({
        "128,false,false",
        "64,false,false",
        "32,false,false",
        "0,false,false",
        "128,true,true",
        "64,true,true",
        "32,true,true",
        "0,true,true",
        "64,true,false",
        "32,false,true",
        "0,true,false"
    })
    void warpgroups(int swizzle, boolean turnA, boolean turnB) {
        Operand a = new Operand(64, swizzle, turnA);
        Operand b = new Operand(16, swizzle, turnB);
        String ptx = """
                .version 8.0
                .target sm_90a
                .address_size 64
                .visible .entry product(.param .align 64 .b8 ma[128], .param .align 64 .b8 mb[128], .param .u64 out) {
                    .reg .b32 %t, %a, %b, %bar, %c<2>, %w, %l, %row, %at, %x; .reg .b64 %m<2>, %o, %d<2>; .reg .f32 %f<8>; .reg .pred %lead, %p, %no;
                    .shared .align 1024 .b8 a[16384];
                    .shared .align 1024 .b8 b[16384];
                    .shared .align 8 .b8 bar[8];
                    mov.u32 %t, %tid.x; mov.u32 %a, a; mov.u32 %b, b; mov.u32 %bar, bar;
                    mov.b64 %m0, ma; cvta.param.u64 %m0, %m0;
                    mov.b64 %m1, mb; cvta.param.u64 %m1, %m1;
                    setp.eq.u32 %lead, %t, 0;
                    @%lead mbarrier.init.shared.b64 [%bar], 1;
                    bar.sync 0;
                    @!%lead bra W;
                    mbarrier.arrive.expect_tx.shared.b64 _, [%bar], BYTES;
                COPIES
                W:  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
                    @!%p bra W;
                    shr.u32 %x, %a, 4; cvt.u64.u32 %d0, %x; or.b64 %d0, %d0, DESCA;
                    shr.u32 %x, %b, 4; cvt.u64.u32 %d1, %x; or.b64 %d1, %d1, DESCB;
                    setp.ne.u32 %no, %bar, %bar;
                    wgmma.fence.sync.aligned;
                    wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}, %d0, %d1, %no, 1, 1, TURNA, TURNB;
                    wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;
                    shr.u32 %w, %t, 5; and.b32 %l, %t, 31;
                    shr.u32 %row, %l, 2; mad.lo.u32 %row, %w, 16, %row;
                    and.b32 %x, %l, 3; shl.b32 %x, %x, 1; mad.lo.u32 %at, %row, 16, %x;
                    ld.param.u64 %o, [out]; mad.wide.u32 %o, %at, 4, %o;
                    st.global.v2.f32 [%o], {%f0, %f1};
                    st.global.v2.f32 [%o+512], {%f2, %f3};
                    st.global.v2.f32 [%o+32], {%f4, %f5};
                    st.global.v2.f32 [%o+544], {%f6, %f7};
                    ret;
                }
                """;
        ptx = ptx.replace("BYTES", "" + (a.bytes() + b.bytes()))
                .replace("COPIES", a.copies("%a", "%m0") + b.copies("%b", "%m1"))
                .replace("DESCA", "" + a.descriptor())
                .replace("DESCB", "" + b.descriptor())
                .replace("TURNA", turnA ? "1" : "0")
                .replace("TURNB", turnB ? "1" : "0");
        Launcher l = new Launcher(ptx);
        int[][] x = matrix(64, 16);
        int[][] y = matrix(16, 16);
        long out = l.empty(64 * 16 * 4);
        l.launch("product", Dim3.of(1), Dim3.of(128), a.map(l, x), b.map(l, y), out);
        float[] got = l.floats(out, 64 * 16);
        for (int i = 0; i < 64; i++) {
            for (int j = 0; j < 16; j++) {
                int want = 0;
                for (int k = 0; k < 16; k++) want += x[i][k] * y[j][k];
                assertEquals(want, got[16 * i + j], i + ", " + j);
            }
        }
    }

    /** An operand of 16 steps of k; {@code turned} in memory has its neighbours along the rows. */
    private record Operand(int rows, int swizzle, boolean turned) {
        /** Elements of a line. */
        int width() {
            return swizzle == 0 ? 8 : swizzle / 2;
        }

        int lines() {
            return turned ? 16 : rows;
        }

        int boxes() {
            int across = turned ? rows : 16;
            return Math.max(1, across / width());
        }

        int boxBytes() {
            return 2 * width() * lines();
        }

        int bytes() {
            return boxes() * boxBytes();
        }

        String copies(String to, String map) {
            StringBuilder s = new StringBuilder();
            for (int i = 0; i < boxes(); i++) {
                s.append("mov.u32 %c0, " + i * width() + "; mov.u32 %c1, 0;\n");
                s.append("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [" + to + "+"
                        + i * boxBytes() + "], [" + map + ", {%c0, %c1}], [%bar];\n");
            }
            return s.toString();
        }

        long descriptor() {
            // Between core matrices along k and along the rows; with a swizzle, between 8 lines, and between atoms
            // along the rows.
            int leading = swizzle == 0 ? (turned ? 128 : boxBytes()) : boxBytes();
            int stride = swizzle == 0 ? (turned ? boxBytes() : 128) : 8 * swizzle;
            long mode = swizzle == 0 ? 0 : swizzle == 128 ? 1 : swizzle == 64 ? 2 : 3;
            return mode << 62 | (long) (stride >> 4) << 32 | (long) (leading >> 4) << 16;
        }

        byte[] map(Launcher l, int[][] x) {
            int across = Math.max(width(), turned ? rows : 16);
            short[] memory = new short[across * lines()];
            for (int r = 0; r < rows; r++)
                for (int k = 0; k < 16; k++)
                    memory[turned ? k * across + r : r * across + k] =
                            (short) Floats.encode(PtxType.BF16, x[r][k], Rounding.RN);
            return TensorMap.encode(
                    2,
                    l.buffer(memory),
                    new long[] {across, lines()},
                    new long[] {2L * across},
                    new int[] {width(), lines()},
                    swizzle);
        }
    }
}
