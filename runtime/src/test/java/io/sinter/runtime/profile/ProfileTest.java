// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Compiler;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import io.sinter.ir.text.GraphParser;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a profile makes of times that it is told. */
class ProfileTest {
    private final ProgramSites program;
    private final Site exp;

    ProfileTest() {
        Plan plan = Compiler.plan(GraphParser.parse("%0: f32[8] = input\n%1: f32[8] = exp(%0)\nreturn %1\n"));
        Plan.Step step = plan.steps().getFirst();
        Map<Plan.Step, int[]> origins = new IdentityHashMap<>();
        origins.put(step, new int[] {1});
        program = new ProgramSites(1, StoredPlan.of(plan, origins));
        exp = program.add(plan, step, "exp");
    }

    private void launch(Profile p, Sources from, int times, long nanos) {
        Profile.Run run = p.begin(program, from);
        for (int i = 0; i < times; i++) run.launched(exp, 0, nanos);
        run.end();
    }

    private static Sources line(String line) {
        return _ -> new Sources.Source(line, "", "");
    }

    private static Report report(Profile p) {
        return new Report(p, new Report.Machine("jvm", 1, "", Peaks.NONE));
    }

    private static KernelTime only(Profile p) {
        assertEquals(1, p.kernels().size());
        return p.kernels().getFirst();
    }

    @Test
    void latelyIsTheMedianOfTheLast512Launches() {
        Profile p = new Profile(false);
        launch(p, Sources.NONE, 600, 1000);
        launch(p, Sources.NONE, 256, 10);
        assertEquals(1000, only(p).lately(), "half of them");
        launch(p, Sources.NONE, 1, 10);
        assertEquals(10, only(p).lately());
        assertEquals(10, only(p).shortest());
        assertEquals(857, only(p).calls());
        assertEquals(600 * 1000 + 257 * 10, only(p).nanos());
        // Nothing of what is forgotten is left in the window.
        p.reset();
        assertEquals(List.of(), p.kernels());
        for (int i = 1; i <= 3; i++) launch(p, Sources.NONE, 1, 10_000 * i);
        assertEquals(20_000, only(p).lately());
        assertEquals(10_000, only(p).shortest());
    }

    @Test
    void aKernelFromTwoLinesIsTwiceThereAndCanBeAddedUp() {
        Profile p = new Profile(false);
        launch(p, line("A.java:1"), 1, 5);
        launch(p, line("B.java:2"), 2, 8);
        launch(p, line("A.java:1"), 1, 9);
        List<KernelTime> both = p.kernels();
        assertEquals(List.of(16L, 14L), both.stream().map(KernelTime::nanos).toList());
        KernelTime sum = both.get(1).plus(both.get(0));
        assertEquals(
                List.of("A.java:1", "B.java:2"),
                sum.sources().stream().map(Sources.Source::line).toList());
        assertEquals(4, sum.calls());
        assertEquals(30, sum.nanos());
        assertEquals(5, sum.shortest());
        assertEquals(8, sum.lately(), "that of the one that took longer");

        Report r = report(p);
        assertEquals(1, r.byKernel().size());
        Report.Group kernel = r.byKernel().getFirst();
        assertEquals("B.java:2 +1", kernel.from());
        assertEquals(List.of(4.0, 30.0), List.of(kernel.calls(), kernel.nanos()));
        assertEquals(List.of(8L, 5L), List.of(kernel.lately(), kernel.shortest()));
        assertEquals(
                List.of("B.java:2", "A.java:1"),
                r.byLine().stream().map(Report.Group::name).toList());
    }

    @Test
    void ofLongTablesTheFirst40RowsAreShown() {
        Profile p = new Profile(false);
        for (int i = 10; i < 55; i++) launch(p, line("L.java:" + i), 1, 1000 * i);
        String table = report(p).toString();
        assertTrue(table.endsWith("  L.java:15\n  … and 5 more\n"), table);
    }

    @Test
    void aFullTimeLineLosesEventsButTheTablesCountOn() {
        Profile p = new Profile(true);
        for (int i = 0; i <= Profile.MOST_EVENTS; i++) p.memory(i);
        launch(p, Sources.NONE, 1, 7);
        assertEquals(Profile.MOST_EVENTS, p.events().size());
        assertEquals(Profile.MOST_EVENTS, report(p).peakBytes());
        assertEquals(7, only(p).nanos());
        String said = report(p).toString();
        assertTrue(said.contains("  3 events are not on the time line: it holds 500000\n"), said);
        p.reset();
        assertFalse(report(p).toString().contains("not on the time line"));
    }

    private void launch(Profile p, int parts) {
        Profile.Run run = p.begin(program, Sources.NONE);
        for (int i = 0; i < parts; i++) run.part(i, 1000 + i, 2000 + i, 3000 + i);
        run.launched(exp, 5, 7);
        run.end();
    }

    private static List<Event> events(Profile p, Event.Kind kind) {
        return p.events().stream().filter(e -> e.kind() == kind).toList();
    }

    @Test
    void whatWorkersDidIsBounded() {
        Profile p = new Profile(true);
        int many = Profile.MOST_PARTS / 2;
        for (int i = 0; i < 3; i++) launch(p, many);
        assertEquals(
                List.of(many * Profile.PART, many * Profile.PART, 0),
                events(p, Event.Kind.LAUNCH).stream().map(e -> e.parts().length).toList());
        assertEquals(3, only(p).calls());
        String said = report(p).toString();
        assertTrue(
                said.contains(
                        "  1 launches are on the time line without what each worker did: it holds 500000 parts\n"),
                said);
        p.reset();
        launch(p, 2);
        assertArrayEquals(
                new long[] {0, 1000, 2000, 3000, 1, 1001, 2001, 3001},
                events(p, Event.Kind.LAUNCH).getFirst().parts());
        assertFalse(report(p).toString().contains("without what each worker did"));
    }

    @Test
    void theTimeLineGivesBackWhatItWasTold() throws InterruptedException {
        Profile p = new Profile(true);
        int times = 5000; // more than a chunk of it
        for (int i = 0; i < times; i++) {
            p.memory(i);
            launch(p, i % 3);
            p.range("range " + i, i, i + 4L);
        }
        Thread other = new Thread(() -> p.compiled(17, 4, 9, true), "another");
        other.start();
        other.join();
        p.step(false);
        p.step(true);
        p.step(true);
        assertEquals(List.of(Thread.currentThread().getName(), "another"), p.threadNames());
        List<Event> launches = events(p, Event.Kind.LAUNCH);
        List<Event> runs = events(p, Event.Kind.RUN);
        List<Event> ranges = events(p, Event.Kind.RANGE);
        List<Event> memory = events(p, Event.Kind.MEMORY);
        for (int i = 0; i < times; i++) {
            assertEquals(i % 3 * Profile.PART, launches.get(i).parts().length);
            assertEquals("exp", ((Row) launches.get(i).subject()).name);
            assertEquals(
                    List.of(5L, 7L),
                    List.of(launches.get(i).start(), launches.get(i).nanos()));
            assertEquals(1, runs.get(i).value());
            assertEquals("range " + i, ranges.get(i).subject());
            assertEquals(i + 4L, ranges.get(i).end());
            assertEquals(i, memory.get(i).value());
        }
        Event compile = events(p, Event.Kind.COMPILE).getFirst();
        assertEquals(
                List.of(1, 17L, 4L, "load", 9L),
                List.of(compile.thread(), compile.start(), compile.nanos(), compile.subject(), compile.value()));
        // The step of an optimizer is none any more, since the program has marked one itself.
        assertEquals(
                List.of(0L, 1L),
                events(p, Event.Kind.STEP).stream().map(Event::value).toList());
        assertEquals(4 * times + 3, p.events().size());
        p.reset();
        assertEquals(List.of(), p.events());
        assertTrue(new Profile(false).events().isEmpty());
    }

    @Test
    void ofALongRunLaunchesCountBeforeItEnds() {
        Profile p = new Profile(true);
        Profile.Run run = p.begin(program, Sources.NONE);
        int times = 100_000;
        for (int i = 0; i < times; i++) run.launched(exp, i, i);
        long before = only(p).calls();
        assertTrue(before > times / 2 && before <= times, before + " launches");
        run.end();
        assertEquals(times, only(p).calls());
        assertEquals((long) times * (times - 1) / 2, only(p).nanos());
        List<Event> launches = events(p, Event.Kind.LAUNCH);
        for (int i = 0; i < times; i++) assertEquals(i, launches.get(i).start());
    }

    @Test
    void aLineIsTracedUntilAnotherIs() {
        Profile p = new Profile(true);
        List<String> read = new ArrayList<>();
        Object first = new Object();
        for (Object token : List.of("a", "a", "b", first, first, new Object())) {
            boolean again = !(token instanceof String);
            p.traced(token, again, () -> {
                read.add(again ? "again" : (String) token);
                return new Sources.Source(token.toString(), "", "");
            });
        }
        // Those that take long to look up are looked up when the time line is read.
        assertEquals(List.of("a", "b"), read);
        assertEquals(
                List.of("a", "b", first.toString()),
                events(p, Event.Kind.LINE).stream()
                        .limit(3)
                        .map(e -> ((Sources.Source) e.subject()).line())
                        .toList());
        assertEquals(List.of("a", "b", "again", "again"), read);
        assertEquals(4, events(p, Event.Kind.LINE).size());
    }

    /** A line that is looked up later holds on to its stack. */
    @Test
    void linesThatAreLookedUpLaterAreBounded() {
        Profile p = new Profile(true);
        List<Integer> read = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i <= Profile.MOST_UNREAD; i++) {
                int line = i;
                p.traced(new Object(), true, () -> {
                    read.add(line);
                    return new Sources.Source("A.java:" + line, "", "");
                });
            }
            assertEquals(List.of(Profile.MOST_UNREAD), read);
            assertEquals(
                    "A.java:" + Profile.MOST_UNREAD,
                    ((Sources.Source) events(p, Event.Kind.LINE).getLast().subject()).line());
            assertEquals(1 + Profile.MOST_UNREAD, read.size(), "each of them once");
            p.reset();
            read.clear();
        }
    }

    /** Lines of a run, of which the profile is told that they will be those of the run before. */
    private static Sources again(String line, List<String> read) {
        return new Sources() {
            @Override
            public Source at(int origin) {
                read.add(line);
                return new Source(line, "", "");
            }

            @Override
            public Object token(int origin) {
                return AGAIN;
            }
        };
    }

    @Test
    void linesThatWillBeThoseOfTheRunBeforeAreNotLookedUp() {
        Profile p = new Profile(false);
        List<String> read = new ArrayList<>();
        for (int i = 0; i < 3; i++) launch(p, again("A.java:" + i, read), 1, 5);
        assertEquals(List.of("A.java:0"), read);
        assertEquals("A.java:0", only(p).sources().getFirst().line());
        assertEquals(3, only(p).calls());
    }

    @Test
    void aProgramThatManyLinesRunIsToldApart() {
        Profile p = new Profile(false);
        for (int round = 0; round < 3; round++)
            for (int line = 0; line < 7; line++) launch(p, line("A.java:" + line), 1 + line, 1);
        assertEquals(
                List.of(3L, 6L, 9L, 12L, 15L, 18L, 21L),
                p.kernels().stream().map(KernelTime::calls).sorted().toList());
    }

    @Test
    void programsAreCompiledOrFound() {
        Profile p = new Profile(false);
        p.compiled(0, 5_000_000, 3, false);
        p.compiled(0, 2_000_000, 1, true);
        Report r = report(p);
        assertEquals(7_000_000, r.compileNanos());
        assertEquals(List.of(1, 1), List.of(r.programsCompiled(), r.programsLoaded()));
        String said = r.toString();
        assertTrue(said.contains("compiling, programs: 1 compiled, 1 from the cache on disk\n"), said);
    }
}
