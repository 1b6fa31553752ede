// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.lower.Lowering.Draft;
import io.sinter.ir.lower.Params.BufferKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Function;

/**
 * Puts steps into an order in which temporaries die early. The order that a program's results are listed in says nothing about that: of a backward pass
 * whose first result is the first layer's gradient, all gradients of weights would come last, and all activations and their gradients would live until then.
 *
 * <p>The order is the given one, except that a step comes forward to where its operands are first there if it leaves less memory than it takes leave
 * of: of each temporary that it reads, one part in as many as there are steps that are yet to read it. So weights' gradients follow the
 * gradients that they are made of, while those are still in a cache, too. If the given order needs less memory, it stays.
 */
final class Schedule {
    /** Steps are looked at again when a temporary that they read is to be read so often only. */
    private static final int FEW = 4;

    /** A temporary: the steps that write or read it, and how many of them have not come yet. */
    private static final class Temporary {
        final long bytes;
        final List<Integer> users = new ArrayList<>();
        int remaining;

        Temporary(long bytes) {
            this.bytes = bytes;
        }

        boolean begun() {
            return remaining < users.size();
        }
    }

    private final List<Draft> given;
    /** What each step reads or writes of temporaries. */
    private final List<List<Temporary>> uses = new ArrayList<>();

    private final List<List<Integer>> successors = new ArrayList<>();
    /** Steps that must come before and have not yet. */
    private final int[] waiting;

    private final boolean[] done;
    private final List<Draft> order = new ArrayList<>();
    /** Steps that can come forward; one that has become less of a burden is there twice. */
    private final PriorityQueue<Candidate> early = new PriorityQueue<>();

    private record Candidate(int step, double burden) implements Comparable<Candidate> {
        @Override
        public int compareTo(Candidate other) {
            int c = Double.compare(burden, other.burden);
            return c != 0 ? c : Integer.compare(step, other.step);
        }
    }

    private Schedule(Graph graph, List<Draft> given, Function<Node, BufferKey> key, Donations donations) {
        this.given = given;
        waiting = new int[given.size()];
        done = new boolean[given.size()];
        Set<BufferKey> own = new HashSet<>();
        for (Node o : graph.outputs()) own.add(key.apply(o));
        Map<BufferKey, Temporary> temporaries = new HashMap<>();
        Map<BufferKey, List<Integer>> writers = new HashMap<>();
        Map<BufferKey, List<Integer>> readers = new HashMap<>();
        for (int i = 0; i < given.size(); i++) {
            Set<BufferKey> writes = given.get(i).writes();
            Set<BufferKey> all = new LinkedHashSet<>(given.get(i).reads());
            Set<Integer> before = new HashSet<>();
            for (BufferKey k : all) before.addAll(writers.getOrDefault(k, List.of()));
            for (BufferKey k : all)
                readers.computeIfAbsent(k, _ -> new ArrayList<>()).add(i);
            for (BufferKey k : writes) {
                List<Integer> earlier = writers.computeIfAbsent(k, _ -> new ArrayList<>());
                before.addAll(earlier);
                earlier.add(i);
                before.addAll(readers.getOrDefault(k, List.of()));
                // What is to be written into an argument's memory stays behind those who read the argument.
                BufferKey argument = donations.argumentOf().get(k);
                if (argument != null) before.addAll(readers.getOrDefault(argument, List.of()));
            }
            before.remove(i);
            successors.add(new ArrayList<>());
            for (int b : before) successors.get(b).add(i);
            waiting[i] = before.size();
            all.addAll(writes);
            List<Temporary> used = new ArrayList<>();
            for (BufferKey k : all) {
                if (own.contains(k) || Lowering.isArgument(k)) continue;
                Temporary t = temporaries.computeIfAbsent(
                        k, _ -> new Temporary(k.node().types().get(k.index()).bytes()));
                t.users.add(i);
                t.remaining++;
                used.add(t);
            }
            uses.add(used);
        }
    }

    /** The steps {@code given}, which can run in this order, in a better one. */
    static List<Draft> of(Graph graph, List<Draft> given, Function<Node, BufferKey> key, Donations donations) {
        Schedule s = new Schedule(graph, given, key, donations);
        List<Integer> first = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) first.add(i);
        List<Integer> better = s.run();
        return s.peak(better) < s.peak(first) ? s.order : given;
    }

    private List<Integer> run() {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) consider(i);
        int next = 0;
        while (numbers.size() < given.size()) {
            Candidate c = early.poll();
            int i = c != null ? c.step : next++;
            if (done[i]) continue;
            numbers.add(i);
            place(i);
        }
        return numbers;
    }

    private void place(int i) {
        done[i] = true;
        order.add(given.get(i));
        for (int s : successors.get(i)) waiting[s]--;
        for (Temporary t : uses.get(i)) t.remaining--;
        for (int s : successors.get(i)) consider(s);
        for (Temporary t : uses.get(i)) if (t.remaining <= FEW) for (int u : t.users) consider(u);
    }

    /** A step that can run comes forward if it is no burden, the greatest relief first. */
    private void consider(int i) {
        if (done[i] || waiting[i] > 0 || uses.get(i).isEmpty()) return;
        double burden = burden(i);
        if (burden <= 0) early.add(new Candidate(i, burden));
    }

    /** Bytes of the temporaries that it makes, less its shares of those that were there. */
    private double burden(int i) {
        double bytes = 0;
        for (Temporary t : uses.get(i)) {
            if (t.begun()) bytes -= (double) t.bytes / t.remaining;
            else if (t.users.size() > 1) bytes += t.bytes;
        }
        return bytes;
    }

    /** Most bytes of temporaries at once, if the steps run in this order. */
    private long peak(List<Integer> numbers) {
        Map<Temporary, Integer> left = new HashMap<>(); // Temporary has identity equality
        long live = 0;
        long most = 0;
        for (int i : numbers) {
            for (Temporary t : uses.get(i)) if (left.putIfAbsent(t, t.users.size()) == null) live += t.bytes;
            most = Math.max(most, live + given.get(i).arenaBytes());
            for (Temporary t : uses.get(i)) if (left.merge(t, -1, Integer::sum) == 0) live -= t.bytes;
        }
        return most;
    }
}
