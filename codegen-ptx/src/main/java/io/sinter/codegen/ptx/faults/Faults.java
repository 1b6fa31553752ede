// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.faults;

import io.sinter.codegen.ptx.faults.Fault.Kind;
import io.sinter.codegen.ptx.faults.Rewrite.Part;
import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Control;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.Instruction;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Mbarrier;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Statement;
import io.sinter.codegen.ptx.lang.Synchronization;
import io.sinter.codegen.ptx.lang.WarpOp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All single faults of a kernel as the generators write it: one flat list of statements. */
public final class Faults {
    /** A mask that lacks the last lane. */
    private static final Operand SHORT_MASK = new Operand.Int(0x7fff_ffff);

    private final Kernel kernel;
    private final SharedVariables shared;
    private final List<Fault> found = new ArrayList<>();
    private int position;
    private Guard guard;
    private String site;

    private Faults(Kernel kernel) {
        this.kernel = kernel;
        shared = new SharedVariables(kernel);
    }

    /** The faults in the order of their statements. */
    public static List<Fault> of(Kernel kernel) {
        return new Faults(kernel).find();
    }

    private List<Fault> find() {
        int line = 0;
        Map<String, Integer> numbers = new HashMap<>();
        for (position = 0; position < kernel.body().size(); position++) {
            switch (kernel.body().get(position)) {
                case Statement.Location l -> line = l.line();
                case Statement.Perform p -> {
                    String opcode = p.instruction().opcode();
                    String place = "line " + line + " " + opcode;
                    site = place + " #" + numbers.merge(place, 1, Integer::sum);
                    guard = p.guard();
                    guards(p);
                    instruction(p.instruction());
                }
                case Statement.Block _ ->
                    throw new IllegalArgumentException(kernel.name() + " has nested blocks: no generator's code");
                case Statement.Label _, Statement.Registers _, Statement.Declare _, Statement.Pragma _ -> {}
            }
        }
        return Collections.unmodifiableList(found);
    }

    private void add(Kind kind, Instruction i, String change) {
        found.add(new Fault(kind, position, new Statement.Perform(guard, i), site, change));
    }

    private void leaveOut(Kind kind) {
        found.add(new Fault(kind, position, null, site, "left out"));
    }

    private void guards(Statement.Perform p) {
        Guard g = p.guard();
        if (g == null) return;
        found.add(new Fault(
                Kind.PREDICATE,
                position,
                new Statement.Perform(new Guard(g.predicate(), !g.negated()), p.instruction()),
                site,
                "the guard negated"));
        found.add(new Fault(
                Kind.PREDICATE, position, new Statement.Perform(null, p.instruction()), site, "without its guard"));
    }

    private void instruction(Instruction i) {
        switch (i) {
            case Synchronization.Barrier _, Synchronization.ClusterBarrier _, WarpOp.Barrier _ ->
                leaveOut(Kind.BARRIER);
            case AsyncCopy.Wait w -> {
                leaveOut(Kind.WAIT);
                if (w.pending() >= 0)
                    add(Kind.WAIT, new AsyncCopy.Wait(w.pending() + 1), "one more group may be pending");
            }
            case AsyncCopy.BulkWait w -> {
                leaveOut(Kind.WAIT);
                add(Kind.WAIT, new AsyncCopy.BulkWait(w.pending() + 1, w.read()), "one more group may be pending");
            }
            case Matrix.WgmmaWait w -> {
                leaveOut(Kind.WAIT);
                add(Kind.WAIT, new Matrix.WgmmaWait(w.pending() + 1), "one more group may be pending");
            }
            case AsyncCopy.Commit _, AsyncCopy.BulkCommit _, Matrix.WgmmaCommit _, Matrix.WgmmaFence _ ->
                leaveOut(Kind.WAIT);
            case Mbarrier.Arrive _, Mbarrier.Transaction _, AsyncCopy.ArriveOnCopies _ -> leaveOut(Kind.WAIT);
            case Mbarrier.Test t ->
                add(
                        Kind.WAIT,
                        new Comparison.SetPredicate(
                                Relation.EQ,
                                null,
                                false,
                                PtxType.B32,
                                t.done(),
                                new Operand.Int(0),
                                new Operand.Int(0),
                                null),
                        "taken for complete");
            case WarpOp.Shuffle s -> shuffle(s);
            case Comparison.SetPredicate c -> relation(c);
            case Comparison.Select s -> {
                if (!s.a().equals(s.b()))
                    add(
                            Kind.PREDICATE,
                            new Comparison.Select(s.type(), s.d(), s.b(), s.a(), s.p()),
                            "choices exchanged");
            }
            case Control _, Arithmetic _, Bitwise _, Comparison _, Movement _, Memory _, WarpOp _ -> {}
            case Synchronization _, AsyncCopy _, Mbarrier _, Matrix _ -> {}
        }
        for (Part p : Rewrite.parts(i)) part(i, p);
        stage(i);
    }

    private void part(Instruction i, Part p) {
        switch (p.value()) {
            case Operand.Address a -> {
                long step = elementBytes(i);
                add(Kind.OFFSET, p.with(new Operand.Address(a.base(), a.offset() + step)), p.name() + " + " + step);
                add(Kind.OFFSET, p.with(new Operand.Address(a.base(), a.offset() - step)), p.name() + " - " + step);
            }
            case Operand.Vector v -> {
                for (int k = 0; k + 1 < v.elements().size(); k++) {
                    if (v.elements().get(k).equals(v.elements().get(k + 1))) continue;
                    List<Operand> e = new ArrayList<>(v.elements());
                    Collections.swap(e, k, k + 1);
                    add(
                            Kind.FRAGMENT,
                            p.with(new Operand.Vector(e)),
                            p.name() + " " + k + " and " + (k + 1) + " exchanged");
                }
            }
            case Operand.Int n
            when i instanceof Arithmetic || i instanceof Bitwise ->
                add(Kind.OFFSET, p.with(new Operand.Int(n.value() + 1)), p.name() + " + 1");
            case Bitwise.LogicOp op
            when i instanceof Comparison.SetPredicate -> {
                Bitwise.LogicOp other = op == Bitwise.LogicOp.AND ? Bitwise.LogicOp.OR : Bitwise.LogicOp.AND;
                add(Kind.PREDICATE, p.with(other), "combined by " + other);
            }
            case FloatMode m -> {
                for (Rounding r : others(i, m.rounding())) {
                    FloatMode other =
                            new FloatMode(r, m.ftz(), m.nan(), m.xorSignAbs(), m.relu(), m.sat(), m.satFinite());
                    add(Kind.ROUNDING, p.with(other), "rounded " + r.modifier());
                }
            }
            case null, default -> {}
        }
    }

    /** Bytes of what one address of an instruction refers to, without its neighbours in a vector. */
    private static long elementBytes(Instruction i) {
        return switch (i) {
            case Memory.Load l -> l.type().bytes();
            case Memory.Store s -> s.type().bytes();
            case Memory.Atomic a -> a.type().bytes();
            case AsyncCopy.Copy c -> c.bytes();
            case Mbarrier _ -> 8;
            default -> 16;
        };
    }

    /** Roundings that an instruction may have instead of its own. */
    private static List<Rounding> others(Instruction i, Rounding own) {
        PtxType type =
                switch (i) {
                    case Arithmetic.Binary b -> b.type();
                    case Arithmetic.Fma f -> f.type();
                    case Arithmetic.Apply f -> f.type();
                    case Movement.Convert c -> c.dType();
                    default -> null;
                };
        boolean full = type == PtxType.F32 || type == PtxType.F64;
        return switch (own) {
            case RN ->
                full
                        ? List.of(Rounding.RZ, Rounding.RP)
                        : i instanceof Movement.Convert ? List.of(Rounding.RZ) : List.of();
            case RNI -> List.of(Rounding.RZI);
            case RZI -> List.of(Rounding.RMI);
            case RMI -> List.of(Rounding.RZI);
            case RPI -> List.of(Rounding.RNI);
            case RZ -> full ? List.of(Rounding.RN) : List.of();
            case RM, RP -> List.of(Rounding.RN);
            case RNA -> List.of(Rounding.RZ);
            case NONE, APPROX, FULL -> List.of();
        };
    }

    private void shuffle(WarpOp.Shuffle s) {
        if (s.b() instanceof Operand.Int b) {
            long other = b.value() == 1 ? 2 : b.value() / 2;
            add(
                    Kind.SHUFFLE,
                    new WarpOp.Shuffle(s.shuffle(), s.d(), s.a(), new Operand.Int(other), s.clamp(), s.mask()),
                    "distance " + other);
        }
        WarpOp.ShuffleMode mode =
                s.shuffle() == WarpOp.ShuffleMode.UP ? WarpOp.ShuffleMode.DOWN : WarpOp.ShuffleMode.UP;
        add(Kind.SHUFFLE, new WarpOp.Shuffle(mode, s.d(), s.a(), s.b(), s.clamp(), s.mask()), "mode " + mode);
        add(
                Kind.SHUFFLE,
                new WarpOp.Shuffle(s.shuffle(), s.d(), s.a(), s.b(), s.clamp(), SHORT_MASK),
                "without the last lane");
        if (s.shuffle() == WarpOp.ShuffleMode.BFLY && s.b() instanceof Operand.Int b)
            add(
                    Kind.SHUFFLE,
                    new WarpOp.Shuffle(s.shuffle(), s.d(), s.a(), s.b(), new Operand.Int(b.value() - 1), s.mask()),
                    "clamped to " + (b.value() - 1));
    }

    private void relation(Comparison.SetPredicate c) {
        Relation opposite =
                switch (c.relation()) {
                    case EQ -> Relation.NE;
                    case NE -> Relation.EQ;
                    case LT -> Relation.GE;
                    case GE -> Relation.LT;
                    case LE -> Relation.GT;
                    case GT -> Relation.LE;
                    case LO -> Relation.HS;
                    case HS -> Relation.LO;
                    case LS -> Relation.HI;
                    case HI -> Relation.LS;
                    case EQU -> Relation.NE;
                    case NEU -> Relation.EQ;
                    case LTU -> Relation.GE;
                    case GEU -> Relation.LT;
                    case LEU -> Relation.GT;
                    case GTU -> Relation.LE;
                    case NUM -> Relation.NAN;
                    case NAN -> Relation.NUM;
                };
        add(Kind.PREDICATE, with(c, opposite), "relation " + opposite);
        Relation neighbour =
                switch (c.relation()) {
                    case LT -> Relation.LE;
                    case LE -> Relation.LT;
                    case GT -> Relation.GE;
                    case GE -> Relation.GT;
                    case LO -> Relation.LS;
                    case LS -> Relation.LO;
                    case HI -> Relation.HS;
                    case HS -> Relation.HI;
                    default -> null;
                };
        if (neighbour != null) add(Kind.PREDICATE, with(c, neighbour), "relation " + neighbour);
    }

    private static Comparison.SetPredicate with(Comparison.SetPredicate c, Relation r) {
        return new Comparison.SetPredicate(r, c.combine(), c.ftz(), c.type(), c.d(), c.a(), c.b(), c.c());
    }

    /** Accesses to shared memory moved to another variable, or by half of their own: another stage of a ring of an even number of them. */
    private void stage(Instruction i) {
        for (Part p : Rewrite.parts(i)) {
            if (p.value() instanceof Operand.Symbol s && shared.has(s.name())) {
                String other = shared.next(s.name());
                if (other != null)
                    add(Kind.STAGE, p.with(new Operand.Symbol(other, s.offset())), other + " instead of " + s.name());
            }
            if (p.value() instanceof Operand.Address a) {
                long bytes = shared.stage(a.base());
                if (bytes > 0)
                    add(
                            Kind.STAGE,
                            p.with(new Operand.Address(a.base(), a.offset() + bytes)),
                            p.name() + " + " + bytes + ", half of its variable");
            }
        }
    }
}
