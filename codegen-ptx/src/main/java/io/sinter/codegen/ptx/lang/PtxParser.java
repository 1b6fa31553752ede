// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
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

    private final TokenReader tokens;
    private final OperandParser operands;
    private final Map<Statement, Integer> lines = new IdentityHashMap<>();
    private String version;
    private String target;
    private final Map<Integer, String> files = new TreeMap<>();
    private final List<Variable> variables = new ArrayList<>();
    private final List<Kernel> kernels = new ArrayList<>();

    private PtxParser(String text) {
        tokens = new TokenReader(text);
        operands = new OperandParser(tokens);
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
        while (tokens.peek().kind() != Lexer.Kind.END) directive();
        if (version == null) throw tokens.error("no .version before the end", false);
        if (target == null) throw tokens.error("no .target before the end", false);
        return new PtxModule(version, target, files, variables, kernels);
    }

    private void directive() {
        Lexer.Token t = tokens.peek();
        switch (t.text()) {
            case ".version" -> {
                tokens.next();
                version = tokens.next().text();
            }
            case ".target" -> {
                tokens.next();
                StringBuilder s = new StringBuilder(tokens.next().text());
                while (tokens.take(",")) s.append(", ").append(tokens.next().text());
                target = s.toString();
            }
            case ".address_size" -> {
                tokens.next();
                if (tokens.integer() != 64) throw tokens.error("only addresses of 64 bits are supported", true);
            }
            case ".file" -> {
                tokens.next();
                int n = (int) tokens.integer();
                files.put(n, tokens.string());
                if (tokens.take(",")) {
                    tokens.integer();
                    tokens.expect(",");
                    tokens.integer();
                }
            }
            case ".section" -> section();
            case ".func" ->
                throw tokens.error("functions are not supported: only kernels whose calls are all inlined", true);
            default -> declaration();
        }
    }

    /** Debug information, which nothing here needs. */
    private void section() {
        tokens.next();
        tokens.next();
        tokens.expect("{");
        for (int depth = 1; depth > 0; ) {
            Lexer.Token t = tokens.next();
            if (t.kind() == Lexer.Kind.END) throw tokens.error("a section without end", false);
            if (t.is("{")) depth++;
            if (t.is("}")) depth--;
        }
    }

    private void declaration() {
        Variable.Linkage linkage = linkage();
        if (tokens.peek().is(".entry")) {
            tokens.next();
            kernel(linkage != Variable.Linkage.NONE);
        } else if (tokens.peek().is(".func")) {
            throw tokens.error("functions are not supported: only kernels whose calls are all inlined", true);
        } else {
            do {
                variables.add(variable(linkage));
            } while (tokens.take(","));
            tokens.expect(";");
        }
    }

    private Variable.Linkage linkage() {
        String word = tokens.peek().text();
        for (Variable.Linkage l : Variable.Linkage.values()) {
            if (l != Variable.Linkage.NONE && word.equals("." + l.name().toLowerCase(Locale.ROOT))) {
                tokens.next();
                return l;
            }
        }
        return Variable.Linkage.NONE;
    }

    private void kernel(boolean visible) {
        String name = tokens.name();
        List<Variable> parameters = new ArrayList<>();
        if (tokens.take("(") && !tokens.take(")")) {
            do {
                parameters.add(variable(Variable.Linkage.NONE));
            } while (tokens.take(","));
            tokens.expect(")");
        }
        Kernel.Limits limits = limits();
        tokens.expect("{");
        List<Statement> body = block();
        kernels.add(new Kernel(visible, name, parameters, limits, body));
    }

    private Kernel.Limits limits() {
        Kernel.Limits l = Kernel.Limits.NONE;
        while (!tokens.peek().is("{")) {
            Lexer.Token t = tokens.next();
            l = switch (t.text()) {
                case ".maxntid" ->
                    new Kernel.Limits(integers(), l.exactThreads(), l.minCtas(), l.maxRegisters(), l.cluster());
                case ".reqntid" ->
                    new Kernel.Limits(l.maxThreads(), integers(), l.minCtas(), l.maxRegisters(), l.cluster());
                case ".minnctapersm" -> l.withMinCtas((int) tokens.integer());
                case ".maxnreg" ->
                    new Kernel.Limits(
                            l.maxThreads(), l.exactThreads(), l.minCtas(), (int) tokens.integer(), l.cluster());
                case ".reqnctapercluster" ->
                    new Kernel.Limits(l.maxThreads(), l.exactThreads(), l.minCtas(), l.maxRegisters(), integers());
                case ".explicitcluster", ".maxclusterrank", ".pragma" ->
                    throw TokenReader.error(t, t.text() + " is not supported", true);
                default -> throw TokenReader.error(t, "expected a kernel's body, not " + t.text(), false);
            };
        }
        return l;
    }

    private List<Integer> integers() {
        List<Integer> list = new ArrayList<>();
        do {
            list.add((int) tokens.integer());
        } while (tokens.take(","));
        return list;
    }

    private Variable variable(Variable.Linkage linkage) {
        Lexer.Token t = tokens.next();
        Space space = t.text().startsWith(".") ? Space.find(t.text().substring(1)) : null;
        if (space == null) throw TokenReader.error(t, "expected a declaration, not " + t.text(), false);
        int align = 0;
        PtxType type = null;
        Variable.Pointer pointer = null;
        while (tokens.peek().text().startsWith(".")) {
            Lexer.Token m = tokens.next();
            switch (m.text()) {
                case ".align" -> {
                    align = (int) tokens.integer();
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
                        throw TokenReader.error(m, m.text() + " in a declaration is not supported", true);
                    }
                }
            }
        }
        if (type == null) throw TokenReader.error(t, "a declaration without a type", false);
        String name = tokens.name();
        boolean array = false;
        long count = 1;
        while (tokens.take("[")) {
            array = true;
            count = tokens.peek().is("]") ? -1 : count * tokens.integer();
            tokens.expect("]");
        }
        List<Operand> initial = new ArrayList<>();
        if (tokens.take("=")) initial(initial);
        if (count < 0 && !initial.isEmpty()) count = initial.size();
        return new Variable(linkage, space, align, type, name, array, count, initial, pointer);
    }

    private void initial(List<Operand> values) {
        if (tokens.take("{")) {
            if (tokens.take("}")) return;
            do {
                initial(values);
            } while (tokens.take(","));
            tokens.expect("}");
        } else {
            values.add(operands.operand());
        }
    }

    /** Statements up to the closing brace, with names of their own. */
    private List<Statement> block() {
        operands.open();
        List<Statement> list = new ArrayList<>();
        while (!tokens.take("}")) {
            int line = tokens.peek().line();
            int from = list.size();
            statement(list);
            for (int i = from; i < list.size(); i++) lines.put(list.get(i), line);
        }
        operands.close();
        return list;
    }

    private void statement(List<Statement> to) {
        Lexer.Token t = tokens.peek();
        if (t.kind() == Lexer.Kind.END) throw tokens.error("the kernel's body has no end", false);
        if (tokens.take(";")) return;
        if (tokens.take("{")) {
            to.add(new Statement.Block(block()));
        } else if (t.is(".reg")) {
            tokens.next();
            registers(to);
        } else if (t.is(".loc")) {
            tokens.next();
            to.add(location());
        } else if (t.is(".pragma")) {
            tokens.next();
            to.add(new Statement.Pragma(tokens.string()));
            tokens.expect(";");
        } else if (t.text().startsWith(".") && t.kind() == Lexer.Kind.WORD) {
            Variable.Linkage linkage = linkage();
            do {
                to.add(new Statement.Declare(variable(linkage)));
            } while (tokens.take(","));
            tokens.expect(";");
        } else if (tokens.isSecond(":") && t.kind() == Lexer.Kind.WORD) {
            tokens.next();
            tokens.next();
            to.add(new Statement.Label(t.text()));
        } else {
            to.add(perform());
        }
    }

    private void registers(List<Statement> to) {
        Lexer.Token t = tokens.next();
        PtxType type = t.text().startsWith(".") ? PtxType.find(t.text().substring(1)) : null;
        if (type == null) throw TokenReader.error(t, "registers of type " + t.text() + " are not supported", true);
        do {
            Lexer.Token n = tokens.next();
            if (n.kind() != Lexer.Kind.WORD)
                throw TokenReader.error(n, "expected a register's name, not " + n.text(), false);
            int count = -1;
            if (tokens.take("<")) {
                count = (int) tokens.integer();
                tokens.expect(">");
            }
            Statement.Registers r = new Statement.Registers(type, n.text(), count);
            operands.declare(r);
            to.add(r);
        } while (tokens.take(","));
        tokens.expect(";");
    }

    private Statement.Location location() {
        int file = (int) tokens.integer();
        int line = (int) tokens.integer();
        int column = (int) tokens.integer();
        if (!tokens.take(",")) return new Statement.Location(file, line, column);
        tokens.word("function_name");
        String name = tokens.name();
        long offset = tokens.take("+") ? tokens.integer() : 0;
        tokens.expect(",");
        tokens.word("inlined_at");
        return new Statement.Location(
                file,
                line,
                column,
                new Statement.Location.Inlined(
                        new Operand.Symbol(name, offset), (int) tokens.integer(), (int) tokens.integer(), (int)
                                tokens.integer()));
    }

    private Statement perform() {
        Guard guard = null;
        if (tokens.take("@")) {
            boolean negated = tokens.take("!");
            Lexer.Token p = tokens.next();
            if (!(operands.find(p) instanceof Operand.Reg r) || r.type() != PtxType.PRED) {
                throw TokenReader.error(p, p.text() + " is no predicate", false);
            }
            guard = new Guard(r, negated);
        }
        Lexer.Token t = tokens.next();
        if (t.kind() != Lexer.Kind.WORD) throw TokenReader.error(t, "expected an instruction, not " + t.text(), false);
        List<Operand> list = new ArrayList<>();
        if (!tokens.take(";")) {
            do {
                list.add(operands.operand());
            } while (tokens.take(","));
            tokens.expect(";");
        }
        return new Statement.Perform(guard, InstructionParser.parse(t.line(), t.text(), list));
    }
}
