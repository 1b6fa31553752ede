// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.Profile;
import io.sinter.runtime.profile.Site;
import jdk.jfr.FlightRecorder;

/** A run of a program as the session's profile and the Flight Recorder see it; where neither looks, nothing. */
final class RunTiming {
    private final Profile.Run profile;
    private final Executable program;
    private final Sources sources;

    /** Null while no Flight Recorder runs. */
    private final Events.Run event = FlightRecorder.isInitialized() ? new Events.Run() : null;

    private RunTiming(Profile.Run profile, Executable program, Sources sources) {
        this.profile = profile;
        this.program = program;
        this.sources = sources;
        if (event != null) event.begin();
    }

    /** A run begins. */
    static RunTiming begin(Session session, Executable program, Sources sources) {
        Profile p = session.profile();
        return new RunTiming(p == null ? null : p.begin(program.sites(), sources), program, sources);
    }

    /** The launches to come run on {@code team}. */
    void on(WorkerPool.Team team) {
        team.watch(profile != null && profile.hasTimeline() ? profile::part : null);
    }

    /** Whether a profile wants times. */
    boolean timed() {
        return profile != null;
    }

    /** When what runs next began; 0 if nobody asks. */
    long start() {
        return profile == null ? 0 : System.nanoTime();
    }

    /** What began at {@code start} has ended. */
    void launched(Site site, long start) {
        if (profile == null) return;
        profile.launched(site, start, System.nanoTime() - start);
    }

    /** A launch has taken so long, by the device's clock. */
    void launched(Site site, long start, long nanos) {
        profile.launched(site, start, nanos);
    }

    Sources sources() {
        return sources;
    }

    /** The run ends, well or not. */
    void end() {
        if (profile != null) profile.end();
        if (event != null && event.shouldCommit()) {
            event.program = program.sites().number();
            event.kernels = program.kernels();
            event.commit();
        }
    }
}
