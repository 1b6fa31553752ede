// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Canonical;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.lower.Params.BufferKey;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scatter;
import io.sinter.ir.plan.Plan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Turns fused groups into kernels and plans where their values live. */
public final class Lowering {
    /** A step before memory is placed. */
    sealed interface Draft permits LaunchDraft, LibraryDraft, RepeatDraft {
        /** Values that it reads. */
        Set<BufferKey> reads();

        /** Values that it writes. */
        Set<BufferKey> writes();

        /** Bytes of memory that it needs while it runs. */
        default long arenaBytes() {
            return 0;
        }
    }

    /** One launch; several blocks after equal kernels have been joined. */
    static final class LaunchDraft implements Draft {
        private Kernel kernel;
        private final List<Params> blocks = new ArrayList<>();
        private final boolean update;
        private boolean inPlace;
        private final Set<BufferKey> reads = new LinkedHashSet<>();
        private final Set<BufferKey> writes = new LinkedHashSet<>();

        /**
         * @param update whether it writes state in place
         * @param inPlace whether each element is written where, and after, its operands are read
         */
        LaunchDraft(Kernel kernel, Params block, boolean update, boolean inPlace) {
            this.kernel = kernel;
            this.update = update;
            this.inPlace = inPlace;
            blocks.add(block);
            reads.addAll(block.inputs().keySet());
            writes.addAll(block.outputs().keySet());
        }

        /** Takes in the blocks of a later launch of equal code, in whose place it is from now on. */
        void join(LaunchDraft later) {
            kernel = later.kernel;
            inPlace = later.inPlace;
            blocks.addAll(later.blocks);
            reads.addAll(later.reads);
            writes.addAll(later.writes);
        }

        Kernel kernel() {
            return kernel;
        }

        List<Params> blocks() {
            return blocks;
        }

        boolean update() {
            return update;
        }

        boolean inPlace() {
            return inPlace;
        }

        @Override
        public Set<BufferKey> reads() {
            return reads;
        }

        @Override
        public Set<BufferKey> writes() {
            return writes;
        }
    }

    record LibraryDraft(Node node, List<BufferKey> in) implements Draft {
        @Override
        public Set<BufferKey> reads() {
            return new LinkedHashSet<>(in);
        }

        @Override
        public Set<BufferKey> writes() {
            Set<BufferKey> s = new LinkedHashSet<>();
            for (int i = 0; i < node.types().size(); i++) s.add(new BufferKey(node, i));
            return s;
        }
    }

    private final Graph graph;
    private final Fusion.Limits limits;
    private final Sites sites;
    private final CompilerWatch watch;
    private final List<Draft> drafts = new ArrayList<>();
    private final Set<Node> copies;
    private final Canonical forms = new Canonical();
    private final Map<Canonical.Key, Lowered> lowered = new HashMap<>();

    /** What became of a group. */
    private record Lowered(GroupForm form, Kernel kernel, Params params) {}

    private Lowering(Graph graph, Fusion.Limits limits, Sites sites, CompilerWatch watch) {
        this.graph = graph;
        this.limits = limits;
        this.sites = sites;
        this.watch = watch;
        this.copies = Fusion.copies(graph);
    }

    /**
     * The plan of a graph whose groups are {@code groups}, in order.
     *
     * @param limits of kernels in the bodies of loops
     * @param watch sees the plan's steps, and how the bodies of loops are fused
     */
    public static Plan lower(Graph graph, List<Group> groups, Fusion.Limits limits, CompilerWatch watch) {
        return lower(graph, groups, limits, new Sites(), watch);
    }

    static Plan lower(Graph graph, List<Group> groups, Fusion.Limits limits, Sites sites, CompilerWatch watch) {
        Lowering l = new Lowering(graph, limits, sites, watch);
        for (Group g : groups) l.group(g);
        Donations donations = Donations.of(graph, l::key);
        List<Draft> ordered = Schedule.of(graph, l.drafts, l::key, donations);
        List<Draft> joined = LaunchGrouping.join(ordered, donations);
        return new Placement(graph, joined, l::key, l.sites.all(), watch).plan();
    }

    /** The buffer that holds a node's bytes. */
    private BufferKey key(Node n) {
        if (copies.contains(n)) return new BufferKey(n, 0);
        Node s = Fusion.storage(n);
        if (s.op() instanceof Project p) return new BufferKey(s.input(0), p.index());
        return new BufferKey(s, 0);
    }

    private void group(Group g) {
        switch (g.kind()) {
            case LOOPS -> alike(g, g.inner().isEmpty());
            case TEMPLATE -> alike(g, false);
            case SINGLE -> single(g);
        }
    }

    /** The launch of a group: if one of the same form was lowered before, as that was. Most are layers' and parameters' like others. */
    private void alike(Group g, boolean inPlace) {
        GroupForm form = GroupForm.of(g, forms);
        Lowered before = form == null ? null : lowered.get(form.key());
        Params p;
        Kernel kernel;
        if (before == null) {
            p = new Params(g);
            kernel = kernel(g, p, sites, limits);
            if (form != null) lowered.put(form.key(), new Lowered(form, kernel, p));
        } else {
            p = before.params.with(g, form.from(before.form));
            kernel = before.kernel;
        }
        drafts.add(new LaunchDraft(kernel, p, g.update(), inPlace));
    }

    /** The kernel of a group that has a {@link GroupForm}, or would but for its index checks; {@code p} receives its parameters. */
    static Kernel kernel(Group g, Params p, Sites sites, Fusion.Limits limits) {
        Kernel concrete =
                switch (g.kind()) {
                    case LOOPS -> LoopLowering.lower(g, p, sites, name(g), limits.largeTasks());
                    case TEMPLATE -> GemmLowering.lower(g, p, sites, name(g));
                    case SINGLE -> AttentionLowering.lower(g, p, sites, name(g));
                };
        return Parameterize.apply(concrete, p);
    }

    private void launch(Kernel concrete, Params p, boolean update, boolean inPlace) {
        drafts.add(new LaunchDraft(Parameterize.apply(concrete, p), p, update, inPlace));
    }

    private void single(Group g) {
        Node n = g.anchor();
        Params p = new Params(g);
        switch (n.op()) {
            case Scan s -> launch(new SingleLowering(g, p, sites).scan(s, name(g)), p, false, false);
            case Put put -> {
                start(g);
                launch(new SingleLowering(g, p, sites).put(put, name(g)), p, false, false);
            }
            case Scatter scatter -> {
                start(g);
                launch(new SingleLowering(g, p, sites).scatter(scatter, name(g)), p, false, false);
            }
            case Attention _, AttentionGrad _ -> alike(g, false);
            case Routine _ ->
                drafts.add(
                        new LibraryDraft(n, n.inputs().stream().map(this::key).toList()));
            case Loop _ -> drafts.add(RepeatDraft.of(n, copies::contains, this::key, limits, sites, watch));
            default -> throw new IllegalStateException("no lowering for " + n.op().name() + "; decompose it first");
        }
    }

    private void start(Group g) {
        Params p = new Params(g);
        launch(new SingleLowering(g, p, sites).start("copy", limits.largeTasks()), p, false, true);
    }

    /** The operators inside, producers first, at most four. */
    private static String name(Group g) {
        List<String> names = new ArrayList<>();
        for (Node n : g.members().reversed()) {
            String s = n.op().name();
            if (!names.contains(s)) names.add(s);
        }
        if (names.size() > 4) names = new ArrayList<>(names.subList(names.size() - 4, names.size()));
        return String.join("_", names);
    }

    /** True for arguments that are memory. */
    static boolean isArgument(BufferKey k) {
        return k.node().op() instanceof Input;
    }
}
