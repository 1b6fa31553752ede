// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What an instruction reads or writes. Operands print themselves as PTX. */
public sealed interface Operand {
    /** A register, by its name with its percent sign. */
    record Reg(String name, PtxType type) implements Operand {
        @Override
        public String toString() {
            return name;
        }
    }

    /** An integer constant; one of 64 bits unsigned is given as the long of the same bits. */
    record Int(long value) implements Operand {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /** A constant of type f32, by its bits: {@code 0f3F800000}. */
    record F32(int bits) implements Operand {
        public F32(float value) {
            this(Float.floatToRawIntBits(value));
        }

        @Override
        public String toString() {
            return String.format("0f%08X", bits);
        }
    }

    /** A constant of type f64, by its bits: {@code 0d3FF0000000000000}. */
    record F64(long bits) implements Operand {
        public F64(double value) {
            this(Double.doubleToRawLongBits(value));
        }

        @Override
        public String toString() {
            return String.format("0d%016X", bits);
        }
    }

    /** The address of a variable, or the name of a label where a label is asked for. */
    record Symbol(String name, long offset) implements Operand {
        public Symbol(String name) {
            this(name, 0);
        }

        @Override
        public String toString() {
            return offset == 0 ? name : name + (offset < 0 ? "" : "+") + offset;
        }
    }

    /**
     * Memory at a base and an offset in bytes: {@code [%rd1+16]}. The base is a register, a symbol without offset, or an integer.
     */
    record Address(Operand base, long offset) implements Operand {
        public Address {
            if (!(base instanceof Reg) && !(base instanceof Symbol s && s.offset() == 0) && !(base instanceof Int)) {
                throw new IllegalArgumentException("no base of an address: " + base);
            }
        }

        public Address(Operand base) {
            this(base, 0);
        }

        @Override
        public String toString() {
            return "[" + base + (offset == 0 ? "" : "+" + offset) + "]";
        }
    }

    /** A box of a tensor map, at coordinates in elements, the innermost dimension first: {@code [%rd1, {%r1, %r2}]}. */
    record TensorAddress(Operand map, List<Operand> coordinates) implements Operand {
        public TensorAddress {
            coordinates = List.copyOf(coordinates);
        }

        @Override
        public String toString() {
            return "[" + map + ", " + new Vector(coordinates) + "]";
        }
    }

    /** Several registers or constants that are loaded, stored, packed or multiplied together. */
    record Vector(List<Operand> elements) implements Operand {
        public Vector {
            elements = List.copyOf(elements);
        }

        public static Vector of(Operand... elements) {
            return new Vector(List.of(elements));
        }

        @Override
        public String toString() {
            return elements.stream().map(Object::toString).collect(Collectors.joining(", ", "{", "}"));
        }
    }

    /** A predicate read inverted: {@code !%p1}. */
    record Not(Operand predicate) implements Operand {
        @Override
        public String toString() {
            return "!" + predicate;
        }
    }

    /** Two results, of which the second is a predicate: {@code %r1|%p1}. */
    record Pair(Operand first, Operand second) implements Operand {
        @Override
        public String toString() {
            return first + "|" + second;
        }
    }

    /** A result that nobody wants. */
    record Sink() implements Operand {
        @Override
        public String toString() {
            return "_";
        }
    }

    /** A register that the machine sets. */
    enum Special implements Operand {
        TID_X("%tid.x"),
        TID_Y("%tid.y"),
        TID_Z("%tid.z"),
        NTID_X("%ntid.x"),
        NTID_Y("%ntid.y"),
        NTID_Z("%ntid.z"),
        CTAID_X("%ctaid.x"),
        CTAID_Y("%ctaid.y"),
        CTAID_Z("%ctaid.z"),
        NCTAID_X("%nctaid.x"),
        NCTAID_Y("%nctaid.y"),
        NCTAID_Z("%nctaid.z"),
        LANEID("%laneid"),
        WARPID("%warpid"),
        NWARPID("%nwarpid"),
        SMID("%smid"),
        NSMID("%nsmid"),
        GRIDID("%gridid", PtxType.B64),
        LANEMASK_EQ("%lanemask_eq"),
        LANEMASK_LT("%lanemask_lt"),
        LANEMASK_LE("%lanemask_le"),
        LANEMASK_GT("%lanemask_gt"),
        LANEMASK_GE("%lanemask_ge"),
        CLOCK("%clock"),
        CLOCK_HI("%clock_hi"),
        CLOCK64("%clock64", PtxType.B64),
        GLOBALTIMER("%globaltimer", PtxType.B64),
        DYNAMIC_SMEM_SIZE("%dynamic_smem_size"),
        TOTAL_SMEM_SIZE("%total_smem_size"),
        IS_EXPLICIT_CLUSTER("%is_explicit_cluster", PtxType.PRED),
        CLUSTERID_X("%clusterid.x"),
        CLUSTERID_Y("%clusterid.y"),
        CLUSTERID_Z("%clusterid.z"),
        NCLUSTERID_X("%nclusterid.x"),
        NCLUSTERID_Y("%nclusterid.y"),
        NCLUSTERID_Z("%nclusterid.z"),
        CLUSTER_CTAID_X("%cluster_ctaid.x"),
        CLUSTER_CTAID_Y("%cluster_ctaid.y"),
        CLUSTER_CTAID_Z("%cluster_ctaid.z"),
        CLUSTER_NCTAID_X("%cluster_nctaid.x"),
        CLUSTER_NCTAID_Y("%cluster_nctaid.y"),
        CLUSTER_NCTAID_Z("%cluster_nctaid.z"),
        CLUSTER_CTARANK("%cluster_ctarank"),
        CLUSTER_NCTARANK("%cluster_nctarank");

        private static final Map<String, Special> BY_NAME = new HashMap<>();

        static {
            for (Special s : values()) BY_NAME.put(s.text, s);
        }

        private final String text;
        private final PtxType type;

        Special(String text) {
            this(text, PtxType.B32);
        }

        Special(String text, PtxType type) {
            this.text = text;
            this.type = type;
        }

        /** The special register of a name with its percent sign; null if there is none. */
        public static Special find(String name) {
            return BY_NAME.get(name.toLowerCase(Locale.ROOT));
        }

        public PtxType type() {
            return type;
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
