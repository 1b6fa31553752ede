// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The arrows of the house point one way: frontend → runtime → codegen → ir; and each foreign library has one module that may name it.
 * The module descriptors say the same; this test also holds where modules are not in force, on the class path.
 */
class ArrowsTest {
    private static final String[] IR = {"io.sinter.ir.."};
    private static final String[] CODEGEN_JVM = {"io.sinter.codegen.jvm..", "io.sinter.gen.."};
    private static final String[] CODEGEN_PTX = {"io.sinter.codegen.ptx.."};
    private static final String[] RUNTIME = {"io.sinter.runtime.."};
    private static final String[] CLI = {"io.sinter.cli.."};
    private static final String[] JAVA = {"java..", "javax..", "jdk.jfr..", "com.sun.management.."};

    private static JavaClasses house;

    @BeforeAll
    static void read() {
        house = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .withImportOption(location -> !location.contains("/test-classes/"))
                .importPackages("io.sinter");
    }

    @Test
    void everyClassBelongsToAModule() {
        classes()
                .that(isOneOfOurs())
                .should()
                .resideInAnyPackage(join(IR, CODEGEN_JVM, CODEGEN_PTX, RUNTIME, CLI, core()))
                .check(house);
    }

    @Test
    void irDependsOnNothing() {
        mayNameOnly(IR, IR);
    }

    @Test
    void onlyCodegenJvmNamesAsmAndTheVectorApi() {
        mayNameOnly(CODEGEN_JVM, join(CODEGEN_JVM, IR, new String[] {"org.objectweb.asm..", "jdk.incubator.vector.."}));
        noClasses()
                .that()
                .resideOutsideOfPackages(join(CODEGEN_JVM, new String[] {"io.sinter.tests.."}))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.objectweb.asm..", "jdk.incubator.vector..")
                .check(house);
    }

    @Test
    void codegenPtxNamesOnlyIr() {
        mayNameOnly(CODEGEN_PTX, join(CODEGEN_PTX, IR));
    }

    @Test
    void onlyRuntimeNamesJcuda() {
        // Jackson's generator writes dumps.
        String[] foreign = {"jcuda..", "com.fasterxml.jackson.core.."};
        mayNameOnly(RUNTIME, join(RUNTIME, CODEGEN_JVM, CODEGEN_PTX, IR, foreign));
        noClasses()
                .that()
                .resideOutsideOfPackages(join(RUNTIME, new String[] {"io.sinter.tests.."}))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("jcuda..")
                .check(house);
    }

    @Test
    void theLibraryNamesNeitherGeneratorsNorTheCommandLine() {
        // Jackson's streaming parser reads the header of safetensors files, protobuf writes TensorBoard's events.
        String[] foreign = {"com.fasterxml.jackson.core..", "com.google.protobuf.."};
        mayNameOnly(core(), join(core(), RUNTIME, IR, foreign));
    }

    /** What is read from files is data in formats of our own or others', checked as it is read: never objects that Java makes of bytes. */
    @Test
    void nobodyReadsSerializedObjects() {
        noClasses()
                .that(isOneOfOurs())
                .should()
                .dependOnClassesThat()
                .haveNameMatching("java\\.io\\.(ObjectInput|ObjectOutput|Externalizable).*")
                .check(house);
    }

    /** It may name PTX and its simulator, which run other people's PTX ({@code conformance ptx}). */
    @Test
    void theCommandLineNamesNoGenerator() {
        noClasses()
                .that()
                .resideInAnyPackage(CLI)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(join(CODEGEN_JVM, new String[] {"io.sinter.codegen.ptx"}))
                .check(house);
    }

    /** Packages of frontend/core: exactly io.sinter, and its families. */
    private static String[] core() {
        return new String[] {
            "io.sinter",
            "io.sinter.nn..",
            "io.sinter.optim..",
            "io.sinter.data..",
            "io.sinter.random..",
            "io.sinter.io..",
            "io.sinter.autograd..",
            "io.sinter.profiler..",
            "io.sinter.tensorboard.."
        };
    }

    private static void mayNameOnly(String[] packages, String[] allowed) {
        classes()
                .that()
                .resideInAnyPackage(packages)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(join(allowed, JAVA)).or(isPrimitiveArray()))
                .allowEmptyShould(true)
                .check(house);
    }

    /** ArchUnit gives arrays of primitives the empty package. */
    private static DescribedPredicate<JavaClass> isPrimitiveArray() {
        return DescribedPredicate.describe(
                "primitive arrays", type -> type.getBaseComponentType().isPrimitive());
    }

    private static DescribedPredicate<JavaClass> isOneOfOurs() {
        return DescribedPredicate.describe(
                "Sinter's own", type -> !type.getPackageName().startsWith("io.sinter.tests"));
    }

    private static String[] join(String[]... parts) {
        return Stream.of(parts).flatMap(Stream::of).toArray(String[]::new);
    }
}
