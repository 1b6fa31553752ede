// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Leaves out what computes values that nobody reads. */
final class Unread {
    private final Map<Operand.Reg, Integer> reads = new HashMap<>();

    private Unread() {}

    /** The statements without those whose only effect is a result that is not read. */
    static List<Statement> drop(List<Statement> body) {
        return new Unread().dropped(body);
    }

    private List<Statement> dropped(List<Statement> body) {
        for (Statement s : body) if (s instanceof Statement.Perform p) count(p, 1);
        List<Statement> rest = body;
        // What a value was computed from stands before it, but for variables of loops.
        for (int before = -1; before != rest.size(); ) {
            before = rest.size();
            List<Statement> kept = new ArrayList<>();
            for (Statement s : rest.reversed()) {
                if (s instanceof Statement.Perform p && isUnread(p)) count(p, -1);
                else kept.add(s);
            }
            rest = kept.reversed();
        }
        return rest;
    }

    private boolean isUnread(Statement.Perform p) {
        return onlyComputes(p.instruction())
                && registers(p.instruction().operands().getFirst()).stream()
                        .allMatch(r -> reads.getOrDefault(r, 0) == 0);
    }

    private static boolean onlyComputes(Instruction i) {
        return switch (i) {
            case Arithmetic.Carry _ -> false;
            case Arithmetic _, Bitwise _, Comparison _, Movement _ -> true;
            case Memory.Load l -> l.order() == Memory.Order.NONE;
            case Memory _, WarpOp _, Synchronization _, AsyncCopy _, Mbarrier _, Matrix _, Control _ -> false;
        };
    }

    private void count(Statement.Perform p, int by) {
        if (p.guard() != null) reads.merge(p.guard().predicate(), by, Integer::sum);
        List<Operand> operands = p.instruction().operands();
        for (int i = onlyComputes(p.instruction()) ? 1 : 0; i < operands.size(); i++)
            for (Operand.Reg r : registers(operands.get(i))) reads.merge(r, by, Integer::sum);
    }

    private static List<Operand.Reg> registers(Operand o) {
        return switch (o) {
            case Operand.Reg r -> List.of(r);
            case Operand.Address a -> registers(a.base());
            case Operand.TensorAddress t -> {
                List<Operand.Reg> all = new ArrayList<>(registers(t.map()));
                t.coordinates().forEach(c -> all.addAll(registers(c)));
                yield all;
            }
            case Operand.Vector v ->
                v.elements().stream().flatMap(e -> registers(e).stream()).toList();
            case Operand.Not n -> registers(n.predicate());
            case Operand.Pair p -> {
                List<Operand.Reg> all = new ArrayList<>(registers(p.first()));
                all.addAll(registers(p.second()));
                yield all;
            }
            case Operand.Int _, Operand.F32 _, Operand.F64 _, Operand.Symbol _, Operand.Sink _, Operand.Special _ ->
                List.of();
        };
    }
}
