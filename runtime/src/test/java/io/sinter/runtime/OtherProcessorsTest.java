// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Every operator's samples on the machines that this one is not: a processor without AVX-512, and JVMs without HotSpot's intrinsics or without the Vector API. Widths forced
 * by {@link io.sinter.codegen.jvm.Options} do not show what HotSpot itself makes of the code there, so each is a process of its own.
 */
class OtherProcessorsTest {
    private static final String SUCCESS = "every sample agrees";

    @Test
    void avx2() throws Exception {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64") && JvmFeatures.vectorBits() >= 256,
                "needs an x86-64 processor with AVX2");
        List<String> flags = new ArrayList<>(JvmFlags.all());
        flags.add("-XX:UseAVX=2");
        assertEquals("256 bits: " + SUCCESS, run(flags));
    }

    /** Without the flags that open HotSpot's intrinsics: the calls of the Vector API. */
    @Test
    void withoutIntrinsics() throws Exception {
        assumeTrue(JvmFeatures.vectorBits() > 0, "needs the Vector API");
        List<String> flags = new ArrayList<>(JvmFlags.all());
        flags.removeAll(JvmFlags.INTRINSICS);
        assertEquals(JvmFeatures.vectorBits() + " bits: " + SUCCESS, run(flags));
    }

    @Test
    void scalar() throws Exception {
        List<String> flags = new ArrayList<>(JvmFlags.all());
        flags.remove(JvmFlags.VECTOR_MODULE);
        assertEquals("0 bits: " + SUCCESS, run(flags));
    }

    /** What the checks print in a JVM with these flags: the last line, or everything if they fail. */
    private static String run(List<String> flags) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(flags);
        command.addAll(List.of("-ea", "-Xmx1g", "-cp", System.getProperty("java.class.path"), Checks.class.getName()));
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return p.waitFor() == 0 ? text.lines().reduce((_, last) -> last).orElse("") : text;
    }

    /** The other process. */
    static final class Checks {
        private Checks() {}

        public static void main(String[] args) {
            try (Session session =
                    Session.open(Options.fromProperties().withThreads(2).withBackend(Options.Backend.GENERATED))) {
                SampleChecks checks = new SampleChecks(session);
                for (Op op : Operators.all()) {
                    checks.check(op);
                    checks.checkGradients(op);
                }
            }
            System.out.println(JvmFeatures.vectorBits() + " bits: " + SUCCESS);
        }
    }
}
