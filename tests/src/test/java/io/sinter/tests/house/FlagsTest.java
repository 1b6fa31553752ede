// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.runtime.JvmFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** One set of JVM flags: the launcher and the tests (through the parent pom) and the README use what the library advises. */
class FlagsTest {
    @Test
    void thePomHasTheFlagsThatTheLibraryAdvises() throws IOException {
        Matcher flags = Pattern.compile("<sinter.jvm.flags>(.*)</sinter.jvm.flags>")
                .matcher(Files.readString(House.root().resolve("pom.xml")));
        assertTrue(flags.find());
        assertEquals(JvmFeatures.flags(), flags.group(1));
    }

    @Test
    void theReadmeHasThemToo() throws IOException {
        String readme = Files.readString(House.root().resolve("README.md")).replaceAll("\\s+", " ");
        assertTrue(readme.contains(" " + JvmFeatures.flags() + " "));
    }
}
