// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import io.sinter.codegen.ptx.lang.Operand.Address;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a kernel instruction by instruction. Methods named after opcodes put their result into a fresh register and return it;
 * {@link #add(Instruction)} takes anything. Floats are rounded explicitly ({@code .rn}), so that the assembler contracts nothing.
 */
public final class KernelBuilder {
    private final String name;
    private final List<Variable> parameters = new ArrayList<>();
    private final List<Statement> declarations = new ArrayList<>();
    private final Section body = new Section();
    private final Map<PtxType, Integer> registers = new EnumMap<>(PtxType.class);
    private Kernel.Limits limits = Kernel.Limits.NONE;
    private int labels;
    private Guard guard;
    private Section place = body;

    /** A stretch of code, which may be added to after what follows it has been begun. */
    public static final class Section {
        /** Statements and sections. */
        private final List<Object> parts = new ArrayList<>();

        private void flatten(List<Statement> out) {
            for (Object p : parts) {
                if (p instanceof Section s) s.flatten(out);
                else out.add((Statement) p);
            }
        }
    }

    public KernelBuilder(String name) {
        this.name = name;
    }

    public KernelBuilder limits(Kernel.Limits l) {
        limits = l;
        return this;
    }

    /** Adds a scalar parameter and loads it. */
    public Reg parameter(PtxType type) {
        String p = name + "_param_" + parameters.size();
        parameters.add(Variable.parameter(type, p));
        return load(Space.PARAM, type, new Address(new Operand.Symbol(p)));
    }

    /** Adds a parameter and returns its address, for structures and tensor maps. */
    public Operand.Symbol parameter(int align, long bytes) {
        String p = name + "_param_" + parameters.size();
        parameters.add(
                new Variable(Variable.Linkage.NONE, Space.PARAM, align, PtxType.B8, p, true, bytes, List.of(), null));
        return new Operand.Symbol(p);
    }

    /** Adds a parameter that points to global memory, and makes a global address of it. */
    public Reg pointer() {
        return toSpace(Space.GLOBAL, parameter(PtxType.U64));
    }

    /** Declares an array in shared memory and returns its address. */
    public Operand.Symbol shared(String variable, int align, long bytes) {
        declarations.add(new Statement.Declare(Variable.shared(variable, align, bytes)));
        return new Operand.Symbol(variable);
    }

    /** Declares an array of each thread and returns its address. */
    public Operand.Symbol local(String variable, int align, long bytes) {
        declarations.add(new Statement.Declare(new Variable(
                Variable.Linkage.NONE, Space.LOCAL, align, PtxType.B8, variable, true, bytes, List.of(), null)));
        return new Operand.Symbol(variable);
    }

    /** A fresh register that can hold a value of a type. */
    public Reg register(PtxType type) {
        PtxType t = declared(type);
        int n = registers.merge(t, 1, Integer::sum) - 1;
        return new Reg(prefix(t) + n, t);
    }

    /** Several fresh registers. */
    public Operand.Vector registers(PtxType type, int count) {
        Operand[] r = new Operand[count];
        Arrays.setAll(r, _ -> register(type));
        return Operand.Vector.of(r);
    }

    private static PtxType declared(PtxType t) {
        return switch (t) {
            case F32, F64 -> t;
            case TF32 -> PtxType.B32;
            case B8, U8, S8 -> PtxType.B16;
            default -> t.bitsType();
        };
    }

    private static String prefix(PtxType declared) {
        return switch (declared) {
            case PRED -> "%p";
            case B16 -> "%rs";
            case B32 -> "%r";
            case B64 -> "%rd";
            case B128 -> "%rq";
            case F32 -> "%f";
            case F64 -> "%fd";
            default -> throw new IllegalStateException(declared + " is declared as another type");
        };
    }

    /** Puts an empty section here, to be written by {@link #into}. */
    public Section section() {
        Section s = new Section();
        place.parts.add(s);
        return s;
    }

    /** Makes the end of a section the place where code goes; returns the section that was it before. */
    public Section into(Section section) {
        Section before = place;
        place = section;
        return before;
    }

    /** Adds an instruction, under the guard that is in force. */
    public void add(Instruction i) {
        place.parts.add(new Statement.Perform(guard, i));
    }

    /** Adds an instruction under a guard. */
    public void add(Guard g, Instruction i) {
        if (guard != null) throw new IllegalStateException("a guard inside " + guard);
        place.parts.add(new Statement.Perform(g, i));
    }

    /** Runs {@code code}, all of whose instructions get a guard. It has no branches, and does not change the predicate. */
    public void guarded(Guard g, Runnable code) {
        if (guard != null) throw new IllegalStateException("a guard inside " + guard);
        guard = g;
        try {
            code.run();
        } finally {
            guard = null;
        }
    }

    /** The source line of what follows. */
    public void location(int file, int line, int column) {
        place.parts.add(new Statement.Location(file, line, column));
    }

    /** A hint to the assembler on what follows. */
    public void pragma(String text) {
        place.parts.add(new Statement.Pragma(text));
    }

    /** A fresh label, to be placed by {@link #label}. */
    public String newLabel() {
        return "$L" + labels++;
    }

    public void label(String label) {
        place.parts.add(new Statement.Label(label));
    }

    public void branch(String label) {
        add(new Control.Branch(false, label));
    }

    public void branchIf(Reg p, String label) {
        add(Guard.when(p), new Control.Branch(false, label));
    }

    public void branchUnless(Reg p, String label) {
        add(Guard.unless(p), new Control.Branch(false, label));
    }

    public void ret() {
        add(new Control.Return());
    }

    public Operand.Int constant(long value) {
        return new Operand.Int(value);
    }

    public Operand.F32 constant(float value) {
        return new Operand.F32(value);
    }

    public Operand.F64 constant(double value) {
        return new Operand.F64(value);
    }

    public Address at(Operand base) {
        return new Address(base);
    }

    public Address at(Operand base, long offset) {
        return new Address(base, offset);
    }

    public Reg mov(PtxType type, Operand a) {
        Reg d = register(type);
        add(new Movement.Move(type, d, a));
        return d;
    }

    /** Writes a register that exists: for variables of loops. */
    public void assign(PtxType type, Operand d, Operand a) {
        add(new Movement.Move(type, d, a));
    }

    public Reg binary(Arithmetic.BinaryOp op, FloatMode mode, PtxType type, Operand a, Operand b) {
        Reg d = register(type);
        add(new Arithmetic.Binary(op, mode, type, d, a, b));
        return d;
    }

    public Reg add(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.ADD, nearest(type), type, a, b);
    }

    public Reg sub(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.SUB, nearest(type), type, a, b);
    }

    /** A product; of integers the low half. */
    public Reg mul(PtxType type, Operand a, Operand b) {
        return type.isFloat()
                ? binary(Arithmetic.BinaryOp.MUL, FloatMode.RN, type, a, b)
                : multiply(Arithmetic.Part.LO, type, a, b);
    }

    /** A quotient; of floats correctly rounded. */
    public Reg div(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.DIV, nearest(type), type, a, b);
    }

    public Reg rem(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.REM, FloatMode.DEFAULT, type, a, b);
    }

    public Reg min(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.MIN, FloatMode.DEFAULT, type, a, b);
    }

    public Reg max(PtxType type, Operand a, Operand b) {
        return binary(Arithmetic.BinaryOp.MAX, FloatMode.DEFAULT, type, a, b);
    }

    /** A part of a product of integers; {@code type} is that of the operands. */
    public Reg multiply(Arithmetic.Part part, PtxType type, Operand a, Operand b) {
        Reg d = register(part == Arithmetic.Part.WIDE ? wide(type) : type);
        add(new Arithmetic.Multiply(part, type, d, a, b));
        return d;
    }

    /** {@code a * b + c} of floats in one rounding, or of integers, low half. */
    public Reg mad(PtxType type, Operand a, Operand b, Operand c) {
        Reg d = register(type);
        add(
                type.isFloat()
                        ? new Arithmetic.Fma(FloatMode.RN, type, d, a, b, c)
                        : new Arithmetic.MultiplyAdd(Arithmetic.Part.LO, false, type, d, a, b, c));
        return d;
    }

    /** {@code a * b + c} with operands a and b of {@code type} and c of twice its width. */
    public Reg madWide(PtxType type, Operand a, Operand b, Operand c) {
        Reg d = register(wide(type));
        add(new Arithmetic.MultiplyAdd(Arithmetic.Part.WIDE, false, type, d, a, b, c));
        return d;
    }

    private static PtxType wide(PtxType t) {
        return switch (t) {
            case U16 -> PtxType.U32;
            case S16 -> PtxType.S32;
            case U32 -> PtxType.U64;
            case S32 -> PtxType.S64;
            default -> throw new IllegalArgumentException("no wide product of " + t);
        };
    }

    public Reg unary(Arithmetic.UnaryOp op, PtxType type, Operand a) {
        boolean count = op != Arithmetic.UnaryOp.ABS && op != Arithmetic.UnaryOp.NEG && op != Arithmetic.UnaryOp.BREV;
        Reg d = register(count ? PtxType.B32 : type);
        add(new Arithmetic.Unary(op, FloatMode.DEFAULT, type, d, a));
        return d;
    }

    public Reg neg(PtxType type, Operand a) {
        return unary(Arithmetic.UnaryOp.NEG, type, a);
    }

    public Reg abs(PtxType type, Operand a) {
        return unary(Arithmetic.UnaryOp.ABS, type, a);
    }

    public Reg apply(Arithmetic.Function f, FloatMode mode, PtxType type, Operand a) {
        Reg d = register(type);
        add(new Arithmetic.Apply(f, mode, type, d, a));
        return d;
    }

    public Reg logic(Bitwise.LogicOp op, PtxType type, Operand a, Operand b) {
        Reg d = register(type);
        add(new Bitwise.Logic(op, type, d, a, b));
        return d;
    }

    public Reg and(PtxType type, Operand a, Operand b) {
        return logic(Bitwise.LogicOp.AND, type, a, b);
    }

    public Reg or(PtxType type, Operand a, Operand b) {
        return logic(Bitwise.LogicOp.OR, type, a, b);
    }

    public Reg xor(PtxType type, Operand a, Operand b) {
        return logic(Bitwise.LogicOp.XOR, type, a, b);
    }

    public Reg not(PtxType type, Operand a) {
        Reg d = register(type);
        add(new Bitwise.Invert(false, type, d, a));
        return d;
    }

    public Reg shl(PtxType type, Operand a, Operand b) {
        Reg d = register(type);
        add(new Bitwise.Shift(true, type, d, a, b));
        return d;
    }

    public Reg shr(PtxType type, Operand a, Operand b) {
        Reg d = register(type);
        add(new Bitwise.Shift(false, type, d, a, b));
        return d;
    }

    public Reg setp(Comparison.Relation r, PtxType type, Operand a, Operand b) {
        Reg p = register(PtxType.PRED);
        add(new Comparison.SetPredicate(r, null, false, type, p, a, b, null));
        return p;
    }

    public Reg setp(Comparison.Relation r, PtxType type, Operand a, Operand b, Bitwise.LogicOp combine, Operand c) {
        Reg p = register(PtxType.PRED);
        add(new Comparison.SetPredicate(r, combine, false, type, p, a, b, c));
        return p;
    }

    public Reg selp(PtxType type, Operand a, Operand b, Operand p) {
        Reg d = register(type);
        add(new Comparison.Select(type, d, a, b, p));
        return d;
    }

    public Reg cvt(FloatMode mode, PtxType to, PtxType from, Operand a) {
        Reg d = register(to);
        add(new Movement.Convert(mode, to, from, d, a, null));
        return d;
    }

    /** An unsigned number of 32 bits in 64. */
    public Reg wide(Operand a) {
        return cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, a);
    }

    /** Makes an address in a space of a generic one. */
    public Reg toSpace(Space space, Operand a) {
        Reg d = register(PtxType.U64);
        add(new Movement.ConvertAddress(true, space, PtxType.U64, d, a));
        return d;
    }

    public Reg load(Space space, PtxType type, Address address) {
        Reg d = register(type);
        add(Memory.Load.of(space, type, d, address));
        return d;
    }

    /** Loads 2 or 4 neighbours. */
    public Operand.Vector load(Space space, PtxType type, int count, Address address) {
        Operand.Vector d = registers(type, count);
        add(Memory.Load.of(space, type, d, address));
        return d;
    }

    public void store(Space space, PtxType type, Address address, Operand value) {
        add(Memory.Store.of(space, type, address, value));
    }

    public Reg atom(Space space, Memory.AtomicOp op, PtxType type, Address address, Operand b) {
        Reg d = register(type);
        add(new Memory.Atomic(Memory.Order.NONE, Memory.Scope.NONE, space, op, false, type, d, address, b, null));
        return d;
    }

    /** A shuffle among all lanes of the warp. */
    public Reg shfl(WarpOp.ShuffleMode mode, Operand a, Operand b) {
        Reg d = register(a instanceof Reg r ? r.type() : PtxType.B32);
        int clamp = mode == WarpOp.ShuffleMode.UP ? 0 : 31;
        add(new WarpOp.Shuffle(mode, d, a, b, constant(clamp), constant(-1)));
        return d;
    }

    /** Waits for all threads of the CTA. */
    public void barrier() {
        add(Synchronization.Barrier.all());
    }

    /** The kernel as written so far, without what computes values that nobody reads. */
    public Kernel build() {
        List<Statement> code = new ArrayList<>();
        body.flatten(code);
        List<Statement> all = new ArrayList<>();
        registers.forEach((type, n) -> all.add(new Statement.Registers(type, prefix(type), n)));
        all.addAll(declarations);
        all.addAll(Unread.drop(code));
        return new Kernel(true, name, parameters, limits, all);
    }

    /** How sums and quotients of a type are rounded: integers are not. */
    private static FloatMode nearest(PtxType type) {
        return type.isFloat() ? FloatMode.RN : FloatMode.DEFAULT;
    }
}
