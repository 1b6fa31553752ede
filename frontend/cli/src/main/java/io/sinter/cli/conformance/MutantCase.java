// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
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
 * @param programs the same computation at different sizes; faults are sought in the kernels of the first, and seen in those of the others
 *     that have the same text
 */
record MutantCase(String template, boolean aligned, Target target, List<Program> programs) {
    /**
     * A program with what it is run on.
     *
     * @param team threads of its kernels' teams; 0: as their rules say
     * @param inputs several lists of arguments
     */
    record Program(Graph graph, int team, List<Inputs> inputs) {}

    /**
     * Arguments of one run.
     *
     * @param tolerances of each result, the last one's for those that follow: relative to the greater of 1 and the value; 0: the reference's bits
     */
    record Inputs(List<RefArray> arguments, double... tolerances) {}

    /** Makes an argument of a type; {@code number} counts them. */
    interface Fill {
        RefArray of(Type type, int number);
    }

    /** Collects the programs of a case. */
    static final class Builder {
        private final String template;
        private final BiFunction<GraphBuilder, List<Node>, List<Node>> code;
        private final List<Program> programs = new ArrayList<>();
        private boolean donating;
        private boolean aligned;
        private Target target = Target.SM_80;

        Builder(String template, BiFunction<GraphBuilder, List<Node>, List<Node>> code) {
            this.template = template;
            this.code = code;
        }

        /** Results overwrite the arguments of their numbers. */
        Builder donating() {
            donating = true;
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
            return new Sized(team, List.of(types));
        }

        MutantCase build() {
            return new MutantCase(template, aligned, target, List.copyOf(programs));
        }

        /** A program of certain sizes. */
        final class Sized {
            private final List<Type> types;
            private final List<Inputs> inputs = new ArrayList<>();

            private Sized(int team, List<Type> types) {
                this.types = types;
                GraphBuilder g = new GraphBuilder();
                List<Node> nodes = types.stream().map(g::input).toList();
                List<Node> results = code.apply(g, nodes);
                List<Integer> donations = IntStream.range(0, results.size())
                        .mapToObj(i -> donating ? i : -1)
                        .toList();
                programs.add(new Program(Graph.of(nodes, results, donations), team, inputs));
            }

            /** Runs it on these, too. */
            Sized on(Fill fill, double... tolerances) {
                List<RefArray> all = new ArrayList<>();
                for (Type t : types) all.add(fill.of(t, all.size()));
                inputs.add(new Inputs(all, tolerances));
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
