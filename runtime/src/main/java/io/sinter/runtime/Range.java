// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.profile.Profile;
import jdk.jfr.FlightRecorder;

/** A range of time that the user has named: see {@link Session#range}. */
public final class Range implements AutoCloseable {
    private final Session session;
    private final String name;
    /** Null while no Flight Recorder runs. */
    private final Events.Ranged event = FlightRecorder.isInitialized() ? new Events.Ranged() : null;

    private final long start = System.nanoTime();

    Range(Session session, String name) {
        this.session = session;
        this.name = name;
        if (event != null) event.begin();
    }

    @Override
    public void close() {
        Profile profile = session.profile();
        if (profile != null) profile.range(name, start, System.nanoTime());
        if (event != null && event.shouldCommit()) {
            event.name = name;
            event.commit();
        }
    }
}
