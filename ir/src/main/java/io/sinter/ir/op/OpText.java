// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.text.GraphParser;
import io.sinter.ir.text.GraphPrinter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Text of operators: {@code softmax {axis=1}}, printed and parsed; and the registry of all
 * operators by name.
 */
public final class OpText {
    private static final Map<String, Function<Attrs.Source, Op>> PARSERS = new LinkedHashMap<>();

    static {
        register("input", a -> new Input(a.getInt("number"), type(a), a.getBoolean("scalar")));
        register("constant", OpText::constant);
        register("iota", a -> new Iota(a.getLong("n")));
        register("random_bits", a -> new RandomBits(shape(a, "shape")));
        for (Unary u : Unary.values()) register(u.name(), _ -> u);
        for (Binary b : Binary.values()) register(b.name(), _ -> b);
        register("where", _ -> Where.INSTANCE);
        register("cast", a -> new Cast(DType.parse(a.getName("to"))));
        register("bitcast", a -> new Bitcast(DType.parse(a.getName("to"))));
        register("reshape", a -> new Reshape(shape(a, "shape")));
        register("permute", a -> new Permute(a.getInts("perm")));
        register("expand", a -> new Expand(shape(a, "shape")));
        register(
                "slice",
                a -> new Slice(
                        a.getInt("axis"),
                        a.getLong("start"),
                        a.getLong("size"),
                        a.getLong("step"),
                        a.getBoolean("live")));
        register("window", a -> new Window(a.getInt("axis"), a.getLong("size"), a.getLong("step")));
        register("pad", a -> new Pad(a.getLongs("low"), a.getLongs("high")));
        register("concat", a -> new Concat(a.getInt("axis")));
        register("project", a -> new Project(a.getInt("index"), type(a)));
        for (Reduce.Kind k : Reduce.Kind.values()) register(k.toString(), a -> new Reduce(k, a.getInts("axes")));
        for (Reduce.Kind k : Reduce.Kind.values()) {
            if (!k.isArg())
                register(BlockReduce.name(k), a -> new BlockReduce(k, a.getInt("axes"), a.getLong("block")));
        }
        for (Scan.Kind k : Scan.Kind.values()) {
            register(k.toString(), a -> new Scan(k, a.getInt("axis"), a.getBoolean("reverse")));
        }
        register("take", a -> new Take(a.getInt("axis")));
        register("put", a -> new Put(a.getInt("axis"), Put.Mode.parse(a.getName("mode"))));
        register("gather", a -> new Gather(a.getInt("axis")));
        register("scatter", a -> new Scatter(a.getInt("axis"), Put.Mode.parse(a.getName("mode"))));
        register("check_index", a -> new CheckIndex(a.getLong("bound"), a.getBoolean("wrap"), a.getName("operator")));
        register("sort", a -> new Sort(a.getInt("axis"), a.getBoolean("descending")));
        register("topk", a -> new TopK(a.getInt("axis"), a.getLong("k"), a.getBoolean("largest")));
        register(
                "max_pool",
                a -> new MaxPool(
                        a.getLongs("kernel"),
                        a.getLongs("stride"),
                        a.getLongs("pad_low"),
                        a.getLongs("pad_high"),
                        a.getLongs("dilation")));
        register("matmul", _ -> new Matmul());
        register(
                "conv",
                a -> new Conv(
                        a.getLongs("stride"),
                        a.getLongs("pad_low"),
                        a.getLongs("pad_high"),
                        a.getLongs("dilation"),
                        a.getInt("groups")));
        register(
                "conv_input_grad",
                a -> new ConvInputGrad(
                        shape(a, "input"),
                        a.getLongs("stride"),
                        a.getLongs("pad_low"),
                        a.getLongs("pad_high"),
                        a.getLongs("dilation"),
                        a.getInt("groups")));
        register(
                "conv_weight_grad",
                a -> new ConvWeightGrad(
                        shape(a, "weight"),
                        a.getLongs("stride"),
                        a.getLongs("pad_low"),
                        a.getLongs("pad_high"),
                        a.getLongs("dilation"),
                        a.getInt("groups")));
        register("softmax", a -> new Softmax(a.getInt("axis")));
        register("log_softmax", a -> new LogSoftmax(a.getInt("axis")));
        register("logsumexp", a -> new LogSumExp(a.getInt("axis")));
        register("layer_norm", a -> new LayerNorm(a.getInt("axes"), a.getDouble("eps")));
        register("layer_norm_grad", a -> new LayerNormGrad(a.getInt("axes")));
        register("attention", a -> new Attention(a.getBoolean("causal")));
        register("attention_grad", a -> new AttentionGrad(a.getBoolean("causal")));
        register("cross_entropy", _ -> new CrossEntropy());
        register("cross_entropy_grad", _ -> new CrossEntropyGrad());
        register("loop", Loop::parse);
        register("gelu", a -> new Gelu(a.getBoolean("tanh")));
        register("adam_step", a -> new AdamStep(a.getBoolean("amsgrad")));
        register(
                "sgd_step",
                a -> new SgdStep(a.getBoolean("decays"), a.getBoolean("momentum"), a.getBoolean("nesterov")));
        register(
                "rmsprop_step",
                a -> new RmspropStep(a.getBoolean("decays"), a.getBoolean("centered"), a.getBoolean("momentum")));
    }

    private OpText() {}

    private static void register(String name, Function<Attrs.Source, Op> parser) {
        if (PARSERS.put(name, parser) != null) throw new IllegalStateException("two operators named " + name);
    }

    private static Shape shape(Attrs.Source a, String key) {
        return Shape.of(a.getLongs(key));
    }

    private static Type type(Attrs.Source a) {
        return new Type(DType.parse(a.getName("dtype")), shape(a, "shape"));
    }

    private static Op constant(Attrs.Source a) {
        DType t = DType.parse(a.getName("dtype"));
        Constant c = t.isFloat() ? Constant.of(t, a.getDouble("value")) : Constant.ofLong(t, a.getLong("value"));
        return new Constant(t, c.bits(), a.getBoolean("derived"));
    }

    /** Names of all operators, each once, in the order of the registry. */
    public static List<String> names() {
        return List.copyOf(PARSERS.keySet());
    }

    /** The operator of that name with these attributes. */
    public static Op parse(String name, Attrs.Source attributes) {
        Function<Attrs.Source, Op> f = PARSERS.get(name);
        if (f == null) throw new IllegalArgumentException("unknown operator '" + name + "'");
        return f.apply(attributes);
    }

    /** The operator written by {@link #format}. */
    public static Op parse(String text) {
        int brace = text.indexOf('{');
        String name = brace < 0 ? text.strip() : text.substring(0, brace).strip();
        return parse(name, source(brace < 0 ? "" : text.substring(brace)));
    }

    /**
     * Name and attributes: {@code softmax {axis=1}}; the name alone where there are no attributes.
     */
    public static String format(Op op) {
        String a = attributes(op);
        return a.isEmpty() ? op.name() : op.name() + " " + a;
    }

    /** Attributes in braces: {@code {axis=1, shape=[2,3]}}; empty without attributes. */
    public static String attributes(Op op) {
        Printer p = new Printer();
        op.attributes(p);
        return p.text.isEmpty() ? "" : "{" + p.text + "}";
    }

    /** Parses attributes in braces (or an empty text). */
    public static Attrs.Source source(String text) {
        return new Parsed(text.strip());
    }

    private static final class Printer implements Attrs {
        private final StringBuilder text = new StringBuilder();

        private StringBuilder key(String key) {
            return text.append(text.isEmpty() ? "" : ", ").append(key).append('=');
        }

        @Override
        public void put(String key, long value) {
            key(key).append(value);
        }

        @Override
        public void put(String key, long[] value) {
            key(key).append('[');
            for (int i = 0; i < value.length; i++)
                text.append(i == 0 ? "" : ",").append(value[i]);
            text.append(']');
        }

        @Override
        public void put(String key, boolean value) {
            key(key).append(value);
        }

        @Override
        public void put(String key, double value) {
            key(key).append(value);
        }

        @Override
        public void put(String key, String value) {
            key(key).append(value);
        }

        @Override
        public void put(String key, Graph value) {
            String lines = GraphPrinter.print(value, _ -> null).strip();
            key(key).append('(').append(lines.replace("\n", "; ")).append(')');
        }
    }

    /** Values by key, as text; converted when asked for. */
    private static final class Parsed implements Attrs.Source {
        private final String text;
        private final Map<String, String> values = new LinkedHashMap<>();

        Parsed(String text) {
            this.text = text;
            if (text.isEmpty()) return;
            if (!text.startsWith("{") || !text.endsWith("}")) throw bad("attributes stand in braces");
            for (String part : split(text.substring(1, text.length() - 1), ',')) {
                int eq = part.indexOf('=');
                if (eq < 0) throw bad("'" + part + "' is not key=value");
                if (values.put(
                                part.substring(0, eq).strip(),
                                part.substring(eq + 1).strip())
                        != null) {
                    throw bad("key " + part.substring(0, eq).strip() + " occurs twice");
                }
            }
        }

        /** Splits where {@code at} stands outside brackets. */
        private static List<String> split(String s, char at) {
            if (s.isBlank()) return Collections.emptyList();
            List<String> parts = new ArrayList<>();
            int depth = 0;
            int from = 0;
            for (int i = 0; i < s.length(); i++) {
                char c = s.charAt(i);
                if (c == '[' || c == '(' || c == '{') depth++;
                else if (c == ']' || c == ')' || c == '}') depth--;
                else if (c == at && depth == 0) {
                    parts.add(s.substring(from, i));
                    from = i + 1;
                }
            }
            parts.add(s.substring(from));
            return parts;
        }

        private IllegalArgumentException bad(String problem) {
            return new IllegalArgumentException("attributes " + text + ": " + problem);
        }

        private String get(String key) {
            String v = values.get(key);
            if (v == null) throw bad("no '" + key + "'");
            return v;
        }

        @Override
        public long getLong(String key) {
            try {
                return Long.parseLong(get(key));
            } catch (NumberFormatException _) {
                throw bad("'" + key + "' is not an integer");
            }
        }

        @Override
        public long[] getLongs(String key) {
            String v = get(key);
            if (!v.startsWith("[") || !v.endsWith("]")) throw bad("'" + key + "' is not a list like [1,2]");
            String inside = v.substring(1, v.length() - 1);
            if (inside.isBlank()) return new long[0];
            try {
                return Arrays.stream(inside.split(",", -1))
                        .mapToLong(s -> Long.parseLong(s.strip()))
                        .toArray();
            } catch (NumberFormatException _) {
                throw bad("'" + key + "' is not a list of integers");
            }
        }

        @Override
        public boolean getBoolean(String key) {
            return switch (get(key)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw bad("'" + key + "' is neither true nor false");
            };
        }

        @Override
        public double getDouble(String key) {
            try {
                return Double.parseDouble(get(key));
            } catch (NumberFormatException _) {
                throw bad("'" + key + "' is not a number");
            }
        }

        @Override
        public String getName(String key) {
            String v = get(key);
            if (!v.chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '_') || v.isEmpty()) {
                throw bad("'" + key + "' is not a name");
            }
            return v;
        }

        @Override
        public Graph getGraph(String key) {
            String v = get(key);
            if (!v.startsWith("(") || !v.endsWith(")")) throw bad("'" + key + "' is not a graph in parentheses");
            return GraphParser.parse(String.join("\n", split(v.substring(1, v.length() - 1), ';')));
        }
    }
}
