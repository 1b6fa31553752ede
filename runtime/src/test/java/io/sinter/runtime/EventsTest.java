// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
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
        assertEquals(1, events.get("io.sinter.Generate").size());
        List<RecordedEvent> launches = events.get("io.sinter.Launch");
        assertEquals(
                List.of("exp", "exp"),
                launches.stream().map(e -> e.getString("kernel")).toList());
        assertTrue(events.get("io.sinter.Allocation").stream().anyMatch(e -> e.getLong("bytes") == 20));
    }
}
