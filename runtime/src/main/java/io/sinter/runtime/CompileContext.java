// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.Objects;

/**
 * What a program is compiled for.
 *
 * @param session whose memory, threads and counters it will use
 * @param device where it will run
 * @param backend how it will be executed
 */
public record CompileContext(Session session, Device device, Options.Backend backend) {
    public CompileContext {
        Objects.requireNonNull(session, "session");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(backend, "backend");
    }

    /** For the session's own device and backend. */
    public static CompileContext of(Session session) {
        return new CompileContext(session, session.device(), session.options().backend());
    }
}
