// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Canonical;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventsTest {
    @TempDir
    Path folder;

    @Test
    void theFlightRecorderSeesCompilesLaunchesAndAllocations() throws IOException {
        Path file = folder.resolve("sinter.jfr");
        try (Session session = Session.open(Options.fromProperties().withBackend(Options.Backend.GENERATED));
                Recording recording = new Recording()) {
            for (Class<? extends jdk.jfr.Event> e : List.of(
                    Events.Compile.class, Events.Generate.class, Events.Launch.class, Events.Allocation.class)) {
                recording.enable(e);
            }
            recording.start();
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, 5));
            Executable e = Executable.compile(g.build(g.exp(x)), CompileContext.of(session));
            Buffer b = session.allocator().allocate(20);
            Memory.fill(b.address(), 20, (byte) 0);
            e.run(List.of(b));
            e.run(List.of(b));
            recording.stop();
            recording.dump(file);
        }
        var events = RecordingFile.readAllEvents(file).stream()
                .collect(Collectors.groupingBy(e -> e.getEventType().getName()));
        assertEquals(1, events.get("io.sinter.Compile").size());
        // (Another one may be the process's first kernel, which is made in the background.)
        assertEquals(
                1,
                events.get("io.sinter.Generate").stream()
                        .filter(e -> e.getString("kernel").equals("exp"))
                        .count());
        List<RecordedEvent> launches = events.get("io.sinter.Launch");
        assertEquals(
                List.of("exp", "exp"),
                launches.stream().map(e -> e.getString("kernel")).toList());
        assertTrue(events.get("io.sinter.Allocation").stream().anyMatch(e -> e.getLong("bytes") == 20));
    }

    /** The stages of a start from the cache on disk: look-up, reading a program, verifying and defining its kernels. */
    @Test
    void theFlightRecorderSeesWhatTheCacheDoes() throws IOException {
        Options options = Options.fromProperties()
                .withDevice(Device.JVM)
                .withBackend(Options.Backend.GENERATED)
                .withCache(CacheOptions.NONE.withFolder(folder.resolve("cache")));
        GraphBuilder g = new GraphBuilder();
        Graph graph = g.build(g.exp(g.input(Type.of(DType.F32, 5))));
        Path file = folder.resolve("cache.jfr");
        try (Recording recording = new Recording()) {
            for (String name : List.of("CacheLookup", "Load", "Verify", "Define", "Generate", "Compile"))
                recording.enable("io.sinter." + name).withoutThreshold();
            recording.start();
            for (int i = 0; i < 2; i++) {
                try (Session session = Session.open(options)) {
                    Executable.get(Canonical.of(graph), graph, CompileContext.of(session), Sources.NONE);
                }
            }
            recording.stop();
            recording.dump(file);
        }
        var events = RecordingFile.readAllEvents(file).stream()
                .collect(Collectors.groupingBy(e -> e.getEventType().getName()));
        var plans = events.get("io.sinter.CacheLookup").stream()
                .filter(e -> e.getString("kind").equals("plan"))
                .toList();
        assertEquals(
                List.of(false, true),
                plans.stream().map(e -> e.getBoolean("hit")).toList());
        assertTrue(plans.getFirst().getString("key").matches("[0-9a-f]{12}"));
        assertEquals(1, events.get("io.sinter.Compile").size());
        RecordedEvent load = events.get("io.sinter.Load").getFirst();
        assertEquals(1, load.getInt("kernels"));
        assertTrue(load.getLong("bytes") > 0);
        assertTrue(events.get("io.sinter.Verify").size() >= 1);
        assertTrue(events.get("io.sinter.Define").size() >= 1);
    }
}
