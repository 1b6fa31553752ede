// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.faults.Fault;
import io.sinter.codegen.ptx.faults.Faults;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.PtxParser;
import io.sinter.codegen.ptx.lang.Statement;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.SimulatedProgram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Faults seeded into the PTX of one case, and what became of them. */
final class Mutants {
    /** How many times as long as the sound kernel a faulty one may run. */
    private static final int PATIENCE = 4;

    private static final int MOST_OF_NONE = 20_000;

    /** CTAs of a launch: so few that each takes several tasks. */
    private static final int CTAS = 3;

    /**
     * A faulty kernel.
     *
     * @param instruction what the fault has changed
     * @param entry the kernel's name in its module
     * @param text the text of its module without the fault
     * @param faulty the module with it
     * @param readsTheSame whether it only reads another slot of the parameter block, which holds the same number in every launch of every program
     */
    record Mutant(
            String template,
            Fault fault,
            String kernel,
            String instruction,
            String entry,
            String text,
            PtxModule faulty,
            boolean readsTheSame) {
        /** What a proof that it is equivalent refers to. */
        String key() {
            return template + " " + kernel + " " + fault;
        }
    }

    /**
     * A program.
     *
     * @param model gives its results to the bit; null if the interpreter of plans does
     * @param modules the texts that it loads
     */
    private record Subject(SimulatedProgram program, MutantCase.Model model, Set<String> modules) {}

    /** One run of a program: on which inputs and machine; what it gives, results or the error that it is to end with, is found when it is needed. */
    private final class Trial {
        private final Subject subject;
        private final MutantCase.Inputs inputs;
        private final int team;
        private final int moved;
        private final int beside;
        private List<RefArray> results;
        private double[] tolerances;
        /** The run without faults. */
        private SimulatedProgram.Recording recording;

        Trial(Subject subject, MutantCase.Inputs inputs, int team, int moved, int beside) {
            this.subject = subject;
            this.inputs = inputs;
            this.team = team;
            this.moved = moved;
            this.beside = beside;
            tolerances = inputs.tolerances();
        }

        private SimulatedProgram.Machine machine() {
            return new SimulatedProgram.Machine(options, of.target(), CTAS, team, moved, beside);
        }

        /**
         * Runs it without faults, and notes the modules that it loads.
         *
         * @throws IllegalStateException if it does not give what the reference does
         */
        synchronized void know() {
            if (recording != null) return;
            String error = null;
            try {
                results = subject.program().interpret(inputs.arguments());
                if (subject.model() != null) useModel();
            } catch (IndexError e) {
                error = e.getMessage();
            }
            recording = subject.program().record(inputs.arguments(), machine());
            subject.modules().addAll(recording.modules());
            String problem = null;
            if (recording.error() != null) {
                String e = recording.error().getMessage();
                if (!e.equals(error)) problem = e + ", but it should be " + (error == null ? "none" : error);
            } else {
                problem = error != null
                        ? "no error, but it should be " + error
                        : difference(results, recording.outcome().results(), tolerances);
            }
            if (problem != null) throw new IllegalStateException(of.template() + " without faults: " + problem);
        }

        /** Instructions that it takes without faults; of one that ends with an error nobody knows. */
        long instructions() {
            return recording.outcome() == null ? 0 : recording.outcome().instructions();
        }

        private void useModel() {
            List<RefArray> exact = subject.model().of(inputs.arguments());
            String problem = difference(results, exact, tolerances);
            if (problem != null) throw new IllegalStateException(of.template() + ", the model: " + problem);
            results = exact;
            tolerances = new double[1];
        }

        /** How a mutant ends here. */
        Verdict run(SimulatedProgram.ChangedKernel change) {
            know();
            try {
                SimulatedProgram.Replay again = recording.again(change, Mutants::patience);
                if (again.isTheSame()) return Verdict.SURVIVED;
                if (again.results() == null) return report(change);
                return difference(results, again.results(), tolerances) != null ? Verdict.CAUGHT : Verdict.SURVIVED;
            } catch (PtxException _) {
                return Verdict.INVALID;
            } catch (SimFault _) {
                return Verdict.CAUGHT;
            }
        }

        /** An error record is not what it was: whether its reader sees a difference. */
        private Verdict report(SimulatedProgram.ChangedKernel change) {
            try {
                SimulatedProgram.Outcome got = subject.program().run(inputs.arguments(), machine(), change::change);
                boolean wrong = recording.error() != null || difference(results, got.results(), tolerances) != null;
                return wrong ? Verdict.CAUGHT : Verdict.SURVIVED;
            } catch (ArrayIndexOutOfBoundsException e) {
                throw e;
            } catch (IndexOutOfBoundsException | ArithmeticException e) {
                // An error record that means another index, or nothing at all, is wrong.
                boolean same = recording.error() != null
                        && e.getMessage().equals(recording.error().getMessage());
                return same ? Verdict.SURVIVED : Verdict.CAUGHT;
            }
        }
    }

    /** Instructions that a launch of a faulty kernel may take. */
    private static long patience(long instructions) {
        return PATIENCE * instructions + MOST_OF_NONE;
    }

    private final MutantCase of;
    private final SimOptions options;
    /** The cheapest first. */
    private final List<Trial> trials = new ArrayList<>();
    /** Texts of all modules that differ. */
    private final Set<String> modules = new LinkedHashSet<>();

    /**
     * Runs the programs without faults, on their first inputs.
     *
     * @throws IllegalStateException if they do not give what the reference does
     */
    Mutants(MutantCase of, SimOptions options) {
        this.of = of;
        this.options = options;
        Map<Subject, Long> cost = new IdentityHashMap<>();
        List<Trial> special = new ArrayList<>();
        for (MutantCase.Program p : of.programs()) {
            Subject subject = new Subject(
                    new SimulatedProgram(p.graph(), of.numerics(), of.form()),
                    p.model(),
                    Collections.synchronizedSet(new LinkedHashSet<>()));
            for (MutantCase.Inputs in : p.inputs()) trials.add(new Trial(subject, in, p.team(), -1, 0));
            Trial first = trials.get(trials.size() - p.inputs().size());
            first.know();
            cost.put(subject, first.instructions());
            if (p.isSubject()) modules.addAll(subject.modules());
            if (of.aligned()) continue;
            // Arguments are allocated first, then parameters and results: each of them in turn lies an element beside
            // an aligned address.
            List<Integer> elements = new ArrayList<>();
            for (Node n : p.graph().inputs()) elements.add(n.type().dtype().bytes());
            elements.add(Long.BYTES);
            for (Node n : p.graph().outputs()) elements.add(n.type().dtype().bytes());
            for (int moved = 0; moved < elements.size(); moved++)
                special.add(new Trial(subject, p.inputs().getFirst(), p.team(), moved, elements.get(moved)));
        }
        trials.addAll(special);
        // One is enough to catch a fault.
        trials.sort(Comparator.comparing(t -> cost.get(t.subject)));
    }

    /** At most {@code max} faults of each kind, chosen by the seed. */
    Map<Fault.Kind, List<Mutant>> sample(int max, long seed) {
        Map<Fault.Kind, List<Mutant>> all = new EnumMap<>(Fault.Kind.class);
        Map<String, Integer> variants = new HashMap<>();
        for (String text : modules) {
            PtxModule m = PtxParser.parse(text).module();
            for (int i = 0; i < m.kernels().size(); i++) {
                Kernel k = m.kernels().get(i);
                String base = k.name().replaceFirst("^[kr]_", "").replaceFirst("_[0-9a-f]{8}(?=_|$)", "");
                if (!base.startsWith(of.kernel())) continue;
                int variant = variants.merge(base, 1, Integer::sum);
                // Kernels of one name differ by their schedule, or by what is part of their code.
                String name = variant == 1 ? base : base + "~" + variant;
                for (Fault f : Faults.of(k)) {
                    List<Kernel> kernels = new ArrayList<>(m.kernels());
                    kernels.set(i, f.in(k));
                    PtxModule faulty = new PtxModule(m.version(), m.target(), m.files(), m.variables(), kernels);
                    all.computeIfAbsent(f.kind(), _ -> new ArrayList<>())
                            .add(new Mutant(
                                    of.template(),
                                    f,
                                    name,
                                    k.body().get(f.statement()).toString().strip(),
                                    k.name(),
                                    text,
                                    faulty,
                                    readsTheSame(k, f, base)));
                }
            }
        }
        all.forEach((kind, list) -> Collections.shuffle(list, new Random(31 * seed + kind.ordinal())));
        all.replaceAll((_, list) -> list.subList(0, Math.min(max, list.size())));
        return all;
    }

    private boolean readsTheSame(Kernel k, Fault f, String name) {
        if (!(k.body().get(f.statement()) instanceof Statement.Perform was)
                || !(was.instruction() instanceof Memory.Load from)) return false;
        if (!(f.replacement() instanceof Statement.Perform is) || !(is.instruction() instanceof Memory.Load to))
            return false;
        if (!from.address().base().equals(blockOf(k)) || !to.address().base().equals(blockOf(k))) return false;
        int a = Math.toIntExact(from.address().offset() / Long.BYTES);
        int b = Math.toIntExact(to.address().offset() / Long.BYTES);
        Map<String, List<List<Plan.SlotValue>>> byName = new HashMap<>();
        for (Trial t : trials)
            for (Plan.Launch l : t.subject.program().launches())
                byName.computeIfAbsent(PtxModule.identifier(l.kernel().name()), _ -> new ArrayList<>())
                        .addAll(l.segments());
        // What is launched after a kernel, with the same parameters, has its name with something behind it.
        List<List<Plan.SlotValue>> blocks = byName.keySet().stream()
                .filter(n -> name.equals(n) || name.startsWith(n + "_"))
                .max(Comparator.comparing(String::length))
                .map(byName::get)
                .orElse(List.of());
        return !blocks.isEmpty()
                && blocks.stream()
                        .allMatch(x -> b >= 0
                                && a < x.size()
                                && b < x.size()
                                && x.get(a) instanceof Plan.SlotValue.Number
                                && x.get(a).equals(x.get(b)));
    }

    /** The register that holds the address of the parameter block: of the first one and the block's number. */
    private static Operand blockOf(Kernel k) {
        for (Statement s : k.body()) {
            if (s instanceof Statement.Perform p && p.instruction().opcode().equals("mad.lo.s64"))
                return p.instruction().operands().getFirst();
        }
        return null;
    }

    /** How a mutant ends. */
    enum Verdict {
        CAUGHT,
        SURVIVED,
        /** PTX has no such instruction. */
        INVALID
    }

    Verdict run(Mutant mutant) {
        SimulatedProgram.ChangedKernel change = new SimulatedProgram.ChangedKernel(
                mutant.text(), mutant.entry(), mutant.faulty().toString());
        for (Trial t : trials) {
            if (!t.subject.modules().contains(mutant.text())) continue;
            Verdict v;
            try {
                v = t.run(change);
            } catch (RuntimeException e) {
                throw new IllegalStateException(mutant.key() + " ends in another way", e);
            }
            if (v != Verdict.SURVIVED) return v;
        }
        return Verdict.SURVIVED;
    }

    /** The first difference, in words; null if there is none. NaN is like NaN, and −0 is not like 0. */
    private static String difference(List<RefArray> want, List<RefArray> got, double[] tolerances) {
        for (int i = 0; i < want.size(); i++) {
            double tolerance = tolerances[Math.min(i, tolerances.length - 1)];
            RefArray w = want.get(i);
            for (int j = 0; j < w.size(); j++) {
                boolean same = w.dtype().isFloat()
                        ? near(w.getDouble(j), got.get(i).getDouble(j), tolerance)
                        : w.getLong(j) == got.get(i).getLong(j);
                if (same) continue;
                String numbers = w.dtype().isFloat()
                        ? got.get(i).getDouble(j) + ", not " + w.getDouble(j)
                        : got.get(i).getLong(j) + ", not " + w.getLong(j);
                return "result " + i + " element " + j + " is " + numbers;
            }
        }
        return null;
    }

    private static boolean near(double want, double got, double tolerance) {
        return Double.isNaN(tolerance)
                || Double.compare(want, got) == 0
                || Math.abs(want - got) <= tolerance * Math.max(1, Math.abs(want));
    }
}
