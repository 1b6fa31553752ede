// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads operands, in which names are those of the blocks that are open. */
final class OperandParser {
    /** Names of one block: registers, and counts of numbered ones by their common beginning. */
    private record Names(Map<String, PtxType> registers, Map<String, Statement.Registers> numbered) {
        Names() {
            this(new HashMap<>(), new HashMap<>());
        }

        Operand.Reg find(String name) {
            PtxType t = registers.get(name);
            if (t != null) return new Operand.Reg(name, t);
            int end = name.length();
            while (end > 0 && Character.isDigit(name.charAt(end - 1))) end--;
            for (int i = end; i < name.length(); i++) {
                Statement.Registers n = numbered.get(name.substring(0, i));
                if (n == null) continue;
                String number = name.substring(i);
                boolean canonical = number.length() == 1 || (number.length() < 10 && number.charAt(0) != '0');
                if (canonical && Integer.parseInt(number) < n.count()) return new Operand.Reg(name, n.type());
            }
            return null;
        }
    }

    private final TokenReader tokens;
    private final Deque<Names> scopes = new ArrayDeque<>();

    OperandParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    /** A block begins. */
    void open() {
        scopes.push(new Names());
    }

    /** The innermost block ends, and its names with it. */
    void close() {
        scopes.pop();
    }

    /** Names the registers in the innermost block. */
    void declare(Statement.Registers r) {
        if (r.count() < 0) scopes.peek().registers().put(r.name(), r.type());
        else scopes.peek().numbered().put(r.name(), r);
    }

    Operand operand() {
        Operand first = single();
        return tokens.take("|") ? new Operand.Pair(first, single()) : first;
    }

    private Operand single() {
        Lexer.Token t = tokens.next();
        if (t.is("[")) return address();
        if (t.is("{")) {
            List<Operand> elements = new ArrayList<>();
            do {
                elements.add(single());
            } while (tokens.take(","));
            tokens.expect("}");
            return new Operand.Vector(elements);
        }
        if (t.is("!")) return new Operand.Not(single());
        if (t.is("-")) return negative(tokens.constant(tokens.next()));
        if (t.is("+")) return tokens.constant(tokens.next());
        if (t.is("(")) {
            Operand o = single();
            tokens.expect(")");
            return o;
        }
        if (t.kind() == Lexer.Kind.NUMBER) return tokens.constant(t);
        if (t.kind() != Lexer.Kind.WORD) throw TokenReader.error(t, "expected an operand, not " + t.text(), false);
        Operand o = find(t);
        if (o instanceof Operand.Symbol s
                && (tokens.peek().is("+") || (tokens.peek().is("-")))) return new Operand.Symbol(s.name(), offset());
        return o;
    }

    private Operand address() {
        Lexer.Token t = tokens.next();
        Operand base = t.kind() == Lexer.Kind.NUMBER ? tokens.constant(t) : find(t);
        if (!(base instanceof Operand.Reg) && !(base instanceof Operand.Symbol) && !(base instanceof Operand.Int)) {
            throw TokenReader.error(t, t.text() + " cannot be the base of an address", false);
        }
        if (tokens.take(",")) {
            Operand coordinates = single();
            tokens.expect("]");
            if (coordinates instanceof Operand.Vector v) return new Operand.TensorAddress(base, v.elements());
            throw TokenReader.error(t, "the coordinates of a tensor stand in braces", false);
        }
        long offset = tokens.peek().is("]") ? 0 : offset();
        tokens.expect("]");
        return new Operand.Address(base, offset);
    }

    /** {@code +16}, {@code -16}, {@code +-16}. */
    private long offset() {
        boolean minus = false;
        while (true) {
            if (tokens.take("-")) {
                minus = !minus;
            } else if (!tokens.take("+")) {
                break;
            }
        }
        long n = tokens.integer();
        return minus ? -n : n;
    }

    /** What a word means: a register, a special one, or a symbol. */
    Operand find(Lexer.Token word) {
        String name = word.text();
        for (Names n : scopes) {
            Operand.Reg r = n.find(name);
            if (r != null) return r;
        }
        Operand.Special s = Operand.Special.find(name);
        if (s != null) return s;
        if (name.equals("_")) return new Operand.Sink();
        if (name.equals("WARP_SZ")) return new Operand.Int(32);
        if (name.startsWith("%")) throw TokenReader.error(word, "register " + name + " is not declared", false);
        return new Operand.Symbol(name);
    }

    private static Operand negative(Operand o) {
        return switch (o) {
            case Operand.Int i -> new Operand.Int(-i.value());
            case Operand.F32 f -> new Operand.F32(f.bits() ^ Integer.MIN_VALUE);
            case Operand.F64 f -> new Operand.F64(f.bits() ^ Long.MIN_VALUE);
            default -> throw new IllegalStateException("no constant: " + o);
        };
    }
}
