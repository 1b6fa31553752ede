// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where the source tree is, for the tests that look at the tree itself. */
final class House {
    /** The modules' folders, from the bottom to the top of the order of dependencies. */
    static final List<String> MODULES =
            List.of("ir", "codegen-jvm", "codegen-ptx", "runtime", "frontend/core", "frontend/cli");

    private House() {}

    /** The folder that holds the launcher and the parent pom: given by the build, else found upwards from the working directory. */
    static Path root() {
        String given = System.getProperty("sinter.root");
        if (given != null) {
            return Path.of(given);
        }
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.isExecutable(folder.resolve("sinter")) && Files.exists(folder.resolve("pom.xml"))) {
                return folder;
            }
        }
        throw new IllegalStateException("run this test within the source tree, or set -Dsinter.root");
    }

    /** The compiled classes of a module as Maven leaves them. */
    static Path classes(String module) {
        return root().resolve(module).resolve("target/classes");
    }
}
