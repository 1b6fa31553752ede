// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RandomKernel;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Stored classes may call what generators write, and nothing else. */
class ClassCheckTest {
    record Stored(Kernel made, Kernel read) {}

    /** Kernels of all operators' samples, each structure once, as they were made and as they are read back from a store. */
    static List<Stored> kernels() {
        Set<String> seen = new HashSet<>();
        List<Stored> kernels = new ArrayList<>();
        for (Op op : Operators.all()) {
            for (Sample s : op.samples()) {
                GraphBuilder b = new GraphBuilder();
                List<Node> in = new ArrayList<>();
                for (RefArray a : s.inputs()) in.add(b.input(a.type()));
                StoredPlan made =
                        StoredPlan.of(Compiler.plan(b.build(b.emit(s.op(), in).toArray(Node[]::new))));
                StoredPlan read = StoredPlan.read(made.toBytes());
                List<Kernel> before = StoredPlan.kernels(made.plan());
                List<Kernel> after = StoredPlan.kernels(read.plan());
                for (int i = 0; i < before.size(); i++) {
                    if (seen.add(read.codeName(after.get(i)))) kernels.add(new Stored(before.get(i), after.get(i)));
                }
            }
        }
        return kernels;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 128, 512})
    void everyGeneratedClassPassesAndDoesNotDependOnBeingStored(int width) {
        everyGeneratedClassPasses(new Options(width));
    }

    @Test
    void everyGeneratedClassPassesWithoutIntrinsics() {
        everyGeneratedClassPasses(new Options(512, false));
    }

    private static void everyGeneratedClassPasses(Options options) {
        Set<String> problems = new TreeSet<>();
        List<Stored> kernels = kernels();
        assertTrue(kernels.size() > 500, "only " + kernels.size());
        for (Stored k : kernels) {
            GeneratedClass c = JvmCodegen.generate(k.read, options);
            try {
                JvmCodegen.check(c);
            } catch (FormatException e) {
                problems.add(e.getMessage());
            }
            if (options.vectorBits() == 512) {
                assertArrayEquals(JvmCodegen.generate(k.made, options).bytes(), c.bytes(), k.read.name());
            }
        }
        assertEquals(Set.of(), problems);
    }

    @Test
    void randomKernelsPass() {
        for (long seed = 1; seed <= 100; seed++) {
            Kernel k = new RandomKernel(seed, false).build().kernel;
            assertDoesNotThrow(() -> JvmCodegen.check(JvmCodegen.generate(k, new Options(256))));
        }
    }

    /** What a store is asked for. */
    private static final class Asked implements SharedClass.Store {
        final List<SharedClass<?>> all = new ArrayList<>();

        @Override
        public <T> T get(SharedClass<T> shared) {
            all.add(shared);
            return shared.define(shared.generate());
        }

        @Override
        public <T> T find(SharedClass<T> shared) {
            all.add(shared);
            return null;
        }
    }

    @Test
    void whatIsOnlyLookedForIsNotGenerated() {
        Asked asked = new Asked();
        SharedClass.keepIn(asked);
        long before = SharedClass.generated();
        try {
            WinogradMatrix.loadKept(0);
            assertEquals(0, asked.all.size());
            WinogradMatrix.loadKept(64); // a width that no test has asked for
        } finally {
            SharedClass.keepNoLongerIn(asked);
        }
        assertEquals(
                List.of("INPUT", "FILTER", "OUTPUT", "PIXELS", "TAPS"),
                asked.all.stream().map(s -> s.name().split("_")[1]).toList());
        assertEquals(before, SharedClass.generated());
    }

    @Test
    void classesThatKernelsSharePassAsThemselvesAlone() {
        Assumptions.assumeTrue(Options.preferred().vectorBits() > 0, "no Vector API");
        Asked asked = new Asked();
        SharedClass.keepIn(asked);
        try {
            SharedClass.make("Tiles_a", GemmTiles.class, n -> GemmVectorTiles.generate(n, DType.F64, 128));
            SharedClass.make("Map_b", LinearMap.class, n -> VectorLinearMap.generate(n, WinogradMatrix.TAPS, 128));
            SharedClass.make("Squares_c", Squares.class, n -> VectorSquares.generate(n, Squares.species(4, 128)));
            SharedClass.make("Pool_d", PoolRows.class, n -> VectorPoolRows.generate(n, 128));
        } finally {
            SharedClass.keepNoLongerIn(asked);
        }
        assertEquals(4, asked.all.size());
        for (SharedClass<?> a : asked.all) {
            GeneratedClass c = a.generate();
            assertArrayEquals(a.generate().bytes(), c.bytes(), a.name());
            assertDoesNotThrow(() -> a.check(c));
            refuse(c, "named");
            for (SharedClass<?> b : asked.all) {
                if (a != b) assertThrows(FormatException.class, () -> b.check(c), a.name());
                GeneratedClass renamed = new GeneratedClass(b.name(), c.bytes());
                if (a != b) assertThrows(FormatException.class, () -> b.check(renamed), a.name());
            }
        }
    }

    private static final String NAME = JvmCodegen.PREFIX + "test";

    private static GeneratedClass with(String superclass, String[] interfaces, Consumer<MethodVisitor> body) {
        ClassWriter c = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        c.visit(Opcodes.V25, Opcodes.ACC_PUBLIC, NAME, null, superclass, interfaces);
        MethodVisitor m = c.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "f", "()V", null, null);
        m.visitCode();
        body.accept(m);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
        c.visitEnd();
        return new GeneratedClass(NAME, c.toByteArray());
    }

    private static final String KERNEL = "io/sinter/codegen/jvm/JvmKernel";

    private static void refuse(GeneratedClass c, String what) {
        String message =
                assertThrows(FormatException.class, () -> JvmCodegen.check(c)).getMessage();
        assertTrue(message.contains(what), message);
    }

    @Test
    void callsThatNoKernelMakesAreRefused() {
        assertDoesNotThrow(() -> JvmCodegen.check(with(KERNEL, null, _ -> {})));
        refuse(
                with(KERNEL, null, m -> {
                    m.visitInsn(Opcodes.ICONST_0);
                    m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/System", "exit", "(I)V", false);
                }),
                "java/lang/System");
        refuse(
                with(KERNEL, null, m -> {
                    m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Math", "random", "()D", false);
                    m.visitInsn(Opcodes.POP2);
                }),
                "java/lang/Math.random");
        refuse(
                with(KERNEL, null, m -> {
                    m.visitTypeInsn(Opcodes.NEW, "java/lang/Thread");
                    m.visitInsn(Opcodes.POP);
                }),
                "java/lang/Thread");
        for (String array : List.of("[Ljava/lang/Thread;", "[[Ljava/lang/Thread;", "[[", "[Ljava/lang/Object")) {
            refuse(
                    with(KERNEL, null, m -> {
                        m.visitInsn(Opcodes.ACONST_NULL);
                        m.visitTypeInsn(Opcodes.CHECKCAST, array);
                        m.visitInsn(Opcodes.POP);
                    }),
                    "names " + array);
        }
        assertDoesNotThrow(() -> JvmCodegen.check(with(KERNEL, null, m -> {
            m.visitInsn(Opcodes.ACONST_NULL);
            for (String array : List.of("[J", "[[J", "[[Ljava/lang/Object;", "[L" + NAME + ";"))
                m.visitTypeInsn(Opcodes.CHECKCAST, array);
            m.visitInsn(Opcodes.POP);
        })));
        refuse(
                with(KERNEL, null, m -> {
                    m.visitLdcInsn(org.objectweb.asm.Type.getMethodType("()V"));
                    m.visitInsn(Opcodes.POP);
                }),
                "constant of kind");
        refuse(with("java/lang/ClassLoader", null, _ -> {}), "extends java/lang/ClassLoader");
        refuse(with(KERNEL, new String[] {"java/lang/Runnable"}, _ -> {}), "implements");
        refuse(new GeneratedClass(NAME + "2", with(KERNEL, null, _ -> {}).bytes()), "named");
    }

    @Test
    void namesAreFoundWhereTheyStand() {
        Random random = new Random(5);
        for (int n = 0; n < 200; n++) {
            Set<String> names = new HashSet<>();
            for (int i = random.nextInt(40); i > 0; i--) names.add(name(random));
            NameSet set = NameSet.of(names);
            for (int i = 0; i < 200; i++) {
                String name = i % 2 == 0 || names.isEmpty()
                        ? name(random)
                        : names.iterator().next();
                byte[] text = ("x" + name + "y").getBytes(StandardCharsets.ISO_8859_1);
                assertEquals(names.contains(name), set.contains(text, 1, name.length()), name);
                assertFalse(set.contains(text, 1, 0));
            }
        }
    }

    /** Of few letters, so that equal ends and lengths are common. */
    private static String name(Random random) {
        StringBuilder name = new StringBuilder();
        for (int i = 1 + random.nextInt(5); i > 0; i--) name.append((char) ('a' + random.nextInt(2)));
        return name.toString();
    }

    @Test
    void damagedClassesAreRefusedOrDefinedOrRejectedByTheJvm() {
        byte[] bytes = JvmCodegen.generate(new RandomKernel(3, false).build().kernel, new Options(0))
                .bytes();
        String name = new org.objectweb.asm.ClassReader(bytes).getClassName();
        Random random = new Random(11);
        for (int n = 0; n < 2000; n++) {
            byte[] damaged = n % 3 == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
            for (int k = 0; k < n % 4 && damaged.length > 0; k++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                JvmCodegen.check(new GeneratedClass(name, damaged));
            } catch (FormatException e) {
                assertTrue(e.getMessage() != null);
            }
        }
    }
}
