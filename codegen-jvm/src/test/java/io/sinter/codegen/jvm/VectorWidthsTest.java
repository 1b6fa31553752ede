// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Float vectors should have one width in a process: with a second one HotSpot knows the class of a {@code FloatVector} by profile only, and matrix
 * products are slower, whether they were compiled before or after.
 */
class VectorWidthsTest {
    /**
     * The known exceptions, by name of the sample's kernel: f32 beside vectors of 64-bit integers or of f64, of which half as many fit. Who adds one
     * pays with all matrix products of the process; better is an index of 32 bits in the loop.
     */
    private static final Set<String> KNOWN =
            Set.of("argmax", "argmin", "cast", "cast_check_index_eq_mul", "iota_cast_check_index_eq");

    @ParameterizedTest
    @ValueSource(ints = {128, 256, 512})
    void classesThatAreTheSameForAllKernelsHaveOneWidth(int bits) {
        Set<String> floats = Set.of("F32 " + bits);
        assertEquals(floats, species(GemmVectorTiles.generate("Tiles", DType.F32, bits)));
        assertEquals(Set.of("F64 " + bits), species(GemmVectorTiles.generate("Tiles", DType.F64, bits)));
        assertEquals(floats, species(VectorPoolRows.generate("Rows", bits)));
        for (WinogradMatrix m : WinogradMatrix.values())
            assertEquals(floats, species(VectorLinearMap.generate("Map", m, bits)), m.name());
    }

    @Test
    void kernelsOfSamplesHaveASecondWidthWhereItIsKnownOnly() {
        Set<String> whole = Set.of("F32 512", "F64 512");
        Set<String> others = new TreeSet<>();
        for (ClassCheckTest.Stored k : ClassCheckTest.kernels()) {
            Set<String> used =
                    species(JvmCodegen.generate(k.made(), new Options(512)).bytes());
            if (!whole.containsAll(used)) others.add(k.made().name());
        }
        assertEquals(new TreeSet<>(KNOWN), others);
    }

    /** Species of float vectors that a class names. */
    private static Set<String> species(byte[] classFile) {
        Set<String> found = new TreeSet<>();
        MethodVisitor fields = new MethodVisitor(Opcodes.ASM9) {
            @Override
            public void visitFieldInsn(int opcode, String owner, String field, String descriptor) {
                String type = owner.replaceFirst(".*[/$]", "");
                boolean isSpecies =
                        field.startsWith("SPECIES_") || owner.contains("SinterKernelShapes") && !field.equals("E");
                String bits = field.replaceAll("[^0-9]", "");
                if (isSpecies && (type.equals("FloatVector") || type.equals("F32"))) found.add("F32 " + bits);
                if (isSpecies && (type.equals("DoubleVector") || type.equals("F64"))) found.add("F64 " + bits);
            }
        };
        ClassVisitor methods = new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String type, String signature, String[] thrown) {
                return fields;
            }
        };
        new ClassReader(classFile).accept(methods, 0);
        return found;
    }
}
