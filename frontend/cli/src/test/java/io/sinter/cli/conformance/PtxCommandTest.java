// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class PtxCommandTest {
    private static final String KERNEL = """
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry scale(.param .u64 x, .param .u64 y, .param .f32 by, .param .u32 n) {
                .reg .b32 %r<3>; .reg .b64 %rd<4>; .reg .f32 %f<3>; .reg .pred %p;
                ld.param.u32 %r0, [n];
                mov.u32 %r1, %tid.x;
                setp.ge.u32 %p, %r1, %r0;
                @%p bra done;
                ld.param.u64 %rd0, [x];
                ld.param.u64 %rd1, [y];
                ld.param.f32 %f0, [by];
                mad.wide.u32 %rd2, %r1, 4, %rd0;
                mad.wide.u32 %rd3, %r1, 4, %rd1;
                ld.global.f32 %f1, [%rd2];
                mul.rn.f32 %f2, %f0, %f1;
                st.global.f32 [%rd3], %f2;
            done:
                ret;
            }
            """;

    /** 1, 2, 3 times 2; {@code first} is the first result that is expected. */
    private static String test(String file, String first, int n) {
        return """
                {"file": "%s", "kernel": "scale", "grid": [1, 1, 1], "block": [32, 1, 1], "args": [{"in": "0000803f0000004000004040"},
                 {"out": 12}, {"scalar": "00000040"}, {"scalar": "%02x000000"}], "expect": ["%s000080400000c040"]}""".formatted(file, n, first);
    }

    private static String run(int code, Path folder, String... cases) throws IOException {
        Files.writeString(folder.resolve("scale.ptx"), KERNEL);
        Files.writeString(folder.resolve("texture.ptx"), KERNEL.replace("mul.rn.f32", "tex.1d.f32"));
        Files.writeString(folder.resolve("cases.json"), "[" + String.join(",", cases) + "]");
        StringWriter out = new StringWriter();
        CommandLine c = new CommandLine(new PtxCommand()).setOut(new PrintWriter(out));
        assertEquals(code, c.execute(folder.toString()), out.toString());
        return out.toString();
    }

    @Test
    void rightResultsPass(@TempDir Path folder) throws IOException {
        assertEquals(
                "1 passed, 0 failed, 0 unsupported",
                run(0, folder, test("scale.ptx", "00000040", 3)).strip());
    }

    @Test
    void wrongResultsFaultsAndUnknownInstructions(@TempDir Path folder) throws IOException {
        String out = run(
                1,
                folder,
                test("scale.ptx", "0000803f", 3),
                test("scale.ptx", "00000040", 4),
                test("texture.ptx", "00000040", 3));
        assertTrue(
                out.contains("out 0: 1 of 12 bytes differ, the first at 2")
                        || out.contains("as f32: 2.0, expected 1.0"),
                out);
        assertTrue(out.contains("OUT_OF_BOUNDS in kernel scale, PTX line 15"), out);
        assertTrue(out.contains("UNSUPPORTED  texture.ptx"), out);
        assertTrue(out.strip().endsWith("0 passed, 2 failed, 1 unsupported"), out);
    }
}
