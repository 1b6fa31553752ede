// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The decoded arguments of one call: by position or by name, as PyTorch's signature has them. Python's {@code
 * None} counts as not given. Remembers what was
 * asked for, so that an argument which an operator's entry does not know is noticed.
 */
final class Args {
    /** Arguments without influence on values here. */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("device", "requires_grad", "layout", "memory_format", "pin_memory");

    private final List<Object> positional;
    private final Map<String, Object> named;
    private final BitSet usedPositions = new BitSet();
    private final Set<String> usedNames = new HashSet<>(WITHOUT_EFFECT);

    Args(List<Object> positional, Map<String, Object> named) {
        this.positional = positional;
        this.named = named;
    }

    /** @throws Unsupported if an argument with a value was given that nobody asked for */
    void checkAllUsed() {
        Set<String> left = new TreeSet<>();
        for (int i = 0; i < positional.size(); i++)
            if (!usedPositions.get(i) && positional.get(i) != null) left.add("#" + i);
        named.forEach((name, value) -> {
            if (!usedNames.contains(name) && value != null) left.add(name);
        });
        if (!left.isEmpty()) throw new Unsupported("arguments that are not supported: " + String.join(", ", left));
    }

    /** Number of positional arguments. */
    int count() {
        return positional.size();
    }

    /**
     * The argument at a position or of a name; null if there is none. A negative position stands for
     * arguments that have names only.
     */
    Object value(int position, String name) {
        usedNames.add(name);
        if (position >= 0) usedPositions.set(position);
        if (position >= 0 && position < positional.size()) return positional.get(position);
        return named.get(name);
    }

    boolean given(int position, String name) {
        return value(position, name) != null;
    }

    private Object required(int position, String name) {
        Object v = value(position, name);
        if (v == null) throw new IllegalArgumentException("argument '" + name + "' is missing");
        return v;
    }

    /** The first argument. */
    Tensor x() {
        return tensor(0, "input");
    }

    /** A tensor; numbers become tensors of shape []. */
    Tensor tensor(int position, String name) {
        return asTensor(required(position, name), name);
    }

    /** A tensor, or null if it was not given. */
    Tensor optional(int position, String name) {
        Object v = value(position, name);
        return v == null ? null : asTensor(v, name);
    }

    boolean isTensor(int position, String name) {
        return value(position, name) instanceof Tensor;
    }

    static Tensor asTensor(Object v, String name) {
        return switch (v) {
            case Tensor t -> t;
            case Double d -> Tensor.scalar(d);
            case Long l -> Tensor.scalar(l);
            case Boolean b -> Tensor.of(b).reshape(new long[0]);
            default -> throw wrong(name, v, "a tensor");
        };
    }

    /** A list of tensors, or of the tensors from a position on. */
    List<Tensor> tensors(int position, String name) {
        Object v = required(position, name);
        List<Tensor> r = new ArrayList<>();
        if (v instanceof List<?> list) {
            for (Object o : list) r.add(asTensor(o, name));
        } else {
            for (int i = position; i < positional.size(); i++) r.add(asTensor(value(i, name), name));
        }
        return r;
    }

    long integer(int position, String name) {
        return asLong(required(position, name), name);
    }

    long integer(int position, String name, long otherwise) {
        Object v = value(position, name);
        return v == null ? otherwise : asLong(v, name);
    }

    int axis(int position, String name) {
        return Math.toIntExact(integer(position, name));
    }

    int axis(int position, String name, int otherwise) {
        return Math.toIntExact(integer(position, name, otherwise));
    }

    double number(int position, String name) {
        return asDouble(required(position, name), name);
    }

    double number(int position, String name, double otherwise) {
        Object v = value(position, name);
        return v == null ? otherwise : asDouble(v, name);
    }

    boolean flag(int position, String name, boolean otherwise) {
        Object v = value(position, name);
        return switch (v) {
            case null -> otherwise;
            case Boolean b -> b;
            case Long l -> l != 0;
            default -> throw wrong(name, v, "a boolean");
        };
    }

    String text(int position, String name, String otherwise) {
        Object v = value(position, name);
        return v == null ? otherwise : v.toString();
    }

    /** A list of whole numbers, or one. */
    long[] longs(int position, String name, long... otherwise) {
        Object v = value(position, name);
        return v == null ? otherwise : asLongs(v, name);
    }

    /** A shape or the like: a list, or the numbers from a position on. */
    long[] rest(int position, String name) {
        Object v = value(position, name);
        if (v instanceof List<?> || v == null) return v == null ? new long[0] : asLongs(v, name);
        long[] r = new long[Math.max(1, positional.size() - position)];
        if (position >= positional.size()) {
            r[0] = asLong(v, name);
            return r;
        }
        for (int i = 0; i < r.length; i++) r[i] = asLong(value(position + i, name), name);
        return r;
    }

    /** A list of axes, or one; none if not given. */
    int[] axes(int position, String name) {
        long[] v = longs(position, name);
        int[] r = new int[v.length];
        for (int i = 0; i < r.length; i++) r[i] = Math.toIntExact(v[i]);
        return r;
    }

    double[] numbers(int position, String name) {
        Object v = required(position, name);
        if (!(v instanceof List<?> list)) return new double[] {asDouble(v, name)};
        double[] r = new double[list.size()];
        for (int i = 0; i < r.length; i++) r[i] = asDouble(list.get(i), name);
        return r;
    }

    /** The argument {@code dtype}, or null. */
    DType dtype() {
        return (DType) value(-1, "dtype");
    }

    DType dtype(DType otherwise) {
        DType d = dtype();
        return d == null ? otherwise : d;
    }

    static long asLong(Object v, String name) {
        return switch (v) {
            case Long l -> l;
            case Boolean b -> b ? 1 : 0;
            case Tensor t when t.numel() == 1 -> t.itemLong();
            case null, default -> throw wrong(name, v, "a whole number");
        };
    }

    private static double asDouble(Object v, String name) {
        return switch (v) {
            case Double d -> d;
            case Long l -> l;
            case Boolean b -> b ? 1 : 0;
            case Tensor t when t.numel() == 1 -> t.item();
            case null, default -> throw wrong(name, v, "a number");
        };
    }

    static long[] asLongs(Object v, String name) {
        return switch (v) {
            case List<?> list -> list.stream().mapToLong(o -> asLong(o, name)).toArray();
            case Tensor t when t.rank() > 0 -> t.toLongs();
            default -> new long[] {asLong(v, name)};
        };
    }

    private static IllegalArgumentException wrong(String name, Object v, String wanted) {
        return new IllegalArgumentException("argument '" + name + "' is " + v + ", not " + wanted);
    }
}
