// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Canonical;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.fuse.Repeats;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import io.sinter.ir.lower.Params.BufferKey;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that the lowering of a group depends on, but for <em>which</em> memory and which scalar arguments it works on: those are numbered in order of
 * appearance. Groups of one form become one kernel, and their parameter blocks hold the same numbers: the layers of a network, and the updates of its parameters,
 * are lowered once.
 *
 * <p>In the form stand the space, the members with their attributes and positions, what is stored, and of everything that members read the views, constants and
 * scalar code down to memory, whose type alone matters. Two operands in the same memory have one number.
 */
final class GroupForm {
    /** No entry begins so. */
    private static final long END = -1;

    private final Group group;
    private final Canonical form;
    private final Map<Node, Integer> nodes = new IdentityHashMap<>();
    private final Map<BufferKey, Integer> operands = new HashMap<>();
    /** In order of appearance: memory that is read, then what members compute. */
    private final List<BufferKey> memory = new ArrayList<>();

    private final List<Integer> arguments = new ArrayList<>();
    private final Map<Var, Integer> vars = new IdentityHashMap<>();
    private boolean checks;
    private Canonical.Key key;

    private GroupForm(Group group, Canonical form) {
        this.group = group;
        this.form = form.begin();
    }

    /**
     * The form of a group; null if its lowering numbers things of the program (index checks), or depends on data in its positions.
     *
     * @param writer to write it with, used by one group after the other
     */
    static GroupForm of(Group group, Canonical writer) {
        GroupForm f = new GroupForm(group, writer);
        f.write();
        if (f.checks) return null;
        f.key = f.form.key();
        return f;
    }

    Canonical.Key key() {
        return key;
    }

    /** What stands in one group for what stands in another one of the same form. */
    record Names(Map<BufferKey, BufferKey> values, Map<Integer, Integer> scalars) {
        BufferKey memory(BufferKey of) {
            BufferKey k = values.get(of);
            if (k == null)
                throw new IllegalStateException("a kernel uses memory that its group's form does not tell of");
            return k;
        }

        int argument(int of) {
            return scalars.get(of);
        }
    }

    /** What stands in this group for what stands in {@code other}, which has the same form. */
    Names from(GroupForm other) {
        Map<BufferKey, BufferKey> values = new HashMap<>();
        for (int i = 0; i < memory.size(); i++) values.put(other.memory.get(i), memory.get(i));
        Map<Integer, Integer> scalars = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) scalars.put(other.arguments.get(i), arguments.get(i));
        return new Names(values, scalars);
    }

    /** First the nodes, up to the end's mark, so that whatever follows names them by number. */
    private void write() {
        for (Node n : group.members()) node(n);
        form.more(END);
        form.more(group.kind().ordinal());
        vars(group.vars());
        vars(group.inner());
        form.more(group.blocks() == null ? -1 : group.blocks().size());
        if (group.blocks() != null) vars(group.blocks().rows());
        form.more(group.members().size());
        for (Node n : group.members()) {
            form.more(node(n));
            List<List<Index>> at = group.at(n);
            form.more(at.size());
            for (List<Index> position : at) {
                form.more(position.size());
                position.forEach(this::index);
            }
            if (Reductions.kind(n.op()) != null) vars(group.reduced(n));
            form.more(group.isSplit(n) ? 1 : 0);
        }
        for (Node n : group.members()) for (int i = 0; i < n.types().size(); i++) memory.add(new BufferKey(n, i));
        form.more(group.stores().size());
        for (Node n : group.stores()) form.more(node(n));
        form.more(node(group.anchor()));
    }

    /** Variables have names, which code is printed with. */
    private void vars(java.util.Collection<Var> list) {
        form.more(list.size());
        list.forEach(this::var);
    }

    /** The number of a variable; if it is the next one, what it is. */
    private void var(Var v) {
        Integer known = vars.putIfAbsent(v, vars.size());
        form.more(known != null ? known : vars.size() - 1);
        if (known != null) return;
        form.more(v.extent().lit());
        form.more(v.name().length());
        v.name().chars().forEach(form::more);
    }

    private void index(Index i) {
        form.more(i.terms().size());
        for (Index.Term t : i.terms()) {
            form.more(t.coef().lit());
            switch (t.atom()) {
                case Index.VarAtom v -> {
                    form.more(0);
                    var(v.var());
                }
                case Index.DivAtom d -> divided(1, d.a(), d.by());
                case Index.ModAtom m -> divided(2, m.a(), m.by());
                case Index.DataAtom _ -> checks = true;
            }
        }
        form.more(i.offset().lit());
    }

    private void divided(int tag, Index a, Coef by) {
        form.more(tag);
        index(a);
        form.more(by.lit());
    }

    /** The number of a node, whose entry is written first if it is new. */
    private int node(Node n) {
        Integer known = nodes.get(n);
        if (known != null) return known;
        int number = entry(n);
        nodes.put(n, number);
        return number;
    }

    private int entry(Node n) {
        Op op = n.op();
        checks |= op instanceof Take || op instanceof Gather || op instanceof CheckIndex;
        if (op instanceof Input in && in.scalar()) {
            arguments.add(in.number());
            return form.argument(n.type(), true);
        }
        if (group.contains(n) || op instanceof View || op instanceof Constant || Repeats.isHostScalar(n)) {
            int[] in = new int[n.inputs().size()];
            for (int i = 0; i < in.length; i++) in[i] = node(n.input(i));
            int number = form.node(op, in.length);
            for (int i : in) form.operand(i);
            return number;
        }
        return op instanceof Project p
                ? operand(new BufferKey(n.input(0), p.index()), n.type())
                : operand(new BufferKey(n, 0), n.types().getFirst());
    }

    private int operand(BufferKey key, Type type) {
        Integer known = operands.get(key);
        if (known != null) return known;
        memory.add(key);
        int number = form.argument(type, false);
        operands.put(key, number);
        return number;
    }
}
