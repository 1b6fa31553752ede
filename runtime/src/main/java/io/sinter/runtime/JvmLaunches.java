// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Slots;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the launches of a program. Each asks its kernel what it will need, for which a product or a convolution is planned: that is done once for all launches that do the same with other
 * memory, as a network's layers do, and on several threads.
 */
final class JvmLaunches {
    /** So many kernels have answered before another thread has begun. */
    private static final int QUESTIONS_PER_THREAD = 16;

    /** A hash looks at so many words of a block. */
    private static final int HASHED = 8;

    private JvmLaunches() {}

    /** What a kernel is asked about the block of one segment: the same for all launches with the same numbers. */
    private static final class Question {
        private final JvmKernel code;
        private final long block;
        private final Slots slots;
        private final long[] words;
        private final int hash;

        /**
         * @param slots that the block was made of
         * @param words that are in it
         */
        Question(JvmKernel code, long block, Slots slots, long[] words) {
            this.code = code;
            this.block = block;
            this.slots = slots;
            this.words = words;
            int some = System.identityHashCode(code);
            // Extents and strides come last.
            for (int i = Math.max(0, words.length - HASHED); i < words.length; i++)
                some = 31 * some + Long.hashCode(words[i]);
            hash = some;
        }

        @Override
        public boolean equals(Object o) {
            if (!(o instanceof Question q) || q.code != code || q.hash != hash) return false;
            if (!slots.sharesNumbers(q.slots) || slots.others() != q.slots.others())
                return Arrays.equals(q.words, words);
            // Kernels that are launched often have dozens of numbers, and a few addresses beside.
            for (int i = 0; i < slots.others(); i++) {
                int slot = slots.place(i);
                if (slot != q.slots.place(i) || words[slot] != q.words[slot]) return false;
            }
            return true;
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /**
     * All launches in the order of {@link StoredPlan#launches}.
     *
     * @param parameters of the plan
     * @param generated code of the plan's kernels, in the order of {@link StoredPlan#kernels}
     */
    static List<JvmLaunch> of(StoredPlan stored, ParameterBlock parameters, List<JvmKernel> generated) {
        List<Plan.Launch> all = StoredPlan.launches(stored.plan());
        List<long[]> blocks = new ArrayList<>();
        blocks(stored.plan(), parameters.program(), blocks);
        Map<Question, Integer> known = new HashMap<>();
        List<Question> questions = new ArrayList<>();
        JvmKernel[] code = new JvmKernel[all.size()];
        int[][] asked = new int[code.length][];
        for (int i = 0; i < code.length; i++) {
            Plan.Launch l = all.get(i);
            code[i] = generated.get(i).in(stored.form(l));
            asked[i] = new int[blocks.get(i).length];
            for (int s = 0; s < asked[i].length; s++) {
                long block = blocks.get(i)[s];
                Slots slots = l.slots(s);
                Question q = new Question(code[i], block, slots, parameters.numbers(block, slots.size()));
                Integer number = known.putIfAbsent(q, questions.size());
                if (number == null) questions.add(q);
                asked[i][s] = number == null ? questions.size() - 1 : number;
            }
        }
        JvmKernel.Demand[] answers = new JvmKernel.Demand[questions.size()];
        ParallelWork.begin(answers.length, answers.length / QUESTIONS_PER_THREAD, i -> {
                    Question q = questions.get(i);
                    answers[i] = q.code.demand(q.block);
                })
                .finish();
        List<JvmLaunch> out = new ArrayList<>();
        for (int i = 0; i < code.length; i++) {
            JvmKernel.Demand[] demands = new JvmKernel.Demand[asked[i].length];
            for (int s = 0; s < demands.length; s++) demands[s] = answers[asked[i][s]];
            out.add(new JvmLaunch(code[i], blocks.get(i), demands));
        }
        return out;
    }

    private static void blocks(Plan plan, ParameterBlock.Section section, List<long[]> out) {
        int launches = 0;
        int repeats = 0;
        for (Plan.Step s : plan.steps()) {
            if (s instanceof Plan.Launch) out.add(section.blocks(launches++));
            if (s instanceof Plan.Repeat r) blocks(r.body(), section.body(repeats++), out);
        }
    }
}
