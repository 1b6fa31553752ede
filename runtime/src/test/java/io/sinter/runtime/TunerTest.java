// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.Schedule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Canonical;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.CacheStats;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.Tier;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Forms of launches that are chosen by measuring them, kept, and found again. On the simulator what counts is instructions: the same ones always. */
class TunerTest {
    /** More than any of these programs needs. */
    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    @TempDir
    private Path folder;

    private CacheOptions cache() {
        return CacheOptions.NONE.withFolder(folder.resolve("cache"));
    }

    private Session open(Device device, Duration autotune) {
        Options options =
                Options.fromProperties().withThreads(2).withDevice(device).withCache(cache());
        Session s = device.kind() == Device.Kind.PTX_SIM
                ? Session.open(options, new SimDriver(Target.SM_80))
                : Session.open(options);
        s.autotune(autotune);
        return s;
    }

    /** A product with a long sum, another one, one equal to the first, and rows. */
    private static Graph graph() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 24, 1100));
        Node w = g.input(Type.of(DType.F32, 1100, 20));
        Node a = g.apply(new Matmul(), x, w);
        Node b = g.matmul(a, g.permute(w, 1, 0));
        Node c = g.apply(new Matmul(), b, w);
        return g.build(a, c, g.sum(g.exp(c), 1));
    }

    /** Whole numbers: sums are exact in any order, but for what is not a product. */
    private static List<RefArray> arguments(Graph g) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : g.inputs()) args.add(RefArray.of(n.type(), k -> (k * 7 % 5 - 2) / 64.0));
        return args;
    }

    private static List<RefArray> run(Session session, Graph g) {
        CompileContext context = CompileContext.of(session);
        Canonical.Key key = Canonical.of(g, Numerics.DEFAULT, session.autotune() != null);
        return ArrayRun.run(Executable.get(key, g, context, Sources.NONE), g, arguments(g), session);
    }

    private static void same(List<RefArray> a, List<RefArray> b) {
        assertEquals(a.size(), b.size());
        for (int i = 0; i < a.size(); i++) assertTrue(a.get(i).sameAs(b.get(i)), "result " + i);
    }

    private static void near(List<RefArray> a, List<RefArray> b) {
        for (int i = 0; i < a.size(); i++) {
            for (int k = 0; k < a.get(i).size(); k++) {
                double expected = a.get(i).getDouble(k);
                assertEquals(expected, b.get(i).getDouble(k), 1e-4 * Math.max(1, Math.abs(expected)), "result " + i);
            }
        }
    }

    private List<Tier.Stored> entries(CacheKey.Kind kind) throws IOException {
        return Tier.own(folder.resolve("cache")).list().stream()
                .filter(s -> s.kind() == kind)
                .toList();
    }

    private Tuning stored() throws IOException {
        List<Tier.Stored> entries = entries(CacheKey.Kind.TUNING);
        assertEquals(1, entries.size());
        return Tuning.read(Tier.read(entries.getFirst()).payload());
    }

    @ParameterizedTest
    @EnumSource(
            value = Device.Kind.class,
            names = {"JVM", "PTX_SIM"})
    void theSecondSessionMeasuresNothingAndChoosesTheSame(Device.Kind kind) throws IOException {
        Device device = kind == Device.Kind.JVM ? Device.JVM : Device.PTX_SIM;
        List<RefArray> plain;
        try (Session s = open(device, null)) {
            plain = run(s, graph());
        }
        List<RefArray> first;
        try (Session s = open(device, kind == Device.Kind.JVM ? Duration.ofSeconds(1) : LONG)) {
            first = run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
        }
        near(plain, first);
        Tuning measured = stored();
        assertEquals(kind == Device.Kind.JVM ? "ns" : "warp instructions", measured.unit());
        // What a simulator has counted is not for the GPU that it stands for.
        CacheKey key = Tier.read(entries(CacheKey.Kind.TUNING).getFirst()).key();
        assertEquals(kind == Device.Kind.PTX_SIM, key.target().contains(measured.unit()), key.target());
        Tuning.Group equal = measured.groups().stream()
                .filter(g -> g.numbers().size() == 2)
                .findFirst()
                .orElseThrow(() -> new AssertionError(measured));
        assertTrue(equal.timings().size() > 3, equal::toString);
        assertEquals("", equal.timings().getFirst().form());

        byte[] before =
                Files.readAllBytes(entries(CacheKey.Kind.TUNING).getFirst().file());
        try (Session s = open(device, LONG)) {
            same(first, run(s, graph()));
            assertEquals(0, s.counters().programsCompiled());
            assertEquals(1, s.counters().programsLoaded());
            assertEquals(0, s.counters().kernelsGenerated());
            assertEquals(0, s.counters().cache().misses());
        }
        // Without its plan the program is compiled again, in the forms that were chosen.
        for (Tier.Stored e : entries(CacheKey.Kind.PLAN)) Files.delete(e.file());
        try (Session s = open(device, LONG)) {
            same(first, run(s, graph()));
            assertEquals(1, s.counters().programsCompiled());
            assertEquals(0, s.counters().kernelsGenerated());
        }
        assertTrue(Arrays.equals(
                before,
                Files.readAllBytes(entries(CacheKey.Kind.TUNING).getFirst().file())));
        // Who does not ask for it gets what the tables say.
        try (Session s = open(device, null)) {
            same(plain, run(s, graph()));
        }
    }

    /** The table cuts this sum into parts for a GPU of many processors; the fewest instructions are those of one part. */
    @Test
    void theLeastInstructionsAreChosenAndNamedInTheKey() throws IOException {
        try (Session s = open(Device.PTX_SIM, LONG)) {
            run(s, graph());
        }
        Tuning measured = stored();
        assertFalse(measured.isTable());
        for (Tuning.Group g : measured.groups()) {
            long chosen = Long.MAX_VALUE;
            long least = Long.MAX_VALUE;
            Set<Long> costs = new HashSet<>();
            for (Tuning.Timing t : g.timings()) {
                least = Math.min(least, t.cost());
                costs.add(t.cost());
                if (t.form().equals(g.chosen())) chosen = t.cost();
            }
            assertTrue(costs.size() > 1, g::toString);
            assertTrue(0.97 * chosen <= least, g::toString);
        }
        Entry plan = Tier.read(entries(CacheKey.Kind.PLAN).getFirst());
        assertEquals(measured.numerics("matmul-highest"), plan.key().numerics());
        assertTrue(plan.key().numerics().contains("tuned"), plan.key().numerics());
        StoredPlan read = StoredPlan.read(plan.payload());
        assertEquals(
                measured.forms(),
                StoredPlan.launches(read.plan()).stream().map(read::form).toList());
    }

    /** Every form that a launch may take gives what the others give. */
    @ParameterizedTest
    @EnumSource(
            value = Device.Kind.class,
            names = {"JVM", "PTX_SIM"})
    void allFormsAreRight(Device.Kind kind) {
        Graph g = graph();
        Device device = kind == Device.Kind.JVM ? Device.JVM : Device.PTX_SIM;
        try (Session s = open(device, null)) {
            CompileContext context = CompileContext.of(s);
            StoredPlan plan = Programs.compile(g, context, Sources.NONE).plan();
            List<RefArray> plain = ArrayRun.run(Programs.linked(plan, context).executable(), g, arguments(g), s);
            List<Plan.Launch> launches = StoredPlan.launches(plan.plan());
            ParameterBlock parameters = new ParameterBlock(plan.plan(), s.hostMemory());
            int tried = 0;
            for (int i = 0; i < launches.size(); i++) {
                for (String form :
                        forms(s, plan, launches.get(i), parameters.program().blocks(i)[0])) {
                    List<String> forms =
                            new ArrayList<>(launches.stream().map(_ -> "").toList());
                    forms.set(i, form);
                    Executable e =
                            Programs.linked(plan.withForms(forms), context).executable();
                    near(plain, ArrayRun.run(e, g, arguments(g), s));
                    tried++;
                }
            }
            parameters.release();
            assertTrue(tried > 8, tried + " forms");
        }
    }

    private static List<String> forms(Session s, StoredPlan plan, Plan.Launch l, long block) {
        if (s.gpu() == null) {
            JvmKernel kernel = s.jvmKernels().get(l.kernel(), plan.codeName(l.kernel()));
            return kernel.forms(block, "");
        }
        return PtxCodegen.schedules(l.kernel(), ParameterBlock.slots(block), Target.SM_80, Numerics.DEFAULT).stream()
                .skip(1)
                .map(Schedule::text)
                .toList();
    }

    @ParameterizedTest
    @EnumSource(
            value = Device.Kind.class,
            names = {"JVM", "PTX_SIM"})
    void whatIsNoFormIsRefused(Device.Kind kind) {
        try (Session s = open(kind == Device.Kind.JVM ? Device.JVM : Device.PTX_SIM, null)) {
            CompileContext context = CompileContext.of(s);
            StoredPlan plan = Programs.compile(graph(), context, Sources.NONE).plan();
            List<String> forms =
                    StoredPlan.launches(plan.plan()).stream().map(_ -> "best").toList();
            StoredPlan formed = StoredPlan.read(plan.withForms(forms).toBytes());
            assertThrows(FormatException.class, () -> Programs.linked(formed, context));
            assertThrows(FormatException.class, () -> plan.withForms(List.of("", "")));
            List<String> library = StoredPlan.launches(plan.plan()).stream()
                    .map(_ -> Tuning.LIBRARY)
                    .toList();
            assertThrows(FormatException.class, () -> Programs.linked(plan.withForms(library), context));
        }
    }

    /** A choice that was stored for something else is a miss, and made again. */
    @Test
    void choicesThatDoNotFitAreMadeAgain() throws IOException {
        List<RefArray> first;
        try (Session s = open(Device.PTX_SIM, LONG)) {
            first = run(s, graph());
        }
        Tier.Stored entry = entries(CacheKey.Kind.TUNING).getFirst();
        Entry sound = Tier.read(entry);
        Tuning measured = Tuning.read(sound.payload());
        List<Tuning.Group> wrong = measured.groups().stream()
                .map(g -> new Tuning.Group(g.numbers(), g.kernel(), "best", g.timings()))
                .toList();
        for (Tuning bad : List.of(
                new Tuning(measured.unit(), measured.launches() + 1, measured.groups()),
                new Tuning(measured.unit(), measured.launches(), wrong))) {
            Files.delete(entry.file());
            Entry other = new Entry(sound.key(), sound.name(), sound.line(), sound.source(), bad.toBytes());
            DiskCache.open(cache(), new CacheStats())
                    .get(sound.key(), null, e -> e, () -> new DiskCache.Made<>(other, other));
            try (Session s = open(Device.PTX_SIM, LONG)) {
                same(first, run(s, graph()));
            }
        }
    }

    @Test
    void timingsAreKeptAndChoicesAloneAreInTheKey() {
        List<Tuning.Timing> timings = List.of(new Tuning.Timing("", 20), new Tuning.Timing("turned", 10));
        Tuning a = new Tuning("ns", 4, List.of(new Tuning.Group(List.of(1, 3), "matmul", "turned", timings)));
        assertEquals(a, Tuning.read(a.toBytes()));
        assertEquals(List.of("", "turned", "", "turned"), a.forms());
        Tuning slower = new Tuning(
                "ns",
                4,
                List.of(new Tuning.Group(
                        List.of(1, 3), "matmul", "turned", List.of(timings.get(1), new Tuning.Timing("", 30)))));
        assertEquals(a.numerics("strict"), slower.numerics("strict"));
        Tuning other = new Tuning("ns", 4, List.of(new Tuning.Group(List.of(1), "matmul", "turned", timings)));
        assertNotEquals(a.numerics("strict"), other.numerics("strict"));
        Tuning table = new Tuning("ns", 4, List.of(new Tuning.Group(List.of(1, 3), "matmul", "", timings)));
        assertEquals("strict", table.numerics("strict"));
        assertTrue(table.isTable());
        Random random = new Random(3);
        byte[] bytes = a.toBytes();
        for (int i = 0; i < 2000; i++) {
            byte[] changed = i % 2 == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
            if (changed.length > 0) changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            try {
                assertTrue(Tuning.read(changed).forms().size() <= 1 << 20);
            } catch (FormatException e) {
                assertFalse(e.getMessage().isEmpty());
            }
        }
    }

    /** A dump says what was measured, and shows the code of the forms that were chosen. */
    @Test
    void dumpsShowWhatWasMeasured() throws IOException {
        try (Session s = open(Device.PTX_SIM, LONG)) {
            s.dumpTo(folder.resolve("dump"));
            run(s, graph());
        }
        try (Session s = open(Device.PTX_SIM, LONG)) {
            run(s, graph());
        }
        Tuning measured = stored();
        Path dump;
        try (var programs = Files.list(folder.resolve("dump"))) {
            dump = programs.toList().getFirst();
        }
        assertEquals(
                measured.summary() + "\n" + String.join("\n", measured.lines()) + "\n",
                Files.readString(dump.resolve("tuning.txt")));
        String key = Canonical.of(graph(), Numerics.DEFAULT, true).hex();
        assertTrue(dump.getFileName().toString().endsWith(key.substring(0, 8)), dump::toString);
    }

    /** A budget that is over when the first form is up to speed, which takes 60 ms at least: what was compared with nothing does not count as measured. */
    @Test
    void whatThereWasNoTimeForIsNotMeasured() throws IOException {
        try (Session s = open(Device.JVM, Duration.ofMillis(50))) {
            run(s, graph());
        }
        Tuning measured = stored();
        assertEquals(List.of(), measured.groups());
        assertTrue(measured.isTable());
    }

    @Test
    void theBudgetMustBePositive() {
        try (Session s = open(Device.JVM, null)) {
            assertThrows(IllegalArgumentException.class, () -> s.autotune(Duration.ZERO));
            assertThrows(IllegalArgumentException.class, () -> s.autotune(Duration.ofSeconds(-1)));
        }
    }
}
