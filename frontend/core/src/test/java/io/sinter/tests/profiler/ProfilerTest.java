// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.profiler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.LSTM;
import io.sinter.optim.AdamW;
import io.sinter.profiler.Profiler;
import io.sinter.profiler.ProfilerOptions;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Report;
import io.sinter.tests.Small;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a profiler knows of training steps. Times themselves are not asserted. */
class ProfilerTest {
    private static final ProfilerOptions OPTIONS = ProfilerOptions.DEFAULT.withPeaks(false);

    /** A network in training. */
    private static final class Training {
        final Small net = new Small();
        final AdamW optimizer = new AdamW(net.parameters(), 1e-2);
        final Tensor x = Tensor.randn(8, 6);
        final Tensor y = Tensor.randn(8, 3);

        float step() {
            optimizer.zeroGrad();
            Tensor loss = F.mseLoss(net.call(x), y);
            loss.backward();
            optimizer.step();
            return (float) loss.item();
        }
    }

    private static void in(Device device, Consumer<Session> work) {
        in(Options.fromProperties().withDevice(device).withBackend(Options.Backend.GENERATED), work);
    }

    private static void in(Options options, Consumer<Session> work) {
        Sinter.flush();
        try (Session session = Session.open(options);
                var _ = session.use()) {
            Sinter.manualSeed(7);
            work.accept(session);
            Sinter.flush();
        }
    }

    private static Report steps(int n) {
        Training t = new Training();
        try (Profiler p = Profiler.start(OPTIONS)) {
            for (int i = 0; i < n; i++) t.step();
            return p.report();
        }
    }

    private static List<String> names(List<Report.Group> groups) {
        return groups.stream().map(Report.Group::name).toList();
    }

    @Test
    void kernelsAreKnownByPartOfTheNetworkAndByLine() {
        in(Device.JVM, _ -> {
            Report r = steps(3);
            assertEquals(3, r.steps());
            List<String> modules = names(r.byModule());
            for (String part : List.of("up", "down"))
                for (int b = 0; b < 2; b++)
                    assertTrue(modules.contains("Small: blocks." + b + "." + part), modules.toString());
            assertTrue(modules.contains("Small: head"), modules.toString());
            List<String> lines = names(r.byLine());
            assertTrue(lines.stream().anyMatch(l -> l.matches("Small\\.java:\\d+ \\(forward\\)")), lines.toString());
            assertTrue(
                    lines.stream().anyMatch(l -> l.matches("ProfilerTest\\.java:\\d+ \\(step\\)")), lines.toString());
            assertFalse(lines.contains("(unknown)"), lines.toString());
            // Each way of adding up comes to the same.
            for (List<Report.Group> groups : List.of(r.byKernel(), r.byModule(), r.byLine())) {
                assertEquals(
                        r.kernelNanos(),
                        groups.stream().mapToDouble(Report.Group::nanos).sum(),
                        1);
            }
            for (KernelTime k : r.kernels()) {
                assertEquals(0, k.calls() % 3, k.toString());
                assertTrue(
                        k.shortest() <= k.lately() && k.nanos() > 0 && k.work().bytes() > 0, k.toString());
            }
            assertTrue(r.kernelNanos() < r.wallNanos());
            assertEquals(1, r.programsCompiled());
            assertTrue(r.peakBytes() > 8 * 6 * 4, r.peakBytes() + " bytes");
            // Weights' gradient of the first layer: 2 · 8 · 6 · 12 operations.
            assertTrue(r.kernels().stream().anyMatch(k -> k.work().flops() == 2 * 8 * 6 * 12), r.toString());
        });
    }

    @Test
    void aProfilerChangesNoResultAndNoProgram() {
        List<List<Float>> losses = new ArrayList<>();
        List<Long> compiled = new ArrayList<>();
        for (boolean profiled : new boolean[] {false, true}) {
            in(Device.JVM, session -> {
                List<Float> l = new ArrayList<>();
                Training t = new Training();
                Profiler p = profiled ? Profiler.start(OPTIONS) : null;
                for (int i = 0; i < 4; i++) l.add(t.step());
                if (p != null) p.close();
                for (int i = 0; i < 2; i++) l.add(t.step());
                losses.add(l);
                compiled.add(session.counters().programsCompiled());
                assertFalse(Session.isProfiling());
            });
        }
        assertEquals(losses.get(0), losses.get(1));
        assertEquals(compiled.get(0), compiled.get(1));
    }

    @Test
    void aScheduleRecordsItsActiveSteps() {
        in(Device.JVM, session -> {
            Training t = new Training();
            List<Integer> steps = new ArrayList<>();
            List<Long> most = new ArrayList<>();
            ProfilerOptions options = OPTIONS.withSchedule(1, 1, 2, 2).withOnReady(p -> {
                Report r = p.report();
                steps.add(r.steps());
                most.add(r.kernels().stream().mapToLong(KernelTime::calls).max().orElse(0));
                assertEquals(0, r.programsCompiled(), "compiled before");
            });
            List<Boolean> on = new ArrayList<>();
            try (Profiler p = Profiler.start(options)) {
                for (int i = 0; i < 10; i++) {
                    on.add(session.profile() != null);
                    t.step();
                    p.step();
                }
            }
            assertEquals(List.of(false, true, true, true, false, true, true, true, false, false), on);
            assertEquals(List.of(2, 2), steps);
            assertEquals(List.of(2L, 2L), most);
        });
    }

    @Test
    void aCycleThatIsCutOffIsReadyWhenTheProfilerIsClosed() {
        in(Device.JVM, _ -> {
            Training t = new Training();
            List<Integer> steps = new ArrayList<>();
            ProfilerOptions options = OPTIONS.withSchedule(0, 1, 5, 0)
                    .withOnReady(p -> steps.add(p.report().steps()));
            try (Profiler p = Profiler.start(options)) {
                for (int i = 0; i < 3; i++) {
                    t.step();
                    p.step();
                }
            }
            assertEquals(List.of(2), steps);
        });
    }

    @Test
    void theSimulatorsKernelsAreCountedToo() {
        in(Device.PTX_SIM, _ -> {
            LSTM lstm = new LSTM(4, 4);
            Tensor x = Tensor.randn(5, 2, 4);
            lstm.call(x).sum().item(); // compiles
            try (Profiler p = Profiler.start(OPTIONS)) {
                lstm.call(x).sum().item();
                Report r = p.report();
                // Of the body, each kernel ran once for each of five steps.
                assertEquals(
                        new TreeSet<>(List.of(1L, 5L)),
                        r.kernels().stream().map(KernelTime::calls).collect(Collectors.toCollection(TreeSet::new)),
                        r.toString());
                assertTrue(r.toString().contains("times of kernels are the host's, for simulating them"), r.toString());
                assertTrue(r.kernelNanos() > 0 && r.kernelNanos() < r.wallNanos());
                assertTrue(names(r.byModule()).toString().contains("LSTM"), r.toString());
            }
        });
    }

    @Test
    void linesAreKnownOfProgramsFromTheCacheOnDisk(@TempDir Path folder) {
        Options options = Options.fromProperties().withDevice(Device.JVM).withBackend(Options.Backend.GENERATED);
        Options cached = options.withCache(options.cache().withFolder(folder.toString()));
        List<List<String>> lines = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            boolean warm = i == 1;
            in(cached, _ -> {
                Report r = steps(2);
                assertEquals(warm ? 1 : 0, r.programsLoaded());
                assertEquals(warm ? 0 : 1, r.programsCompiled());
                lines.add(names(r.byLine()).stream().sorted().toList());
            });
        }
        assertEquals(lines.get(0), lines.get(1));
        assertFalse(lines.get(0).contains("(unknown)"));
    }

    @Test
    void linesAreKnownOfCompiledFunctions() {
        in(Device.JVM, _ -> {
            Tensor w = Tensor.randn(16, 16);
            var f = Sinter.compile((Tensor x) -> x.matmul(w).relu());
            Tensor x = Tensor.randn(4, 16);
            f.apply(x).toDoubles();
            try (Profiler p = Profiler.start(OPTIONS)) {
                f.apply(x).toDoubles();
                assertTrue(names(p.report().byLine()).getFirst().startsWith("ProfilerTest.java:"), p.table());
            }
        });
    }

    /** The same network called from two places is one program, and two lines. */
    @Test
    void onePlanFromTwoLinesIsToldApart() {
        in(Device.JVM, session -> {
            Tensor x = Tensor.randn(32);
            try (Profiler p = Profiler.start(OPTIONS)) {
                for (int i = 0; i < 2; i++) x.exp().toDoubles();
                x.exp().toDoubles();
                assertEquals(1, session.counters().programsCompiled());
                List<Report.Group> lines = p.report().byLine();
                assertEquals(2, lines.size(), p.table());
                assertEquals(3, lines.stream().mapToDouble(Report.Group::calls).sum());
            }
        });
    }

    @Test
    void rangesAndWrongUse(@TempDir Path folder) throws IOException {
        in(Device.JVM, session -> {
            try (var _ = Profiler.range("nobody listens")) {
                assertNull(session.profile());
            }
            try (Profiler p = Profiler.start(OPTIONS)) {
                IllegalStateException e = assertThrows(IllegalStateException.class, Profiler::start);
                assertTrue(e.getMessage().contains("being profiled already"), e.getMessage());
                try (var _ = Profiler.range("a range")) {
                    Tensor.randn(3).exp().toDoubles();
                }
                Path json = folder.resolve("p.json");
                p.write(json);
                assertTrue(read(json).contains("\"a range\""));
                assertThrows(IllegalStateException.class, () -> p.write(folder.resolve("p.jfr")));
                IllegalArgumentException ending =
                        assertThrows(IllegalArgumentException.class, () -> p.write(folder.resolve("p.csv")));
                assertTrue(ending.getMessage().contains(".json")
                        && ending.getMessage().contains("p.csv"));
            }
            assertThrows(IllegalArgumentException.class, () -> OPTIONS.withFile(Path.of("x")));
            assertThrows(IllegalArgumentException.class, () -> OPTIONS.withSchedule(1, 0, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> OPTIONS.withSchedule(-1, 0, 1, 0));
        });
    }

    @Test
    void filesOfFurtherCyclesAreNumbered(@TempDir Path folder) {
        in(Device.JVM, _ -> {
            Tensor x = Tensor.randn(3);
            try (Profiler p = Profiler.start(OPTIONS.withSchedule(0, 0, 1, 3)
                    .withFile(folder.resolve("a").resolve("p.txt")))) {
                for (int i = 0; i < 5; i++) {
                    x.exp().toDoubles();
                    p.step();
                }
            }
            for (String name : List.of("p.txt", "p-2.txt", "p-3.txt"))
                assertTrue(read(folder.resolve("a").resolve(name)).contains("steps: 1 on jvm"), name);
            assertFalse(Files.exists(folder.resolve("a").resolve("p-4.txt")));
        });
    }

    @Test
    void peaksAreMeasuredAndKernelsComparedWithThem() {
        in(
                Options.fromProperties()
                        .withDevice(Device.JVM)
                        .withBackend(Options.Backend.GENERATED)
                        .withThreads(1),
                _ -> {
                    Tensor x = Tensor.randn(64, 64);
                    try (Profiler p = Profiler.start()) {
                        x.matmul(x).toDoubles();
                        Report r = p.report();
                        assertTrue(r.machine().peaks().bytesPerSecond() > 1e8, r.toString());
                        assertTrue(r.byKernel().getFirst().roofline() > 0, r.toString());
                        assertTrue(r.toString().contains("measured peaks: "), r.toString());
                        assertEquals(r.machine().peaks(), p.report().machine().peaks(), "measured once");
                    }
                });
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
