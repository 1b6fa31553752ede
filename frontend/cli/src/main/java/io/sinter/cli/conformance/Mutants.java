// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.faults.Fault;
import io.sinter.codegen.ptx.faults.Faults;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.PtxParser;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.IndexError;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.SimulatedProgram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Faults seeded into the PTX of one case, and what became of them. */
final class Mutants {
    /** How many times as long as the sound kernel a faulty one may run. */
    private static final int PATIENCE = 4;

    /** CTAs of a launch: so few that each takes several tasks. */
    private static final int CTAS = 3;

    /**
     * A faulty kernel.
     *
     * @param text the text of its module without the fault
     * @param faulty the module with it
     */
    record Mutant(String template, Fault fault, String kernel, String text, PtxModule faulty) {
        /** What a proof that it is equivalent refers to. */
        String key() {
            return template + " " + kernel + " " + fault;
        }
    }

    /** One run of a program: on which inputs and machine; what it gives, results or the error that it is to end with, is found when it is needed. */
    private final class Trial {
        private final SimulatedProgram program;
        private final MutantCase.Inputs inputs;
        private final int team;
        private final int moved;
        private boolean isKnown;
        private List<RefArray> results;
        private String error;
        private long instructions;

        Trial(SimulatedProgram program, MutantCase.Inputs inputs, int team, int moved) {
            this.program = program;
            this.inputs = inputs;
            this.team = team;
            this.moved = moved;
        }

        private SimulatedProgram.Outcome launch(long budget, UnaryOperator<String> change) {
            SimOptions limited = options.withMaxInstructions(budget);
            return program.run(
                    inputs.arguments(), new SimulatedProgram.Machine(limited, of.target(), CTAS, team, moved), change);
        }

        /**
         * Runs it without faults, and notes the modules that it loads.
         *
         * @throws IllegalStateException if it does not give what the reference does
         */
        void know() {
            if (isKnown) return;
            isKnown = true;
            try {
                results = program.interpret(inputs.arguments());
            } catch (IndexError e) {
                error = e.getMessage();
            }
            try {
                SimulatedProgram.Outcome got = launch(options.maxInstructions(), text -> {
                    modules.add(text);
                    return text;
                });
                String problem = error != null
                        ? "no error, but it should be " + error
                        : difference(results, got.results(), inputs.tolerances());
                if (problem != null) throw new IllegalStateException(of.template() + " without faults: " + problem);
                instructions = got.instructions();
            } catch (IndexError e) {
                if (!e.getMessage().equals(error)) throw e;
            }
        }

        /** How a mutant ends here. */
        Verdict run(UnaryOperator<String> change) {
            know();
            try {
                List<RefArray> got =
                        launch(PATIENCE * instructions + 100_000, change).results();
                boolean wrong = error != null || difference(results, got, inputs.tolerances()) != null;
                return wrong ? Verdict.CAUGHT : Verdict.SURVIVED;
            } catch (PtxException _) {
                return Verdict.INVALID;
            } catch (SimFault _) {
                return Verdict.CAUGHT;
            } catch (ArrayIndexOutOfBoundsException e) {
                throw e;
            } catch (IndexOutOfBoundsException | ArithmeticException e) {
                // An error record that means another index, or nothing at all, is wrong.
                return e.getMessage().equals(error) ? Verdict.SURVIVED : Verdict.CAUGHT;
            }
        }
    }

    private final MutantCase of;
    private final SimOptions options;
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
        List<Trial> special = new ArrayList<>();
        for (MutantCase.Program p : of.programs()) {
            SimulatedProgram program = new SimulatedProgram(p.graph());
            for (MutantCase.Inputs in : p.inputs()) {
                Trial t = new Trial(program, in, p.team(), -1);
                if (in == p.inputs().getFirst()) t.know();
                trials.add(t);
            }
            // Arguments are allocated first, then parameters and results.
            int allocations =
                    p.graph().inputs().size() + 1 + p.graph().outputs().size();
            for (int moved = 0; moved < allocations && !of.aligned(); moved++)
                special.add(new Trial(program, p.inputs().getFirst(), p.team(), moved));
        }
        trials.addAll(special);
    }

    /** At most {@code max} faults of each kind, chosen by the seed. */
    Map<Fault.Kind, List<Mutant>> sample(int max, long seed) {
        Map<Fault.Kind, List<Mutant>> all = new EnumMap<>(Fault.Kind.class);
        for (String text : modules) {
            PtxModule m = PtxParser.parse(text).module();
            for (int i = 0; i < m.kernels().size(); i++) {
                Kernel k = m.kernels().get(i);
                String name = k.name().replaceFirst("^[kr]_", "").replaceFirst("_[0-9a-f]{8}(?=_|$)", "");
                for (Fault f : Faults.of(k)) {
                    List<Kernel> kernels = new ArrayList<>(m.kernels());
                    kernels.set(i, f.in(k));
                    PtxModule faulty = new PtxModule(m.version(), m.target(), m.files(), m.variables(), kernels);
                    all.computeIfAbsent(f.kind(), _ -> new ArrayList<>())
                            .add(new Mutant(of.template(), f, name, text, faulty));
                }
            }
        }
        all.forEach((kind, list) -> Collections.shuffle(list, new Random(31 * seed + kind.ordinal())));
        all.replaceAll((_, list) -> list.subList(0, Math.min(max, list.size())));
        return all;
    }

    /** How a mutant ends. */
    enum Verdict {
        CAUGHT,
        SURVIVED,
        /** PTX has no such instruction. */
        INVALID
    }

    Verdict run(Mutant mutant) {
        String faulty = mutant.faulty().toString();
        UnaryOperator<String> change = text -> text.equals(mutant.text()) ? faulty : text;
        for (Trial t : trials) {
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
        return Double.compare(want, got) == 0 || Math.abs(want - got) <= tolerance * Math.max(1, Math.abs(want));
    }
}
