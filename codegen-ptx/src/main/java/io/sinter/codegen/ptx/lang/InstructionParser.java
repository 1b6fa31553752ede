// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/** Makes typed instructions of opcodes and operands: arithmetic, logic, comparisons, moves, memory, and control. */
final class InstructionParser {
    private final Modifiers m;
    private final List<Operand> o;

    private InstructionParser(Modifiers m, List<Operand> o) {
        this.m = m;
        this.o = o;
    }

    static Instruction parse(int line, String opcode, List<Operand> operands) {
        Modifiers m = new Modifiers(line, opcode);
        InstructionParser p = new InstructionParser(m, operands);
        Instruction i = p.instruction();
        if (i == null) i = new CooperativeParser(m, operands).instruction();
        if (i == null) throw new PtxException(line, "instruction " + opcode + " is not supported", true);
        m.end();
        return i;
    }

    private Instruction instruction() {
        return switch (m.base()) {
            case "add", "sub", "div", "rem", "min", "max", "copysign" -> binary();
            case "mul" -> multiply();
            case "mad", "fma" -> multiplyAdd();
            case "addc", "subc" -> carry(true);
            case "abs", "neg", "popc", "clz", "brev", "bfind" -> unary();
            case "rcp", "sqrt", "rsqrt", "sin", "cos", "lg2", "ex2", "tanh" -> {
                arity(2);
                Arithmetic.Function f = named(Arithmetic.Function.class);
                FloatMode mode = m.floatMode();
                yield new Arithmetic.Apply(f, mode, m.type(), o(0), o(1));
            }
            case "sad" -> {
                arity(4);
                yield new Arithmetic.AbsoluteDifference(m.type(), o(0), o(1), o(2), o(3));
            }
            case "dp4a" -> {
                arity(4);
                yield new Arithmetic.DotBytes(m.type(), m.type(), o(0), o(1), o(2), o(3));
            }
            case "and", "or", "xor" -> {
                arity(3);
                yield new Bitwise.Logic(named(Bitwise.LogicOp.class), m.type(), o(0), o(1), o(2));
            }
            case "not", "cnot" -> {
                arity(2);
                yield new Bitwise.Invert(m.base().equals("cnot"), m.type(), o(0), o(1));
            }
            case "lop3" -> {
                arity(5);
                m.type();
                yield new Bitwise.Lookup3(o(0), o(1), o(2), o(3), (int) integer(4));
            }
            case "shl", "shr" -> {
                arity(3);
                yield new Bitwise.Shift(m.base().equals("shl"), m.type(), o(0), o(1), o(2));
            }
            case "shf" -> {
                arity(4);
                boolean left = "l".equals(m.takeAny("l", "r"));
                boolean wrap = "wrap".equals(m.takeAny("wrap", "clamp"));
                m.type();
                yield new Bitwise.FunnelShift(left, wrap, o(0), o(1), o(2), o(3));
            }
            case "bfe" -> {
                arity(4);
                yield new Bitwise.Extract(m.type(), o(0), o(1), o(2), o(3));
            }
            case "bfi" -> {
                arity(5);
                yield new Bitwise.Insert(m.type(), o(0), o(1), o(2), o(3), o(4));
            }
            case "prmt" -> {
                arity(4);
                m.type();
                yield new Bitwise.Permute(
                        m.take(Bitwise.Permute.Mode.class, Bitwise.Permute.Mode.NONE), o(0), o(1), o(2), o(3));
            }
            case "setp" -> setPredicate();
            case "set" -> setValue();
            case "selp" -> {
                arity(4);
                yield new Comparison.Select(m.type(), o(0), o(1), o(2), o(3));
            }
            case "slct" -> {
                arity(4);
                yield new Comparison.SelectBySign(m.take("ftz"), m.type(), m.type(), o(0), o(1), o(2), o(3));
            }
            case "testp" -> {
                arity(2);
                yield new Comparison.TestFloat(m.require(Comparison.TestFloat.FloatClass.class), m.type(), o(0), o(1));
            }
            case "mov" -> {
                arity(2);
                yield new Movement.Move(m.type(), o(0), o(1));
            }
            case "cvt" -> {
                FloatMode mode = m.floatMode();
                PtxType d = m.type();
                PtxType a = m.type();
                arity(2, 3);
                yield new Movement.Convert(mode, d, a, o(0), o(1), o.size() == 3 ? o(2) : null);
            }
            case "cvta" -> {
                arity(2);
                yield new Movement.ConvertAddress(m.take("to"), m.space(), m.type(), o(0), o(1));
            }
            case "isspacep" -> {
                arity(2);
                yield new Movement.IsSpace(m.space(), o(0), o(1));
            }
            case "mapa" -> {
                arity(3);
                yield new Movement.MapAddress(m.space(), m.type(), o(0), o(1), o(2));
            }
            case "ld", "ldu" -> load();
            case "st" -> store();
            case "atom", "red" -> atomic();
            case "prefetch", "prefetchu" -> {
                arity(1);
                if (m.take("tensormap")) yield new AsyncCopy.PrefetchTensorMap(m.space(), address(0));
                String level = m.takeAny("L1", "L2");
                if (level == null) throw m.unsupported("the level");
                yield new Memory.Prefetch(m.space(), level, address(0));
            }
            case "bra" -> {
                arity(1);
                if (o(0) instanceof Operand.Symbol s) yield new Control.Branch(m.take("uni"), s.name());
                throw malformed("a branch needs a label");
            }
            case "ret" -> {
                arity(0);
                m.take("uni");
                yield new Control.Return();
            }
            case "exit" -> {
                arity(0);
                yield new Control.Exit();
            }
            case "trap" -> {
                arity(0);
                yield new Control.Trap();
            }
            case "nanosleep" -> {
                arity(1);
                m.type();
                yield new Control.NanoSleep(o(0));
            }
            case "setmaxnreg" -> {
                arity(1);
                boolean increase = "inc".equals(m.takeAny("inc", "dec"));
                m.take("sync");
                m.take("aligned");
                m.type();
                yield new Control.SetMaxRegisters(increase, (int) integer(0));
            }
            case "griddepcontrol" -> {
                arity(0);
                yield new Control.GridDependency("wait".equals(m.takeAny("wait", "launch_dependents")));
            }
            default -> null;
        };
    }

    private Instruction binary() {
        arity(3);
        if (m.take("cc")) return carry(false, true);
        FloatMode mode = m.floatMode();
        return new Arithmetic.Binary(named(Arithmetic.BinaryOp.class), mode, m.type(), o(0), o(1), o(2));
    }

    private Instruction carry(boolean in) {
        arity(3);
        return carry(in, m.take("cc"));
    }

    private Instruction carry(boolean in, boolean out) {
        Arithmetic.BinaryOp op = m.base().startsWith("add") ? Arithmetic.BinaryOp.ADD : Arithmetic.BinaryOp.SUB;
        return new Arithmetic.Carry(op, in, out, m.type(), o(0), o(1), o(2));
    }

    private Instruction multiply() {
        arity(3);
        Arithmetic.Part part = m.take(Arithmetic.Part.class, null);
        if (part != null) return new Arithmetic.Multiply(part, m.type(), o(0), o(1), o(2));
        FloatMode mode = m.floatMode();
        return new Arithmetic.Binary(Arithmetic.BinaryOp.MUL, mode, m.type(), o(0), o(1), o(2));
    }

    private Instruction multiplyAdd() {
        arity(4);
        Arithmetic.Part part = m.take(Arithmetic.Part.class, null);
        if (part != null) {
            return new Arithmetic.MultiplyAdd(part, m.take("sat"), m.type(), o(0), o(1), o(2), o(3));
        }
        FloatMode mode = m.floatMode();
        return new Arithmetic.Fma(mode, m.type(), o(0), o(1), o(2), o(3));
    }

    private Instruction unary() {
        arity(2);
        Arithmetic.UnaryOp op = named(Arithmetic.UnaryOp.class);
        if (op == Arithmetic.UnaryOp.BFIND && m.take("shiftamt")) op = Arithmetic.UnaryOp.BFIND_SHIFTAMT;
        FloatMode mode = m.floatMode();
        return new Arithmetic.Unary(op, mode, m.type(), o(0), o(1));
    }

    private Instruction setPredicate() {
        Comparison.Relation r = m.require(Comparison.Relation.class);
        Bitwise.LogicOp combine = m.take(Bitwise.LogicOp.class, null);
        arity(combine == null ? 3 : 4);
        return new Comparison.SetPredicate(
                r, combine, m.take("ftz"), m.type(), o(0), o(1), o(2), combine == null ? null : o(3));
    }

    private Instruction setValue() {
        Comparison.Relation r = m.require(Comparison.Relation.class);
        Bitwise.LogicOp combine = m.take(Bitwise.LogicOp.class, null);
        arity(combine == null ? 3 : 4);
        return new Comparison.SetValue(
                r, combine, m.take("ftz"), m.type(), m.type(), o(0), o(1), o(2), combine == null ? null : o(3));
    }

    private Instruction load() {
        arity(2);
        Memory.Order order = m.take(Memory.Order.class, Memory.Order.NONE);
        Memory.Scope scope = m.take(Memory.Scope.class, Memory.Scope.NONE);
        Space space = m.space();
        Memory.Cache cache = m.take(Memory.Cache.class, Memory.Cache.NONE);
        boolean constant = m.take("nc") | m.base().equals("ldu");
        List<String> hints = hints();
        vector(o(0));
        return new Memory.Load(order, scope, space, cache, constant, hints, m.type(), o(0), address(1));
    }

    private Instruction store() {
        arity(2);
        Memory.Order order = m.take(Memory.Order.class, Memory.Order.NONE);
        Memory.Scope scope = m.take(Memory.Scope.class, Memory.Scope.NONE);
        Space space = m.space();
        Memory.Cache cache = m.take(Memory.Cache.class, Memory.Cache.NONE);
        List<String> hints = hints();
        vector(o(1));
        return new Memory.Store(order, scope, space, cache, hints, m.type(), address(0), o(1));
    }

    private Instruction atomic() {
        boolean returns = m.base().equals("atom");
        Memory.Order order = m.take(Memory.Order.class, Memory.Order.NONE);
        Memory.Scope scope = m.take(Memory.Scope.class, Memory.Scope.NONE);
        Space space = m.space();
        if (m.take("async")) throw m.unsupported(".async");
        Memory.AtomicOp op = m.require(Memory.AtomicOp.class);
        boolean noFtz = m.take("noftz");
        int first = returns ? 1 : 0;
        arity(first + (op == Memory.AtomicOp.CAS ? 3 : 2));
        vector(o(first + 1));
        return new Memory.Atomic(
                order,
                scope,
                space,
                op,
                noFtz,
                m.type(),
                returns ? o(0) : null,
                address(first),
                o(first + 1),
                op == Memory.AtomicOp.CAS ? o(first + 2) : null);
    }

    private List<String> hints() {
        List<String> hints = m.takeAll("L1::", "L2::");
        if (hints.contains("L2::cache_hint")) throw m.unsupported(".L2::cache_hint");
        return hints;
    }

    /** Takes {@code .v2} and the like, which must fit the operand. */
    private void vector(Operand value) {
        int n = value instanceof Operand.Vector v ? v.elements().size() : 1;
        String modifier = m.takeAny("v2", "v4", "v8");
        if (n != (modifier == null ? 1 : modifier.charAt(1) - '0')) {
            throw malformed(n + " operands for " + (modifier == null ? "one value" : "." + modifier));
        }
    }

    /** The constant of an enum that prints as the opcode's base. */
    private <E extends Enum<E>> E named(Class<E> type) {
        for (E e : type.getEnumConstants()) if (e.toString().equals(m.base())) return e;
        throw new IllegalStateException(m.base());
    }

    private Operand o(int i) {
        return o.get(i);
    }

    private Operand.Address address(int i) {
        if (o.get(i) instanceof Operand.Address a) return a;
        throw malformed("operand " + (i + 1) + " is no address: " + o.get(i));
    }

    private long integer(int i) {
        if (o.get(i) instanceof Operand.Int n) return n.value();
        throw malformed("operand " + (i + 1) + " is no constant: " + o.get(i));
    }

    private void arity(int... allowed) {
        for (int n : allowed) if (o.size() == n) return;
        throw malformed(o.size() + " operands, not " + allowed[0]);
    }

    private PtxException malformed(String what) {
        return new PtxException(m.line(), m.opcode() + ": " + what, false);
    }
}
