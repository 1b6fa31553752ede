// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Attrs;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Writes the canonical form of a program: a sequence of 64-bit words from which everything that the compiler
 * sees can be read back, and nothing else. Two programs with one form compile to the same code; source lines,
 * times, addresses and hash orders are not in it.
 *
 * <p>Entries are numbered from 0 as they are written, arguments and nodes alike, each after its operands:
 * arguments are thereby numbered by first use, and one argument used twice has one number (the alias
 * pattern). After the entries come the roots and their donations.
 *
 * <p>An instance is reused from program to program ({@link #begin}) and allocates nothing but growth.
 */
public final class Canonical {
    /** Changed whenever the meaning of a word changes: an old form must not be taken for a new one. */
    private static final long SCHEMA = 0x53494e5445520001L; // "SINTER", 1

    private static final long ARGUMENT = 1;
    private static final long SCALAR = 2;
    private static final long NODE = 3;
    private static final long ROOTS = 4;
    private static final long NUMERICS = 5;
    private static final long TUNED = 6;

    private long[] words = new long[1024];
    private int size;
    private int entries;
    private final Writer writer = new Writer();

    /**
     * A program's identity: its whole form and a 128-bit hash of it. Equality compares the form, so that a
     * collision costs time only.
     */
    public static final class Key {
        private final long high;
        private final long low;
        private final long[] form;
        private final int size;

        private Key(long high, long low, long[] form, int size) {
            this.high = high;
            this.low = low;
            this.form = form;
            this.size = size;
        }

        /** The hash as 32 hex digits: the program's name in dumps and on disk. */
        public String hex() {
            return String.format("%016x%016x", high, low);
        }

        /** The canonical form, copied. */
        public long[] form() {
            return Arrays.copyOf(form, size);
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Key k
                    && high == k.high
                    && low == k.low
                    && Arrays.equals(form, 0, size, k.form, 0, k.size);
        }

        @Override
        public int hashCode() {
            return (int) low;
        }

        @Override
        public String toString() {
            return hex();
        }
    }

    /** The canonical form of an operator's attributes: a value. */
    public static final class Attributes {
        private final long[] words;

        private Attributes(long[] words) {
            this.words = words;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Attributes a && Arrays.equals(words, a.words);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(words);
        }
    }

    /** The canonical form of the attributes of {@code op}, written anew. */
    public static Attributes attributes(Op op) {
        Canonical c = new Canonical();
        op.attributes(c.writer);
        return new Attributes(Arrays.copyOf(c.words, c.size));
    }

    /**
     * The key of a graph: that of the program in the frontend's trace that it was cut from, as long as no pass
     * has changed it.
     */
    public static Key of(Graph graph) {
        return of(graph, Numerics.DEFAULT);
    }

    /** As {@link #of(Graph)}, of a program that rounds so. */
    public static Key of(Graph graph, Numerics numerics) {
        return of(graph, numerics, false);
    }

    /** As {@link #of(Graph, Numerics)}, of a program whose kernels' forms are perhaps chosen by measuring. */
    public static Key of(Graph graph, Numerics numerics, boolean tuned) {
        Canonical c = new Canonical().begin().numerics(numerics).tuned(tuned);
        Map<Node, Integer> numbers = new IdentityHashMap<>();
        // From the results, operands first, left to right: as the trace is visited.
        Deque<Node> stack = new ArrayDeque<>();
        for (Node output : graph.outputs()) {
            stack.push(output);
            while (!stack.isEmpty()) {
                Node n = stack.peek();
                Node waitsFor = numbers.containsKey(n) ? null : firstWithout(n, numbers);
                if (waitsFor != null) {
                    stack.push(waitsFor);
                    continue;
                }
                stack.pop();
                if (!numbers.containsKey(n)) numbers.put(n, c.entry(n, numbers));
            }
        }
        // Memory may be taken over from an argument that nothing reads.
        for (int donated : graph.donations()) {
            Node n = donated < 0 ? null : graph.inputs().get(donated);
            if (n != null && !numbers.containsKey(n)) numbers.put(n, c.entry(n, numbers));
        }
        c.roots(graph.outputs().size());
        for (int i = 0; i < graph.outputs().size(); i++) {
            int donated = graph.donations().get(i);
            int argument = donated < 0 ? -1 : numbers.get(graph.inputs().get(donated));
            c.root(numbers.get(graph.outputs().get(i)), argument);
        }
        return c.key();
    }

    private static Node firstWithout(Node n, Map<Node, Integer> numbers) {
        for (Node in : n.inputs()) if (!numbers.containsKey(in)) return in;
        return null;
    }

    private int entry(Node n, Map<Node, Integer> numbers) {
        if (n.op() instanceof Input in) return argument(n.type(), in.scalar());
        int number = node(n.op(), n.inputs().size());
        for (Node in : n.inputs()) operand(numbers.get(in));
        return number;
    }

    /** Starts a new program. */
    public Canonical begin() {
        size = 0;
        entries = 0;
        word(SCHEMA);
        return this;
    }

    /** What is chosen about rounding, written first; the default is not written. */
    public Canonical numerics(Numerics n) {
        if (!n.equals(Numerics.DEFAULT))
            word(NUMERICS | (long) n.products().ordinal() << 8 | (n.deterministic() ? 0 : 1L << 16));
        return this;
    }

    /** Whether the forms of the program's kernels are chosen by measuring, written next; that they are not is not written. */
    public Canonical tuned(boolean tuned) {
        if (tuned) word(TUNED);
        return this;
    }

    /** Number of entries written so far: the number of the next one. */
    public int entries() {
        return entries;
    }

    /** The next entry is an argument; {@code scalar} ones are passed by value. Returns its number. */
    public int argument(Type type, boolean scalar) {
        word(scalar ? SCALAR : ARGUMENT);
        type(type);
        return entries++;
    }

    /**
     * The next entry is an operator's application; its {@code operands} numbers follow through {@link
     * #operand}. The result types follow from the operands' and the attributes, so they are not written.
     * Returns the entry's number.
     */
    public int node(Op op, int operands) {
        word(NODE | (long) operands << 8);
        operator(op);
        return entries++;
    }

    /** The name and attributes; a loop keeps the form of its own. */
    private void operator(Op op) {
        text(op.name());
        if (op instanceof Loop l) words(l.form().words);
        else op.attributes(writer);
    }

    /** One operand of the node just begun: the number of an earlier entry. */
    public void operand(int number) {
        word(number);
    }

    /** Anything else that tells two forms apart; whoever writes it knows where it begins and ends. */
    public void more(long word) {
        word(word);
    }

    /** Ends the entries; {@code count} roots follow through {@link #root}. */
    public void roots(int count) {
        word(ROOTS | (long) count << 8);
    }

    /** A result: an entry, and the entry of the argument whose memory it takes over, or -1. */
    public void root(int number, int donated) {
        word((long) number << 32 | donated & 0xffffffffL);
    }

    /** The key of what was written; it stays valid only until the next {@link #begin}: for looking up. */
    public Key lookup() {
        return key(words);
    }

    /** The key of what was written, to be kept. */
    public Key key() {
        return key(Arrays.copyOf(words, size));
    }

    private Key key(long[] form) {
        // Two independent multiply-xorshift chains (the finalizer of splitmix64 in each step).
        long a = 0x9e3779b97f4a7c15L;
        long b = 0xc2b2ae3d27d4eb4fL;
        for (int i = 0; i < size; i++) {
            long w = form[i];
            a = (a ^ w) * 0xbf58476d1ce4e5b9L;
            a ^= a >>> 29;
            b = (b + w) * 0x94d049bb133111ebL;
            b ^= b >>> 31;
        }
        a = (a ^ size) * 0xbf58476d1ce4e5b9L;
        b = (b + a) * 0x94d049bb133111ebL;
        return new Key(a ^ a >>> 32, b ^ b >>> 32, form, size);
    }

    private void word(long w) {
        if (size == words.length) words = Arrays.copyOf(words, 2 * size);
        words[size++] = w;
    }

    private void words(long[] more) {
        while (size + more.length > words.length) words = Arrays.copyOf(words, 2 * words.length);
        System.arraycopy(more, 0, words, size, more.length);
        size += more.length;
    }

    private void type(Type t) {
        Shape s = t.shape();
        int rank = s.rank();
        word(t.dtype().ordinal() | (long) rank << 8);
        for (int i = 0; i < rank; i++) word(s.dim(i));
    }

    /** Exactly, eight characters a word, after the length (names are ASCII). */
    private void text(String s) {
        int n = s.length();
        long w = n;
        int bits = 8;
        for (int i = 0; i < n; i++) {
            w |= (long) (s.charAt(i) & 0xff) << bits;
            bits += 8;
            if (bits == 64) {
                word(w);
                w = 0;
                bits = 0;
            }
        }
        if (bits > 0) word(w);
    }

    /**
     * Keys are left out: an operator writes its attributes in a fixed order, and the length of every list.
     */
    private final class Writer implements Attrs {
        @Override
        public void put(String key, long value) {
            word(value);
        }

        @Override
        public void put(String key, long[] value) {
            word(value.length);
            for (long v : value) word(v);
        }

        @Override
        public void put(String key, int[] value) {
            word(value.length);
            for (int v : value) word(v);
        }

        @Override
        public void put(String key, boolean value) {
            word(value ? 1 : 0);
        }

        @Override
        public void put(String key, double value) {
            word(Double.doubleToRawLongBits(value));
        }

        @Override
        public void put(String key, String value) {
            text(value);
        }

        /** As a program: input types, then nodes with the numbers of their operands, then the outputs' numbers. */
        @Override
        public void put(String key, Graph value) {
            Map<Node, Integer> numbers = new IdentityHashMap<>();
            word(value.inputs().size());
            for (Node n : value.inputs()) {
                numbers.put(n, numbers.size());
                type(n.type());
            }
            word(value.nodes().size());
            for (Node n : value.nodes()) {
                numbers.put(n, numbers.size());
                word(NODE | (long) n.inputs().size() << 8);
                operator(n.op());
                for (Node in : n.inputs()) word(numbers.get(in));
            }
            word(value.outputs().size());
            for (Node n : value.outputs()) word(numbers.get(n));
        }
    }
}
