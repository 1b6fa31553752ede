// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.faults;

import io.sinter.codegen.ptx.lang.Instruction;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The variables of a kernel in shared memory, and which of them an address was made from. */
final class SharedVariables {
    private final Map<String, Long> bytes = new LinkedHashMap<>();
    /** Instructions by the register that they write. */
    private final Map<String, List<Instruction>> writers = new HashMap<>();

    SharedVariables(Kernel kernel) {
        for (Statement s : kernel.body()) {
            if (s instanceof Statement.Declare d && d.variable().space() == Space.SHARED)
                bytes.put(d.variable().name(), d.variable().bytes());
            if (s instanceof Statement.Perform p
                    && !p.instruction().operands().isEmpty()
                    && p.instruction().operands().getFirst() instanceof Operand.Reg r)
                writers.computeIfAbsent(r.name(), _ -> new ArrayList<>()).add(p.instruction());
        }
    }

    boolean has(String name) {
        return bytes.containsKey(name);
    }

    /** Another variable of the kernel; null if there is only this one. */
    String next(String name) {
        List<String> names = List.copyOf(bytes.keySet());
        return names.size() < 2 ? null : names.get((names.indexOf(name) + 1) % names.size());
    }

    /** Half the bytes of the variable that an address lies in, a multiple of 16; 0 if that is none, unknown, or too small. */
    long stage(Operand base) {
        String name = origin(base, new HashSet<>());
        return name == null ? 0 : bytes.get(name) / 2 & -16;
    }

    private String origin(Operand o, Set<String> seen) {
        return switch (o) {
            case Operand.Symbol s when has(s.name()) -> s.name();
            case Operand.Reg r
            when seen.add(r.name()) -> {
                for (Instruction i : writers.getOrDefault(r.name(), List.of())) {
                    List<Operand> operands = i.operands();
                    for (Operand x : operands.subList(1, operands.size())) {
                        String found = origin(x, seen);
                        if (found != null) yield found;
                    }
                }
                yield null;
            }
            default -> null;
        };
    }
}
