// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Numerics;
import io.sinter.runtime.dump.ProgramDump;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;

/**
 * What a program is compiled for.
 *
 * @param session whose memory, threads and counters it will use
 * @param device where it will run
 * @param backend how it will be executed
 * @param numerics what the user has chosen about rounding
 * @param autotune how long forms of the program's kernels may be measured to choose among them; null to leave the choice to the tables. Only generated
 *     code has forms
 */
public record CompileContext(
        Session session, Device device, Options.Backend backend, Numerics numerics, Duration autotune) {
    public CompileContext {
        Objects.requireNonNull(session, "session");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(numerics, "numerics");
    }

    /** What a dump says of this. */
    ProgramDump.Target target() {
        boolean vectors = device.kind() == Device.Kind.JVM && backend == Options.Backend.GENERATED;
        int bits = vectors ? io.sinter.codegen.jvm.Options.preferred().vectorBits() : 0;
        Gpu gpu = backend == Options.Backend.GENERATED ? session.gpu() : null;
        return new ProgramDump.Target(
                device.toString(),
                backend.name().toLowerCase(Locale.ROOT),
                bits,
                gpu == null ? null : gpu.modules().target(),
                numerics);
    }

    /** For the session's own device, backend and numerics. */
    public static CompileContext of(Session session) {
        return new CompileContext(
                session, session.device(), session.options().backend(), session.numerics(), session.autotune());
    }

    /** With kernels' forms chosen by measuring them so long; or left to the tables (null). */
    public CompileContext withAutotune(Duration value) {
        return new CompileContext(session, device, backend, numerics, value);
    }

    /** Whether forms are to be measured. */
    boolean tunes() {
        return autotune != null && backend == Options.Backend.GENERATED;
    }
}
