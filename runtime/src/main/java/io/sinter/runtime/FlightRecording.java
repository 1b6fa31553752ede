// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.cache.DiskCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Name;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;

/** A recording of the JDK's Flight Recorder with all that Sinter tells it, from when it is made until it is stopped. Close it. */
public final class FlightRecording implements AutoCloseable {
    private final Recording recording = new Recording();

    public FlightRecording() {
        recording.setName("Sinter");
        for (String e : events()) recording.enable(e).withoutThreshold();
        recording.start();
    }

    /** Names of Sinter's events. */
    private static List<String> events() {
        return Stream.concat(
                        Arrays.stream(Events.class.getDeclaredClasses())
                                .map(c -> c.getAnnotation(Name.class).value()),
                        Stream.of(DiskCache.LOOKUP_EVENT))
                .sorted()
                .toList();
    }

    /** What happens from now on is not recorded. */
    public void stop() {
        if (recording.getState() == RecordingState.RUNNING) recording.stop();
    }

    /** Writes what has been recorded, for JDK Mission Control. */
    public void dump(Path file) throws IOException {
        recording.dump(file);
    }

    @Override
    public void close() {
        recording.close();
    }
}
