// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * Programs whose kernels come from one template, and inputs that exercise all of what it emits.
 *
 * @param template the template's name
 * @param aligned whether launches count on memory that begins at multiples of 16 bytes, as drivers allocate it
 * @param target what the GPU is
 * @param numerics what the user has chosen about rounding
 * @param form that launches take which may have it; empty for the one that their numbers ask for
 * @param kernel what the names of kernels in which faults are sought begin with
 * @param programs the computation at different sizes, and others that have kernels of the same text
 */
record MutantCase(
        String template,
        boolean aligned,
        Target target,
        Numerics numerics,
        String form,
        String kernel,
        List<Program> programs) {
    /**
     * A program with what it is run on.
     *
     * @param team threads of its kernels' teams; 0: as their rules say
     * @param isSubject whether faults are sought in its kernels; else it is run where it has one of the same text
     * @param model gives the results to the bit where the reference, which adds in another order, gives them roughly; else null
     * @param inputs several lists of arguments
     */
    record Program(Graph graph, int team, boolean isSubject, Model model, List<Inputs> inputs) {}

    /** A computation done in the order of a template's operations, by other code. */
    interface Model {
        /** The results of some arguments. */
        List<RefArray> of(List<RefArray> arguments);
    }

    /**
     * Arguments of one run.
     *
     * @param tolerances of each result against the reference's, the last one's for those that follow: relative to the greater of 1 and the value; 0: the
     *     same bits. Of a program with a model they say how near the model is to the reference; NaN: the reference, which leaves out what has no weight, has
     *     other infinities
     */
    record Inputs(List<RefArray> arguments, double... tolerances) {}

    /** Makes an argument of a type; {@code number} counts them. */
    interface Fill {
        RefArray of(Type type, int number);
    }

    /** Collects the programs of a case. */
    static final class Builder {
        private final String template;
        private BiFunction<GraphBuilder, List<Node>, List<Node>> code;
        private Model model;
        private final List<Program> programs = new ArrayList<>();
        private boolean donating;
        private boolean isSubject = true;
        private boolean aligned;
        private Target target = Target.SM_80;
        private Numerics numerics = Numerics.DEFAULT;
        private String form = "";
        private String kernel = "";

        Builder(String template, BiFunction<GraphBuilder, List<Node>, List<Node>> code) {
            this.template = template;
            this.code = code;
        }

        /** In the programs that follow results overwrite the arguments of their numbers, or they do not. */
        Builder donating(boolean yes) {
            donating = yes;
            return this;
        }

        /** The programs that follow compute this, and their kernels have faults, too. */
        Builder computing(BiFunction<GraphBuilder, List<Node>, List<Node>> other, Model exact) {
            code = other;
            model = exact;
            return this;
        }

        /** The programs that follow compute this, by kernels some of which have the same text: in those, faults are seen that are sought in the others. */
        Builder running(BiFunction<GraphBuilder, List<Node>, List<Node>> other) {
            code = other;
            model = null;
            isSubject = false;
            return this;
        }

        /** The programs that follow compute the same; where their kernels have other texts than those before, nothing is sought in them. */
        Builder further() {
            isSubject = false;
            return this;
        }

        /** Results of the programs that follow are what a model gives; null: what the reference does. */
        Builder by(Model exact) {
            model = exact;
            return this;
        }

        /** For someone who has chosen this about rounding. */
        Builder with(Numerics n) {
            numerics = n;
            return this;
        }

        /** Launches that may have a form of this text take it. */
        Builder inForm(String text) {
            form = text;
            return this;
        }

        /** Faults are sought only in kernels whose names begin so; the others are of another template. */
        Builder inKernels(String name) {
            kernel = name;
            return this;
        }

        /** For another target than the baseline. */
        Builder on(Target t) {
            target = t;
            return this;
        }

        /** Launches count on aligned memory. */
        Builder aligned() {
            aligned = true;
            return this;
        }

        /** The program for operands of these types. */
        Sized at(Type... types) {
            return inTeams(0, types);
        }

        /** The program for operands of these types, run by teams of so many threads. */
        Sized inTeams(int team, Type... types) {
            return new Sized(team, List.of(types), 1);
        }

        /** The computation done twice, on operands of these types and on others: each kernel is launched once, with two parameter blocks. */
        Sized twice(Type... types) {
            return new Sized(0, List.of(types), 2);
        }

        MutantCase build() {
            return new MutantCase(template, aligned, target, numerics, form, kernel, List.copyOf(programs));
        }

        /** A program of certain sizes. */
        final class Sized {
            private final List<Type> types;
            private final int times;
            private final List<Inputs> inputs = new ArrayList<>();

            private Sized(int team, List<Type> types, int times) {
                this.types = types;
                this.times = times;
                GraphBuilder g = new GraphBuilder();
                List<Node> nodes = new ArrayList<>();
                List<List<Node>> each = new ArrayList<>();
                for (int t = 0; t < times; t++) {
                    List<Node> in = types.stream().map(g::input).toList();
                    nodes.addAll(in);
                    each.add(code.apply(g, in));
                }
                List<Node> results = new ArrayList<>();
                for (int i = 0; i < each.getFirst().size(); i++) for (List<Node> e : each) results.add(e.get(i));
                List<Integer> donations = IntStream.range(0, results.size())
                        .mapToObj(i -> donating ? i : -1)
                        .toList();
                programs.add(new Program(Graph.of(nodes, results, donations), team, isSubject, model, inputs));
            }

            /** Runs it on these, too; a second time on the same backwards. */
            Sized on(Fill fill, double... tolerances) {
                List<RefArray> all = new ArrayList<>();
                for (int t = 0; t < times; t++) {
                    for (int i = 0; i < types.size(); i++) {
                        RefArray a = fill.of(types.get(i), i);
                        all.add(t == 0 ? a : MutantInputs.backwards(a));
                    }
                }
                double[] each = new double[tolerances.length * times];
                for (int i = 0; i < each.length; i++) each[i] = tolerances[i / times];
                inputs.add(new Inputs(all, each));
                return this;
            }

            /** Runs it on these, and expects the reference's bits. */
            Sized exactly(Fill fill) {
                return on(fill, 0);
            }

            Builder and() {
                return Builder.this;
            }
        }
    }
}
