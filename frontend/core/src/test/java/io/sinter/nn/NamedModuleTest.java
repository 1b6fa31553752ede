// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nets in a user's own named module: private fields need {@code opens … to io.sinter}, and an error says so.
 */
class NamedModuleTest {
    private static final String NET = """
            package user.nets;

            public class MyNet extends io.sinter.nn.Net {
                private final io.sinter.nn.Linear layer = new io.sinter.nn.Linear(2, 1);
                private final int[] sizes = {1, 2};
                private final String name = "mine";
            }
            """;

    @TempDir
    Path folder;

    @Test
    void unreadableFieldsAreAnError() throws Exception {
        Net net = net("module user { exports user.nets; }");
        var e = assertThrows(IllegalStateException.class, net::parameters);
        assertTrue(e.getMessage().contains("'layer'"), e.getMessage());
        assertTrue(e.getMessage().contains("opens user.nets to io.sinter;"), e.getMessage());
        assertTrue(e.getMessage().contains("module-info.java of user"), e.getMessage());
    }

    @Test
    void openedPackagesWork() throws Exception {
        Net net = net("module user { exports user.nets; opens user.nets; }");
        assertEquals(Set.of("layer.weight", "layer.bias"), net.namedParameters().keySet());
    }

    private Net net(String moduleInfo) throws Exception {
        Path source = Files.createDirectories(folder.resolve("src/user/nets"));
        Files.writeString(source.resolve("MyNet.java"), NET);
        Files.writeString(folder.resolve("src/module-info.java"), moduleInfo);
        Path classes = Files.createDirectories(folder.resolve("classes"));
        compile(classes, List.of(folder.resolve("src/module-info.java"), source.resolve("MyNet.java")));

        Configuration configuration =
                ModuleLayer.boot().configuration().resolve(ModuleFinder.of(classes), ModuleFinder.of(), Set.of("user"));
        ModuleLayer.Controller controller = ModuleLayer.defineModulesWithOneLoader(
                configuration, List.of(ModuleLayer.boot()), Net.class.getClassLoader());
        Module user = controller.layer().findModule("user").orElseThrow();
        controller.addReads(user, Net.class.getModule());
        return (Net) user.getClassLoader()
                .loadClass("user.nets.MyNet")
                .getConstructor()
                .newInstance();
    }

    private static void compile(Path classes, List<Path> sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        String classPath = Stream.of(Net.class, Tensor.class, DType.class)
                .map(NamedModuleTest::place)
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            boolean done = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-d", classes.toString(), "-cp", classPath, "--add-reads", "user=ALL-UNNAMED"),
                            null,
                            files.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertTrue(done, messages::toString);
        }
    }

    private static String place(Class<?> c) {
        try {
            return Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
