// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Reads PTX text: what this package prints, and what nvcc writes within the subset of {@link Instruction}. */
public final class PtxParser {
    /**
     * A module and where its statements stand.
     *
     * @param lines line numbers of the text, from 1 on, by the identity of the statement
     */
    public record Result(PtxModule module, Map<Statement, Integer> lines) {}

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

    private final List<Lexer.Token> tokens;
    private int at;
    private final Deque<Names> scopes = new ArrayDeque<>();
    private final Map<Statement, Integer> lines = new IdentityHashMap<>();
    private String version;
    private String target;
    private final Map<Integer, String> files = new TreeMap<>();
    private final List<Variable> variables = new ArrayList<>();
    private final List<Kernel> kernels = new ArrayList<>();

    private PtxParser(String text) {
        tokens = Lexer.tokens(text);
    }

    /**
     * Reads a module.
     *
     * @throws PtxException if it is malformed or beyond the subset
     */
    public static Result parse(String text) {
        PtxParser p = new PtxParser(text);
        PtxModule m = p.module();
        return new Result(m, p.lines);
    }

    private PtxModule module() {
        while (peek().kind() != Lexer.Kind.END) directive();
        if (version == null) throw error("no .version before the end", false);
        if (target == null) throw error("no .target before the end", false);
        return new PtxModule(version, target, files, variables, kernels);
    }

    private void directive() {
        Lexer.Token t = peek();
        switch (t.text()) {
            case ".version" -> {
                next();
                version = next().text();
            }
            case ".target" -> {
                next();
                StringBuilder s = new StringBuilder(next().text());
                while (take(",")) s.append(", ").append(next().text());
                target = s.toString();
            }
            case ".address_size" -> {
                next();
                if (integer() != 64) throw error("only addresses of 64 bits are supported", true);
            }
            case ".file" -> {
                next();
                int n = (int) integer();
                files.put(n, string());
                if (take(",")) {
                    integer();
                    expect(",");
                    integer();
                }
            }
            case ".section" -> section();
            case ".func" -> throw error("functions are not supported: only kernels whose calls are all inlined", true);
            default -> declaration();
        }
    }

    /** Debug information, which nothing here needs. */
    private void section() {
        next();
        next();
        expect("{");
        for (int depth = 1; depth > 0; ) {
            Lexer.Token t = next();
            if (t.kind() == Lexer.Kind.END) throw error("a section without end", false);
            if (t.is("{")) depth++;
            if (t.is("}")) depth--;
        }
    }

    private void declaration() {
        Variable.Linkage linkage = linkage();
        if (peek().is(".entry")) {
            next();
            kernel(linkage != Variable.Linkage.NONE);
        } else if (peek().is(".func")) {
            throw error("functions are not supported: only kernels whose calls are all inlined", true);
        } else {
            do {
                variables.add(variable(linkage));
            } while (take(","));
            expect(";");
        }
    }

    private Variable.Linkage linkage() {
        String word = peek().text();
        for (Variable.Linkage l : Variable.Linkage.values()) {
            if (l != Variable.Linkage.NONE && word.equals("." + l.name().toLowerCase(Locale.ROOT))) {
                next();
                return l;
            }
        }
        return Variable.Linkage.NONE;
    }

    private void kernel(boolean visible) {
        String name = name();
        List<Variable> parameters = new ArrayList<>();
        if (take("(") && !take(")")) {
            do {
                parameters.add(variable(Variable.Linkage.NONE));
            } while (take(","));
            expect(")");
        }
        Kernel.Limits limits = limits();
        expect("{");
        List<Statement> body = block();
        kernels.add(new Kernel(visible, name, parameters, limits, body));
    }

    private Kernel.Limits limits() {
        Kernel.Limits l = Kernel.Limits.NONE;
        while (!peek().is("{")) {
            Lexer.Token t = next();
            l = switch (t.text()) {
                case ".maxntid" ->
                    new Kernel.Limits(integers(), l.exactThreads(), l.minCtas(), l.maxRegisters(), l.cluster());
                case ".reqntid" ->
                    new Kernel.Limits(l.maxThreads(), integers(), l.minCtas(), l.maxRegisters(), l.cluster());
                case ".minnctapersm" -> l.withMinCtas((int) integer());
                case ".maxnreg" ->
                    new Kernel.Limits(l.maxThreads(), l.exactThreads(), l.minCtas(), (int) integer(), l.cluster());
                case ".reqnctapercluster" ->
                    new Kernel.Limits(l.maxThreads(), l.exactThreads(), l.minCtas(), l.maxRegisters(), integers());
                case ".explicitcluster", ".maxclusterrank", ".pragma" ->
                    throw error(t, t.text() + " is not supported", true);
                default -> throw error(t, "expected a kernel's body, not " + t.text(), false);
            };
        }
        return l;
    }

    private List<Integer> integers() {
        List<Integer> list = new ArrayList<>();
        do {
            list.add((int) integer());
        } while (take(","));
        return list;
    }

    private Variable variable(Variable.Linkage linkage) {
        Lexer.Token t = next();
        Space space = t.text().startsWith(".") ? Space.find(t.text().substring(1)) : null;
        if (space == null) throw error(t, "expected a declaration, not " + t.text(), false);
        int align = 0;
        PtxType type = null;
        Variable.Pointer pointer = null;
        while (peek().text().startsWith(".")) {
            Lexer.Token m = next();
            switch (m.text()) {
                case ".align" -> {
                    align = (int) integer();
                    if (pointer != null) {
                        pointer = new Variable.Pointer(pointer.space(), align);
                        align = 0;
                    }
                }
                case ".ptr" -> pointer = new Variable.Pointer(Space.GENERIC, 0);
                default -> {
                    Space to = Space.find(m.text().substring(1));
                    PtxType found = PtxType.find(m.text().substring(1));
                    if (pointer != null && to != null) {
                        pointer = new Variable.Pointer(to, 0);
                    } else if (found != null) {
                        type = found;
                    } else {
                        throw error(m, m.text() + " in a declaration is not supported", true);
                    }
                }
            }
        }
        if (type == null) throw error(t, "a declaration without a type", false);
        String name = name();
        boolean array = false;
        long count = 1;
        while (take("[")) {
            array = true;
            count = peek().is("]") ? -1 : count * integer();
            expect("]");
        }
        List<Operand> initial = new ArrayList<>();
        if (take("=")) initial(initial);
        if (count < 0 && !initial.isEmpty()) count = initial.size();
        return new Variable(linkage, space, align, type, name, array, count, initial, pointer);
    }

    private void initial(List<Operand> values) {
        if (take("{")) {
            if (take("}")) return;
            do {
                initial(values);
            } while (take(","));
            expect("}");
        } else {
            values.add(operand());
        }
    }

    /** Statements up to the closing brace, with names of their own. */
    private List<Statement> block() {
        scopes.push(new Names());
        List<Statement> list = new ArrayList<>();
        while (!take("}")) {
            int line = peek().line();
            int from = list.size();
            statement(list);
            for (int i = from; i < list.size(); i++) lines.put(list.get(i), line);
        }
        scopes.pop();
        return list;
    }

    private void statement(List<Statement> to) {
        Lexer.Token t = peek();
        if (t.kind() == Lexer.Kind.END) throw error("the kernel's body has no end", false);
        if (take(";")) return;
        if (take("{")) {
            to.add(new Statement.Block(block()));
        } else if (t.is(".reg")) {
            next();
            registers(to);
        } else if (t.is(".loc")) {
            next();
            to.add(location());
        } else if (t.is(".pragma")) {
            next();
            to.add(new Statement.Pragma(string()));
            expect(";");
        } else if (t.text().startsWith(".") && t.kind() == Lexer.Kind.WORD) {
            Variable.Linkage linkage = linkage();
            do {
                to.add(new Statement.Declare(variable(linkage)));
            } while (take(","));
            expect(";");
        } else if (tokens.get(at + 1).is(":") && t.kind() == Lexer.Kind.WORD) {
            next();
            next();
            to.add(new Statement.Label(t.text()));
        } else {
            to.add(perform());
        }
    }

    private void registers(List<Statement> to) {
        Lexer.Token t = next();
        PtxType type = t.text().startsWith(".") ? PtxType.find(t.text().substring(1)) : null;
        if (type == null) throw error(t, "registers of type " + t.text() + " are not supported", true);
        do {
            Lexer.Token n = next();
            if (n.kind() != Lexer.Kind.WORD) throw error(n, "expected a register's name, not " + n.text(), false);
            int count = -1;
            if (take("<")) {
                count = (int) integer();
                expect(">");
            }
            Statement.Registers r = new Statement.Registers(type, n.text(), count);
            if (count < 0) {
                scopes.peek().registers().put(n.text(), type);
            } else {
                scopes.peek().numbered().put(n.text(), r);
            }
            to.add(r);
        } while (take(","));
        expect(";");
    }

    private Statement.Location location() {
        int file = (int) integer();
        int line = (int) integer();
        int column = (int) integer();
        if (!take(",")) return new Statement.Location(file, line, column);
        word("function_name");
        String name = name();
        long offset = take("+") ? integer() : 0;
        expect(",");
        word("inlined_at");
        return new Statement.Location(
                file,
                line,
                column,
                new Statement.Location.Inlined(
                        new Operand.Symbol(name, offset), (int) integer(), (int) integer(), (int) integer()));
    }

    private void word(String w) {
        if (!next().is(w)) throw error(tokens.get(at - 1), "expected " + w, false);
    }

    private Statement perform() {
        Guard guard = null;
        if (take("@")) {
            boolean negated = take("!");
            Lexer.Token p = next();
            if (!(find(p.text()) instanceof Operand.Reg r) || r.type() != PtxType.PRED) {
                throw error(p, p.text() + " is no predicate", false);
            }
            guard = new Guard(r, negated);
        }
        Lexer.Token t = next();
        if (t.kind() != Lexer.Kind.WORD) throw error(t, "expected an instruction, not " + t.text(), false);
        List<Operand> operands = new ArrayList<>();
        if (!take(";")) {
            do {
                operands.add(operand());
            } while (take(","));
            expect(";");
        }
        return new Statement.Perform(guard, InstructionParser.parse(t.line(), t.text(), operands));
    }

    private Operand operand() {
        Operand first = single();
        return take("|") ? new Operand.Pair(first, single()) : first;
    }

    private Operand single() {
        Lexer.Token t = next();
        if (t.is("[")) return address();
        if (t.is("{")) {
            List<Operand> elements = new ArrayList<>();
            do {
                elements.add(single());
            } while (take(","));
            expect("}");
            return new Operand.Vector(elements);
        }
        if (t.is("!")) return new Operand.Not(single());
        if (t.is("-")) return negative(constant(next()));
        if (t.is("+")) return constant(next());
        if (t.is("(")) {
            Operand o = single();
            expect(")");
            return o;
        }
        if (t.kind() == Lexer.Kind.NUMBER) return constant(t);
        if (t.kind() != Lexer.Kind.WORD) throw error(t, "expected an operand, not " + t.text(), false);
        Operand o = find(t.text());
        if (o instanceof Operand.Symbol s && (peek().is("+") || (peek().is("-"))))
            return new Operand.Symbol(s.name(), offset());
        return o;
    }

    private Operand address() {
        Lexer.Token t = next();
        Operand base = t.kind() == Lexer.Kind.NUMBER ? constant(t) : find(t.text());
        if (!(base instanceof Operand.Reg) && !(base instanceof Operand.Symbol) && !(base instanceof Operand.Int)) {
            throw error(t, t.text() + " cannot be the base of an address", false);
        }
        if (take(",")) {
            Operand coordinates = single();
            expect("]");
            if (coordinates instanceof Operand.Vector v) return new Operand.TensorAddress(base, v.elements());
            throw error(t, "the coordinates of a tensor stand in braces", false);
        }
        long offset = peek().is("]") ? 0 : offset();
        expect("]");
        return new Operand.Address(base, offset);
    }

    /** {@code +16}, {@code -16}, {@code +-16}. */
    private long offset() {
        boolean minus = false;
        while (true) {
            if (take("-")) {
                minus = !minus;
            } else if (!take("+")) {
                break;
            }
        }
        long n = integer();
        return minus ? -n : n;
    }

    private Operand find(String name) {
        for (Names n : scopes) {
            Operand.Reg r = n.find(name);
            if (r != null) return r;
        }
        Operand.Special s = Operand.Special.find(name);
        if (s != null) return s;
        if (name.equals("_")) return new Operand.Sink();
        if (name.equals("WARP_SZ")) return new Operand.Int(32);
        if (name.startsWith("%")) throw error(tokens.get(at - 1), "register " + name + " is not declared", false);
        return new Operand.Symbol(name);
    }

    private Operand constant(Lexer.Token t) {
        String s = t.text();
        try {
            if (s.startsWith("0f") || s.startsWith("0F"))
                return new Operand.F32(Integer.parseUnsignedInt(s.substring(2), 16));
            if (s.startsWith("0d") || s.startsWith("0D"))
                return new Operand.F64(Long.parseUnsignedLong(s.substring(2), 16));
            boolean hex = s.startsWith("0x") || s.startsWith("0X");
            if (!hex && s.matches(".*[.eE].*")) return new Operand.F64(Double.parseDouble(s));
            return new Operand.Int(number(s));
        } catch (NumberFormatException _) {
            throw error(t, s + " is no constant", false);
        }
    }

    private static long number(String s) {
        String n = s.endsWith("U") ? s.substring(0, s.length() - 1) : s;
        if (n.startsWith("0x") || n.startsWith("0X")) return Long.parseUnsignedLong(n.substring(2), 16);
        if (n.startsWith("0b") || n.startsWith("0B")) return Long.parseUnsignedLong(n.substring(2), 2);
        if (n.length() > 1 && n.startsWith("0")) return Long.parseUnsignedLong(n.substring(1), 8);
        return Long.parseUnsignedLong(n);
    }

    private static Operand negative(Operand o) {
        return switch (o) {
            case Operand.Int i -> new Operand.Int(-i.value());
            case Operand.F32 f -> new Operand.F32(f.bits() ^ Integer.MIN_VALUE);
            case Operand.F64 f -> new Operand.F64(f.bits() ^ Long.MIN_VALUE);
            default -> throw new IllegalStateException("no constant: " + o);
        };
    }

    private long integer() {
        Lexer.Token t = next();
        boolean minus = t.is("-");
        if (minus) t = next();
        if (t.kind() == Lexer.Kind.NUMBER && constant(t) instanceof Operand.Int i)
            return minus ? -i.value() : i.value();
        throw error(t, "expected an integer, not " + t.text(), false);
    }

    private String string() {
        Lexer.Token t = next();
        if (t.kind() != Lexer.Kind.STRING) throw error(t, "expected a string, not " + t.text(), false);
        return t.text();
    }

    private String name() {
        Lexer.Token t = next();
        if (t.kind() != Lexer.Kind.WORD) throw error(t, "expected a name, not " + t.text(), false);
        return t.text();
    }

    private Lexer.Token peek() {
        return tokens.get(at);
    }

    private Lexer.Token next() {
        Lexer.Token t = tokens.get(at);
        if (t.kind() != Lexer.Kind.END) at++;
        return t;
    }

    private boolean take(String sign) {
        if (!peek().is(sign)) return false;
        at++;
        return true;
    }

    private void expect(String sign) {
        if (!take(sign)) throw error("expected '" + sign + "', not " + peek().text(), false);
    }

    private PtxException error(String message, boolean unsupported) {
        return error(peek(), message, unsupported);
    }

    private static PtxException error(Lexer.Token at, String message, boolean unsupported) {
        return new PtxException(at.line(), message, unsupported);
    }
}
