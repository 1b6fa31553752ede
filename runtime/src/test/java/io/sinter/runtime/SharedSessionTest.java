// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.jvm.JvmFlags;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The process's session where system properties say what they cannot say: every use of it says what is wrong, and no class is broken. */
class SharedSessionTest {
    @Test
    void saysWhatIsWrong() throws IOException, InterruptedException {
        assertEquals(
                "-Dsinter.gpu.target: no target 'sm90'; known: sm_80, sm_89, sm_90, sm_90a\n".repeat(2),
                run("-Dsinter.device=ptx-sim", "-Dsinter.gpu.target=sm90"));
        assertEquals("-Dsinter.threads=two is not a number\n".repeat(2), run("-Dsinter.threads=two"));
        assertEquals(
                "-Dsinter.autotune=long is no number of seconds\n".repeat(2),
                run("-Dsinter.device=jvm", "-Dsinter.autotune=long"));
    }

    private static String run(String... properties) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(JvmFlags.all());
        command.addAll(List.of(properties));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Uses.class.getName()));
        Process p = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), text);
        return text;
    }

    /** The other process. */
    static final class Uses {
        private Uses() {}

        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try {
                    System.out.println(Session.current());
                } catch (SettingException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }
}
