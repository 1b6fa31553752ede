// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the names of a kernel stand for while it is translated, and what the step being made reads and writes. */
final class Names {
    /** Names of one block. */
    private static final class Scope {
        final Scope parent;
        final Map<String, Integer> registers = new HashMap<>();
        final Map<String, Variable> variables = new HashMap<>();

        Scope(Scope parent) {
            this.parent = parent;
        }
    }

    /** A variable's space and address. */
    record Variable(Space space, long address) {}

    /** A predicate, or its opposite; of no register: always true, or never. */
    record Predicate(int index, boolean negated) {
        int lanes(Warp w) {
            int p = index < 0 ? -1 : w.preds[index];
            return negated ? ~p : p;
        }
    }

    /** An address as an instruction gives it: a register, or none (−1), and an offset. */
    record Place(Space space, int base, boolean wide, long offset) {
        long at(Warp w, int lane) {
            if (base < 0) return offset;
            long a = w.regs[base][lane] + offset;
            return wide ? a : a & 0xffff_ffffL;
        }
    }

    /** A register, or a constant with its value in every lane. */
    record Slot(String name, long[] constant) {}

    /** Special registers come first, by their ordinals. */
    static final int SPECIALS = Operand.Special.values().length;

    private Scope scope;
    final List<Slot> slots = new ArrayList<>();
    final List<String> predicateNames = new ArrayList<>();
    private final Map<Long, Integer> constants = new HashMap<>();
    private final List<Integer> reads = new ArrayList<>();
    private final List<Integer> writes = new ArrayList<>();
    private final List<Integer> predicateReads = new ArrayList<>();
    private final List<Integer> predicateWrites = new ArrayList<>();
    private int line;

    Names(Map<String, Variable> module) {
        scope = new Scope(null);
        scope.variables.putAll(module);
    }

    void enter() {
        scope = new Scope(scope);
    }

    void leave() {
        scope = scope.parent;
    }

    void declare(String name, PtxType type) {
        if (type == PtxType.PRED) {
            scope.registers.put(name, predicateNames.size());
            predicateNames.add(name);
        } else {
            scope.registers.put(name, slot(name, null));
        }
    }

    private int slot(String name, long[] constant) {
        slots.add(new Slot(name, constant));
        return SPECIALS + slots.size() - 1;
    }

    void declare(String name, Variable v) {
        scope.variables.put(name, v);
    }

    void line(int l) {
        line = l;
        reads.clear();
        writes.clear();
        predicateReads.clear();
        predicateWrites.clear();
    }

    /** Notes in a step what it reads and writes. */
    void finish(Step s) {
        s.reads = array(reads);
        s.writes = array(writes);
        s.predicateReads = array(predicateReads);
        s.predicateWrites = array(predicateWrites);
    }

    private static int[] array(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).distinct().toArray();
    }

    private int find(Operand.Reg r) {
        for (Scope s = scope; s != null; s = s.parent) {
            Integer i = s.registers.get(r.name());
            if (i != null) return i;
        }
        throw malformed("register " + r + " is not declared");
    }

    private Variable variable(String name) {
        for (Scope s = scope; s != null; s = s.parent) {
            Variable v = s.variables.get(name);
            if (v != null) return v;
        }
        throw malformed("nothing is called " + name);
    }

    /** The number of a register or constant that is read as a value of a type. */
    int value(Operand o, PtxType type) {
        return switch (o) {
            case Operand.Reg r -> {
                if (r.type() == PtxType.PRED) throw malformed(r + " is a predicate");
                int i = find(r);
                reads.add(i);
                yield i;
            }
            case Operand.Int i -> constant(i.value() & IntOps.mask(type.bits()));
            case Operand.F32 f ->
                constant(
                        type.bits() == 64
                                ? Double.doubleToRawLongBits(Float.intBitsToFloat(f.bits()))
                                : f.bits() & 0xffff_ffffL);
            case Operand.F64 f ->
                constant(
                        type.bits() == 32
                                ? Float.floatToRawIntBits((float) Double.longBitsToDouble(f.bits())) & 0xffff_ffffL
                                : f.bits());
            case Operand.Symbol s -> constant((variable(s.name()).address() + s.offset()) & IntOps.mask(type.bits()));
            case Operand.Special s -> s.ordinal();
            case Operand.Address _,
                    Operand.TensorAddress _,
                    Operand.Vector _,
                    Operand.Not _,
                    Operand.Pair _,
                    Operand.Sink _ -> throw malformed(o + " is no value");
        };
    }

    /** The number of a constant with the same value in all lanes. */
    int constant(long value) {
        Integer i = constants.get(value);
        if (i == null) {
            long[] lanes = new long[Warp.LANES];
            java.util.Arrays.fill(lanes, value);
            i = slot("constant", lanes);
            constants.put(value, i);
        }
        return i;
    }

    /** The number of a register that is written; one that nobody reads for {@code _}. */
    int result(Operand o) {
        if (o instanceof Operand.Sink) return slot("_", null);
        if (!(o instanceof Operand.Reg r) || r.type() == PtxType.PRED) throw malformed(o + " cannot hold the result");
        int i = find(r);
        writes.add(i);
        return i;
    }

    /** Results of a vector, or of one register. */
    int[] results(Operand o) {
        if (!(o instanceof Operand.Vector v)) return new int[] {result(o)};
        return v.elements().stream().mapToInt(this::result).toArray();
    }

    /** Values of a vector, or of one operand. */
    int[] values(Operand o, PtxType type) {
        if (!(o instanceof Operand.Vector v)) return new int[] {value(o, type)};
        return v.elements().stream().mapToInt(e -> value(e, type)).toArray();
    }

    /** Bits of the register of an operand. */
    static int bits(Operand o, int otherwise) {
        return o instanceof Operand.Reg r ? r.type().bits() : otherwise;
    }

    Predicate predicate(Operand o) {
        return switch (o) {
            case Operand.Not n -> {
                Predicate p = predicate(n.predicate());
                yield new Predicate(p.index(), !p.negated());
            }
            case Operand.Int i -> new Predicate(-1, i.value() == 0);
            case Operand.Reg r
            when r.type() == PtxType.PRED -> {
                int i = find(r);
                predicateReads.add(i);
                yield new Predicate(i, false);
            }
            default -> throw malformed(o + " is no predicate");
        };
    }

    /** The number of a predicate that is written; −1 for {@code _}. */
    int predicateResult(Operand o) {
        if (o instanceof Operand.Sink) return -1;
        if (!(o instanceof Operand.Reg r) || r.type() != PtxType.PRED) throw malformed(o + " is no predicate");
        int i = find(r);
        predicateWrites.add(i);
        return i;
    }

    /** An address in a space. */
    Place place(Space space, Operand.Address a) {
        return switch (a.base()) {
            case Operand.Reg r -> {
                int i = find(r);
                reads.add(i);
                yield new Place(space, i, r.type().bits() == 64, a.offset());
            }
            case Operand.Symbol s -> {
                Variable v = variable(s.name());
                boolean same = v.space() == space || (v.space().isShared() && space.isShared());
                if (!same && space != Space.GENERIC) {
                    throw malformed(s.name() + " is in " + v.space() + " memory, not in " + space);
                }
                yield new Place(v.space(), -1, true, v.address() + a.offset());
            }
            case Operand.Int i -> new Place(space, -1, true, i.value() + a.offset());
            default -> throw malformed(a + " is no address");
        };
    }

    PtxException malformed(String message) {
        return new PtxException(line, message, false);
    }

    PtxException unsupported(String message) {
        return new PtxException(line, message, true);
    }
}
