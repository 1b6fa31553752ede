// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Loads, stores and atomic operations. */
public sealed interface Memory extends Instruction {
    /** What a memory operation promises about its order among others. */
    enum Order {
        /** No modifier: weak, or relaxed for atomics. */
        NONE,
        WEAK,
        VOLATILE,
        RELAXED,
        ACQUIRE,
        RELEASE,
        ACQ_REL,
        SC;

        String modifier() {
            return this == NONE ? "" : "." + name().toLowerCase(Locale.ROOT);
        }
    }

    /** Among which threads that promise holds. */
    enum Scope {
        NONE,
        CTA,
        CLUSTER,
        GPU,
        SYS;

        String modifier() {
            return this == NONE ? "" : "." + name().toLowerCase(Locale.ROOT);
        }
    }

    /** Cache operators. */
    enum Cache {
        NONE,
        CA,
        CG,
        CS,
        LU,
        CV,
        WB,
        WT;

        String modifier() {
            return this == NONE ? "" : "." + name().toLowerCase(Locale.ROOT);
        }
    }

    /** What an atomic operation makes of the old value and its operand. */
    enum AtomicOp {
        ADD,
        MIN,
        MAX,
        INC,
        DEC,
        AND,
        OR,
        XOR,
        EXCH,
        CAS;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * {@code d = *address}.
     *
     * @param constant through the non-coherent cache ({@code .nc}): nobody writes the memory while the kernel runs
     * @param hints prefetch and eviction hints without their dots, such as {@code L1::no_allocate}
     * @param d a vector of as many registers as are loaded, or one register
     */
    record Load(
            Order order,
            Scope scope,
            Space space,
            Cache cache,
            boolean constant,
            List<String> hints,
            PtxType type,
            Operand d,
            Operand.Address address)
            implements Memory {
        public Load {
            hints = List.copyOf(hints);
        }

        public static Load of(Space space, PtxType type, Operand d, Operand.Address address) {
            return new Load(Order.NONE, Scope.NONE, space, Cache.NONE, false, List.of(), type, d, address);
        }

        public Load withCache(Cache c) {
            return new Load(order, scope, space, c, constant, hints, type, d, address);
        }

        /** This load through the non-coherent cache. */
        public Load nonCoherent() {
            return new Load(order, scope, space, cache, true, hints, type, d, address);
        }

        @Override
        public String opcode() {
            return "ld" + order.modifier() + scope.modifier() + space.modifier() + cache.modifier()
                    + Instruction.flag(constant, "nc") + dotted(hints) + vector(d) + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, address);
        }
    }

    /** {@code *address = value}; components as of {@link Load}. */
    record Store(
            Order order,
            Scope scope,
            Space space,
            Cache cache,
            List<String> hints,
            PtxType type,
            Operand.Address address,
            Operand value)
            implements Memory {
        public Store {
            hints = List.copyOf(hints);
        }

        public static Store of(Space space, PtxType type, Operand.Address address, Operand value) {
            return new Store(Order.NONE, Scope.NONE, space, Cache.NONE, List.of(), type, address, value);
        }

        public Store withCache(Cache c) {
            return new Store(order, scope, space, c, hints, type, address, value);
        }

        @Override
        public String opcode() {
            return "st" + order.modifier() + scope.modifier() + space.modifier() + cache.modifier() + dotted(hints)
                    + vector(value) + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(address, value);
        }
    }

    /** Asks for a line of a cache ({@code L1}, {@code L2}). */
    record Prefetch(Space space, String level, Operand.Address address) implements Memory {
        @Override
        public String opcode() {
            return "prefetch" + space.modifier() + "." + level;
        }

        @Override
        public List<Operand> operands() {
            return List.of(address);
        }
    }

    /**
     * {@code d = *address; *address = d op b}, indivisibly; CAS stores {@code c} if the old value is {@code b}.
     *
     * @param noFtz subnormals of packed halves are kept
     * @param d null for {@code red}, which returns nothing
     * @param c null but for CAS
     */
    record Atomic(
            Order order,
            Scope scope,
            Space space,
            AtomicOp op,
            boolean noFtz,
            PtxType type,
            Operand d,
            Operand.Address address,
            Operand b,
            Operand c)
            implements Memory {
        @Override
        public String opcode() {
            return (d == null ? "red" : "atom") + order.modifier() + scope.modifier() + space.modifier() + "." + op
                    + Instruction.flag(noFtz, "noftz") + vector(b) + "." + type;
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>();
            if (d != null) o.add(d);
            o.add(address);
            o.add(Objects.requireNonNull(b));
            if (c != null) o.add(c);
            return o;
        }
    }

    private static String dotted(List<String> hints) {
        return hints.isEmpty() ? "" : "." + String.join(".", hints);
    }

    private static String vector(Operand o) {
        return o instanceof Operand.Vector v ? ".v" + v.elements().size() : "";
    }
}
