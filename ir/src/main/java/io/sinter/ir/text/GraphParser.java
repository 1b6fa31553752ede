// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.OpText;
import io.sinter.ir.op.Project;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text of {@link GraphPrinter}. Names after {@code %} are free (letters, digits, {@code
 * _}); types are checked against the operators' type rules; a comment {@code # @12 …} gives the
 * origin, any other is ignored.
 */
public final class GraphParser {
    private static final Pattern DEFINITION = Pattern.compile("\\s*(%\\w+)\\s*:\\s*(.+?)\\s*=\\s*(.+)");
    private static final Pattern TYPE = Pattern.compile("(\\w+)\\[([\\d,\\s]*)\\]");
    private static final Pattern PROJECTION = Pattern.compile("(%\\w+)\\.(\\d+)");
    private static final Pattern CONSTANT = Pattern.compile("(constant|derived)\\((.*)\\)");
    private static final Pattern CALL = Pattern.compile("(\\w+)\\s*\\(([^)]*)\\)\\s*(\\{.*\\})?");
    private static final Pattern ORIGIN = Pattern.compile("#\\s*@(\\d+)(\\s.*)?");

    private static final Set<String> OPERATORS = Set.copyOf(OpText.names());

    private final Map<String, Node> values = new HashMap<>();
    private final List<Node> inputs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Node> outputs = new ArrayList<>();
    private final List<Integer> donations = new ArrayList<>();
    private boolean returned;
    /** Where in the line that is being read stands what is looked at: what is wrong is wrong there. */
    private int at;

    private GraphParser() {}

    /**
     * The graph that the text describes.
     *
     * @throws IllegalArgumentException naming the numbers of line and column, the line and the problem
     */
    public static Graph parse(String text) {
        GraphParser p = new GraphParser();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            try {
                p.line(line);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "line " + number + ", column " + (p.at + 1) + ": " + line.strip() + ": " + e.getMessage(), e);
            }
        }
        if (!p.returned) throw new IllegalArgumentException("the text ends without 'return'");
        return new Graph(p.inputs, p.nodes, p.outputs, p.donations);
    }

    /** The type of a text like {@code f32[2,3]}. */
    public static Type parseType(String text) {
        Matcher m = TYPE.matcher(text.strip());
        if (!m.matches()) throw new IllegalArgumentException("'" + text + "' is not a type like f32[2,3]");
        String dims = m.group(2).strip();
        if (dims.isEmpty()) return Type.scalar(DType.parse(m.group(1)));
        String[] parts = dims.split(",", -1);
        long[] d = new long[parts.length];
        for (int i = 0; i < d.length; i++) d[i] = number(parts[i].strip());
        return new Type(DType.parse(m.group(1)), Shape.of(d));
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is not an integer", e);
        }
    }

    private void line(String raw) {
        int hash = raw.indexOf('#');
        int origin = -1;
        String line = raw.stripTrailing();
        at = 0;
        if (hash >= 0) {
            Matcher m = ORIGIN.matcher(raw.substring(hash));
            at = hash;
            if (m.matches()) origin = Math.toIntExact(number(m.group(1)));
            line = raw.substring(0, hash).stripTrailing();
        }
        at = start(line, 0);
        if (at == line.length()) return;
        if (returned) throw new IllegalArgumentException("nothing may follow 'return'");
        if (line.startsWith("return", at) && (line.length() == at + 6 || line.charAt(at + 6) == ' ')) {
            results(line, at + 6);
            return;
        }
        Matcher m = DEFINITION.matcher(line);
        if (!m.matches()) throw new IllegalArgumentException("neither '%name: type = …' nor 'return …'");
        int named = m.start(1);
        at = m.start(2);
        List<Type> types = types(m.group(2));
        Node n = define(types, at, m.group(3), m.start(3), origin);
        at = named;
        if (values.put(m.group(1), n) != null) throw new IllegalArgumentException(m.group(1) + " is defined twice");
        (n.op() instanceof Input ? inputs : nodes).add(n);
    }

    /** The place of the first character from there on that is no space; the text's length if there is none. */
    private static int start(String text, int from) {
        int i = from;
        while (i < text.length() && Character.isWhitespace(text.charAt(i))) i++;
        return i;
    }

    private static List<Type> types(String text) {
        List<Type> types = new ArrayList<>();
        Matcher m = TYPE.matcher(text);
        while (m.find()) types.add(parseType(m.group()));
        if (types.isEmpty()) throw new IllegalArgumentException("'" + text + "' is not a type like f32[2,3]");
        return types;
    }

    /**
     * @param stated where the types stand
     * @param from where {@code text} stands
     */
    private Node define(List<Type> types, int stated, String text, int from, int origin) {
        at = from;
        if (text.equals("input") || text.equals("scalar")) {
            return new Node(new Input(inputs.size(), types.get(0), text.equals("scalar")), List.of(), types, origin);
        }
        Matcher m = PROJECTION.matcher(text);
        if (m.matches()) {
            Node of = value(m.group(1));
            Op op = new Project(Math.toIntExact(number(m.group(2))), types.get(0));
            return checked(op, List.of(of), of.types(), types, stated, origin);
        }
        m = CONSTANT.matcher(text);
        if (m.matches()) {
            Constant c = constant(types.get(0).dtype(), m.group(2).strip());
            Constant made = new Constant(c.dtype(), c.bits(), m.group(1).equals("derived"));
            return checked(made, List.of(), List.of(), types, stated, origin);
        }
        m = CALL.matcher(text);
        if (!m.matches()) {
            if (text.indexOf('(') > 0 && text.indexOf(')') < 0) {
                at = from + text.length();
                throw new IllegalArgumentException("the ')' after the operands is missing");
            }
            throw new IllegalArgumentException("'" + text + "' is not an operator with operands");
        }
        List<Node> operands = new ArrayList<>();
        int next = m.start(2);
        if (!m.group(2).isBlank()) {
            for (String s : m.group(2).split(",", -1)) {
                at = from + start(text, next);
                operands.add(single(value(s.strip())));
                next += s.length() + 1;
            }
        }
        at = from;
        // What is wrong with an operator that exists is wrong with its attributes, if it has some.
        if (m.group(3) != null && OPERATORS.contains(m.group(1))) at = from + m.start(3);
        Op op = OpText.parse(m.group(1), OpText.source(m.group(3) == null ? "" : m.group(3)));
        at = from;
        return checked(op, operands, operands.stream().map(Node::type).toList(), types, stated, origin);
    }

    private static Node single(Node n) {
        if (n.types().size() != 1)
            throw new IllegalArgumentException("an operand has several results; read one with %n.0");
        return n;
    }

    private Node checked(Op op, List<Node> operands, List<Type> in, List<Type> stated, int place, int origin) {
        List<Type> inferred = op.infer(in);
        if (!inferred.equals(stated)) {
            at = place;
            throw new IllegalArgumentException("the type is " + inferred + ", not " + stated);
        }
        return new Node(op, operands, inferred, origin);
    }

    private static Constant constant(DType t, String value) {
        if (!t.isFloat()) return Constant.ofLong(t, number(value));
        try {
            return Constant.of(t, Double.parseDouble(value));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + value + "' is not a number", e);
        }
    }

    private Node value(String name) {
        Node n = values.get(name);
        if (n == null) throw new IllegalArgumentException(name + " is not defined above");
        return n;
    }

    /** @param from where the results begin in the line */
    private void results(String line, int from) {
        returned = true;
        if (line.length() == from) return;
        int next = from;
        for (String part : line.substring(from).split(",", -1)) {
            at = start(line, next);
            next += part.length() + 1;
            String[] arrow = part.split("->", -1);
            if (arrow.length > 2) throw new IllegalArgumentException("'" + part.strip() + "' has two arrows");
            outputs.add(value(arrow[0].strip()));
            if (arrow.length == 1) {
                donations.add(-1);
                continue;
            }
            at = start(line, next - 1 - arrow[1].length());
            int donated = inputs.indexOf(value(arrow[1].strip()));
            if (donated < 0) throw new IllegalArgumentException(arrow[1].strip() + " is not an input");
            donations.add(donated);
        }
    }
}
