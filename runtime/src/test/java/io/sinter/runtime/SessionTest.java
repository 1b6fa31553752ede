// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.profile.Profile;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class SessionTest {
    @Test
    void deviceNames() {
        assertEquals(Device.JVM, Device.parse("jvm"));
        assertEquals("jvm", Device.JVM.toString());
        assertEquals("cuda:1", new Device(Device.Kind.CUDA, 1).toString());
        assertTrue(Device.available().contains(Device.best()));
        for (String bad : List.of("gpu", "", "cuda:x", "cuda:-1", "jvm:1", "cuda:1:2")) {
            assertThrows(IllegalArgumentException.class, () -> Device.parse(bad), bad);
        }
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Device.parse("cuda:7"));
        assertTrue(e.getMessage().contains("not available") && e.getMessage().contains("jvm"), e.getMessage());
    }

    @Test
    void useBindsForTheThreadAndNests() throws InterruptedException {
        Session shared = Session.current();
        try (Session a = Session.open(Options.fromProperties());
                Session b = Session.open(Options.fromProperties())) {
            try (var _ = a.use()) {
                assertSame(a, Session.current());
                try (var _ = b.use()) {
                    assertSame(b, Session.current());
                }
                assertSame(a, Session.current());
                List<Session> seen = new ArrayList<>();
                Thread t = new Thread(() -> seen.add(Session.current()));
                t.start();
                t.join();
                assertSame(shared, seen.getFirst());
            }
        }
        assertSame(shared, Session.current());
    }

    @Test
    void attachmentsAreMadeOncePerSession() {
        try (Session a = Session.open(Options.fromProperties());
                Session b = Session.open(Options.fromProperties())) {
            StringBuilder x = a.attached(StringBuilder.class, _ -> new StringBuilder());
            assertSame(x, a.attached(StringBuilder.class, _ -> new StringBuilder()));
            assertNotSame(x, b.attached(StringBuilder.class, _ -> new StringBuilder()));
        }
    }

    @Test
    void closedSessionsSaySo() {
        Session s = Session.open(Options.fromProperties());
        s.close();
        s.close();
        assertThrows(IllegalStateException.class, () -> s.allocator().allocate(1));
        assertThrows(IllegalStateException.class, s::use);
    }

    /** A run that is found wrong when a profile or the session ends is an error then, and ends neither less. */
    @Test
    void pendingErrorsKeepNothingOpen() {
        GraphBuilder g = new GraphBuilder();
        Graph graph = g.build(g.apply(new Take(0), g.input(Type.of(DType.F32, 4)), g.input(Type.of(DType.I64, 1))));
        Session s = Session.open(Options.fromProperties().withDevice(Device.PTX_SIM));
        Executable take = Executable.compile(graph, CompileContext.of(s));
        Buffer x = s.allocator().allocate(16);
        Buffer index = s.allocator().allocate(8);
        Elements.store(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4), x);
        Elements.store(RefArray.ofLongs(DType.I64, Shape.of(1), 4), index);

        s.profileInto(new Profile(false));
        take.run(List.of(x, index));
        assertThrows(IndexError.class, () -> s.profileInto(null));
        assertNull(s.profile());

        s.profileInto(new Profile(false));
        take.run(List.of(x, index));
        assertThrows(IndexError.class, s::close);
        assertTrue(x.isReleased());
        assertFalse(Session.isProfiling());
    }

    /** What the frontend asks at every node is true for as long as somebody looks, however many do and whoever of them ends first. */
    @Test
    void whoLooksIsCounted() {
        List<Boolean> seen = new ArrayList<>();
        try (Session one = Session.open(Options.fromProperties());
                Session two = Session.open(Options.fromProperties())) {
            long profiles = Session.profiles();
            one.profileInto(new Profile(false));
            assertTrue(Session.isProfiling());
            assertFalse(Session.keepsTimeline());
            two.profileInto(new Profile(true));
            assertTrue(Session.keepsTimeline());
            one.profileInto(null);
            assertTrue(Session.isProfiling() && Session.keepsTimeline());
            two.profileInto(null);
            assertFalse(Session.isProfiling() || Session.keepsTimeline());
            assertEquals(profiles + 2, Session.profiles());

            seen.add(Session.tracksSources());
            one.check(Checks.NONE.withNan(true));
            one.logRecompiles(_ -> {});
            two.logRecompiles(_ -> {});
            seen.add(Session.tracksSources());
            two.logRecompiles(null);
            one.check(Checks.NONE);
            seen.add(Session.tracksSources());
        }
        seen.add(Session.tracksSources());
        assertEquals(List.of(false, true, true, false), seen);
    }

    /** With {@code -Dsinter.profile=true} a session records from the start, and prints its tables when it is closed. */
    @Test
    void aJvmCanBeAskedForProfiles() {
        PrintStream before = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setProperty("sinter.profile", "true");
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try (Session s =
                Session.open(Options.fromProperties().withDevice(Device.JVM).withBackend(Options.Backend.GENERATED))) {
            GraphBuilder g = new GraphBuilder();
            Executable exp = Executable.compile(g.build(g.exp(g.input(Type.of(DType.F32, 5)))), CompileContext.of(s));
            Buffer b = s.allocator().allocate(20);
            Memory.fill(b.address(), 20, (byte) 0);
            for (int i = 0; i < 2; i++) exp.run(List.of(b));
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> s.profileInto(new Profile(false)));
            assertTrue(e.getMessage().contains("by -Dsinter.profile=true"), e.getMessage());
        } finally {
            System.clearProperty("sinter.profile");
            System.setErr(before);
        }
        String said = printed.toString(StandardCharsets.UTF_8);
        assertTrue(said.contains(" on jvm, threads: "), said);
        assertTrue(Pattern.compile("\n {7}2 .*  exp").matcher(said).find(), said);
    }

    @Test
    void optionsAreChecked() {
        Options o = Options.fromProperties();
        assertThrows(IllegalArgumentException.class, () -> o.withThreads(0));
        assertThrows(IllegalArgumentException.class, () -> o.withMemoryLimit(0));
        assertThrows(IllegalArgumentException.class, () -> o.withCachedPrograms(0));
        assertEquals(3, o.withThreads(3).threads());
    }
}
