// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The module descriptors say what the design says, and the house starts as modules. */
class ModulesTest {
    /** What each module may require besides the modules of Java itself; everything else is a new arrow that wants a decision. */
    private static final Map<String, Set<String>> ALLOWED = Map.of(
            "io.sinter.ir", Set.of(),
            "io.sinter.codegen.jvm",
                    Set.of(
                            "io.sinter.ir",
                            "org.objectweb.asm",
                            "org.objectweb.asm.tree",
                            "org.objectweb.asm.tree.analysis",
                            "org.objectweb.asm.util",
                            "jdk.incubator.vector"),
            "io.sinter.codegen.ptx", Set.of("io.sinter.ir"),
            "io.sinter.runtime",
                    Set.of(
                            "io.sinter.ir",
                            "io.sinter.codegen.jvm",
                            "io.sinter.codegen.ptx",
                            "com.fasterxml.jackson.core", // dumps
                            "jcuda",
                            "jcublas",
                            "jdk.jfr",
                            "jdk.management"),
            "io.sinter",
                    Set.of(
                            "io.sinter.ir",
                            "io.sinter.runtime",
                            "com.fasterxml.jackson.core",
                            "com.google.protobuf"), // TensorBoard's files
            "io.sinter.cli",
                    Set.of(
                            "io.sinter",
                            "io.sinter.ir",
                            "io.sinter.runtime",
                            "io.sinter.codegen.ptx", // the simulator, for conformance ptx
                            "com.fasterxml.jackson.core",
                            "com.fasterxml.jackson.databind",
                            "info.picocli",
                            "jdk.management",
                            "me.tongfei.progressbar"));

    @BeforeEach
    void needsDescriptors() {
        assumeTrue(
                Files.exists(House.classes("frontend/cli").resolve("module-info.class")),
                "the module descriptors are compiled by Maven: run ./sinter test");
    }

    @Test
    void modulesRequireOnlyWhatTheyMay() {
        Map<String, ModuleDescriptor> modules =
                ModuleFinder.of(House.MODULES.stream().map(House::classes).toArray(Path[]::new)).findAll().stream()
                        .map(ModuleReference::descriptor)
                        .collect(Collectors.toMap(ModuleDescriptor::name, module -> module));
        assertEquals(ALLOWED.keySet(), modules.keySet());
        modules.forEach((name, module) -> {
            Set<String> required = module.requires().stream()
                    .map(Requires::name)
                    .filter(other -> !other.startsWith("java."))
                    .collect(Collectors.toCollection(TreeSet::new));
            required.removeAll(ALLOWED.get(name));
            assertEquals(Set.of(), required, name + " requires what it may not");
        });
    }

    /** A user without the JVM's flags must be able to start: the Vector API is wanted, never required. */
    @Test
    void theVectorApiIsOptional() {
        ModuleDescriptor generator = ModuleFinder.of(House.classes("codegen-jvm"))
                .find("io.sinter.codegen.jvm")
                .orElseThrow()
                .descriptor();
        Requires vectors = generator.requires().stream()
                .filter(required -> required.name().equals("jdk.incubator.vector"))
                .findFirst()
                .orElseThrow();
        assertTrue(vectors.modifiers().contains(Requires.Modifier.STATIC));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theCommandLineStartsFromTheModulePath(boolean vectors) throws IOException, InterruptedException {
        String libraries = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar"))
                .filter(entry -> entry.matches(".*(asm|picocli|jackson|progressbar|jline|protobuf)[^/]*"))
                .collect(Collectors.joining(File.pathSeparator));
        String ours = House.MODULES.stream()
                .map(module -> House.classes(module).toString())
                .collect(Collectors.joining(File.pathSeparator));
        List<String> command = Stream.of(
                        Stream.of(Path.of(System.getProperty("java.home"), "bin", "java")
                                .toString()),
                        vectors ? Stream.of("--add-modules=jdk.incubator.vector") : Stream.<String>of(),
                        Stream.of("--module-path", ours + File.pathSeparator + libraries),
                        Stream.of("--module", "io.sinter.cli/io.sinter.cli.Main", "doctor"))
                .flatMap(part -> part)
                .toList();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("Vector API"), output);
        assertEquals(!vectors, output.contains("To fix: "), output);
        assertFalse(output.contains("Exception"), output);
    }
}
