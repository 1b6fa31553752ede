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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text of {@link GraphPrinter}. Names after {@code %} are free (letters, digits, {@code
 * _}); types are checked against the operators' type rules; a comment {@code # @12 …} gives the
 * origin, any other is ignored.
 */
public final class GraphParser {
    private static final Pattern DEFINITION = Pattern.compile("(%\\w+)\\s*:\\s*(.+?)\\s*=\\s*(.+)");
    private static final Pattern TYPE = Pattern.compile("(\\w+)\\[([\\d,\\s]*)\\]");
    private static final Pattern PROJECTION = Pattern.compile("(%\\w+)\\.(\\d+)");
    private static final Pattern CONSTANT = Pattern.compile("(constant|derived)\\((.*)\\)");
    private static final Pattern CALL = Pattern.compile("(\\w+)\\s*\\(([^)]*)\\)\\s*(\\{.*\\})?");
    private static final Pattern ORIGIN = Pattern.compile("#\\s*@(\\d+)(\\s.*)?");

    private final Map<String, Node> values = new HashMap<>();
    private final List<Node> inputs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Node> outputs = new ArrayList<>();
    private final List<Integer> donations = new ArrayList<>();
    private boolean returned;

    private GraphParser() {}

    /**
     * The graph that the text describes.
     *
     * @throws IllegalArgumentException naming the line number, the line and the problem
     */
    public static Graph parse(String text) {
        GraphParser p = new GraphParser();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            try {
                p.line(line);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + number + ": " + line.strip() + ": " + e.getMessage(), e);
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
        String line = raw.strip();
        if (hash >= 0) {
            Matcher m = ORIGIN.matcher(raw.substring(hash));
            if (m.matches()) origin = Math.toIntExact(number(m.group(1)));
            line = raw.substring(0, hash).strip();
        }
        if (line.isEmpty()) return;
        if (returned) throw new IllegalArgumentException("nothing may follow 'return'");
        if (line.equals("return") || line.startsWith("return ")) {
            results(line.substring("return".length()).strip());
            return;
        }
        Matcher m = DEFINITION.matcher(line);
        if (!m.matches()) throw new IllegalArgumentException("neither '%name: type = …' nor 'return …'");
        Node n = define(types(m.group(2)), m.group(3), origin);
        if (values.put(m.group(1), n) != null) throw new IllegalArgumentException(m.group(1) + " is defined twice");
        (n.op() instanceof Input ? inputs : nodes).add(n);
    }

    private static List<Type> types(String text) {
        List<Type> types = new ArrayList<>();
        Matcher m = TYPE.matcher(text);
        while (m.find()) types.add(parseType(m.group()));
        if (types.isEmpty()) throw new IllegalArgumentException("'" + text + "' is not a type like f32[2,3]");
        return types;
    }

    private Node define(List<Type> types, String text, int origin) {
        if (text.equals("input") || text.equals("scalar")) {
            return new Node(new Input(inputs.size(), types.get(0), text.equals("scalar")), List.of(), types, origin);
        }
        Matcher m = PROJECTION.matcher(text);
        if (m.matches()) {
            Node from = value(m.group(1));
            Op op = new Project(Math.toIntExact(number(m.group(2))), types.get(0));
            return checked(op, List.of(from), from.types(), types, origin);
        }
        m = CONSTANT.matcher(text);
        if (m.matches()) {
            Constant c = constant(types.get(0).dtype(), m.group(2).strip());
            return checked(
                    new Constant(c.dtype(), c.bits(), m.group(1).equals("derived")),
                    List.of(),
                    List.of(),
                    types,
                    origin);
        }
        m = CALL.matcher(text);
        if (!m.matches()) throw new IllegalArgumentException("'" + text + "' is not an operator with operands");
        List<Node> operands = new ArrayList<>();
        if (!m.group(2).isBlank()) for (String s : m.group(2).split(",", -1)) operands.add(value(s.strip()));
        Op op = OpText.parse(m.group(1), OpText.source(m.group(3) == null ? "" : m.group(3)));
        return checked(op, operands, operands.stream().map(GraphParser::single).toList(), types, origin);
    }

    private static Type single(Node n) {
        if (n.types().size() != 1)
            throw new IllegalArgumentException("an operand has several results; read one with %n.0");
        return n.type();
    }

    private static Node checked(Op op, List<Node> operands, List<Type> in, List<Type> stated, int origin) {
        List<Type> inferred = op.infer(in);
        if (!inferred.equals(stated)) throw new IllegalArgumentException("the type is " + inferred + ", not " + stated);
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

    private void results(String text) {
        returned = true;
        if (text.isEmpty()) return;
        for (String part : text.split(",", -1)) {
            String[] arrow = part.split("->", -1);
            if (arrow.length > 2) throw new IllegalArgumentException("'" + part + "' has two arrows");
            outputs.add(value(arrow[0].strip()));
            int donated = arrow.length == 1 ? -1 : inputs.indexOf(value(arrow[1].strip()));
            if (arrow.length == 2 && donated < 0)
                throw new IllegalArgumentException(arrow[1].strip() + " is not an input");
            donations.add(donated);
        }
    }
}
