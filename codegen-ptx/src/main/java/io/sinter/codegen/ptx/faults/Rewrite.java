// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.faults;

import io.sinter.codegen.ptx.lang.Instruction;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;

/** Instructions taken apart by their record components, so that nothing here has to know each family of opcodes. */
final class Rewrite {
    private Rewrite() {}

    /** A component of an instruction and what it holds. */
    record Part(Instruction instruction, int index, String name, Object value) {
        /** The instruction with another value in this place. */
        Instruction with(Object other) {
            RecordComponent[] components = instruction.getClass().getRecordComponents();
            Class<?>[] types = new Class<?>[components.length];
            Object[] values = new Object[components.length];
            try {
                for (int i = 0; i < components.length; i++) {
                    types[i] = components[i].getType();
                    values[i] = i == index ? other : components[i].getAccessor().invoke(instruction);
                }
                return (Instruction)
                        instruction.getClass().getDeclaredConstructor(types).newInstance(values);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot rebuild " + instruction, e);
            }
        }
    }

    /** The components of an instruction in their order. */
    static List<Part> parts(Instruction i) {
        List<Part> parts = new ArrayList<>();
        RecordComponent[] components = i.getClass().getRecordComponents();
        for (int k = 0; k < components.length; k++) {
            try {
                parts.add(new Part(
                        i,
                        k,
                        components[k].getName(),
                        components[k].getAccessor().invoke(i)));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot read " + i, e);
            }
        }
        return parts;
    }
}
