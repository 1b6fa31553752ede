// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.Options;
import io.sinter.codegen.jvm.SharedClass;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.DiskCache;
import java.util.List;

/** What a session keeps of its programs on disk, and for which other devices they are compiled. */
final class SessionCache {
    private final Session session;
    private volatile DiskCache disk;
    /** For code that belongs to no program. */
    private final JvmCode uncounted = new JvmCode(Options.preferred(), new Counters(), this::uncountedDisk);

    /** For look-ups that are only practice. */
    private final JvmCode practice = new JvmCode(Options.preferred(), new Counters(), this::unusedDisk);

    private volatile List<CrossCompiler> crossCompilers = List.of();

    SessionCache(Session session) {
        this.session = session;
    }

    /** See {@link Session#cache}. */
    void open(CacheOptions where) {
        List<Target> targets = where.warm().stream().map(Target::parse).toList();
        DiskCache before = disk;
        disk = DiskCache.open(where, session.counters().cache);
        if (before != null) before.flush();
        if (disk == null) SharedClass.keepNoLongerIn(uncounted);
        else SharedClass.keepIn(uncounted);
        crossCompilers = List.of();
        if (targets.isEmpty()) return;
        DiskCache forOthers = where.folder() == null ? null : uncountedDisk();
        if (forOthers == null) {
            System.getLogger("io.sinter.cache")
                    .log(System.Logger.Level.WARNING, "nothing is compiled for {0}: there is no cache", targets);
            return;
        }
        crossCompilers = targets.stream()
                .map(t -> new CrossCompiler(session, t, forOthers))
                .toList();
    }

    /** Compiled programs, or null. */
    DiskCache disk() {
        return disk;
    }

    private DiskCache uncountedDisk() {
        DiskCache now = disk;
        return now == null ? null : now.uncounted();
    }

    private DiskCache unusedDisk() {
        DiskCache now = disk;
        return now == null ? null : now.unused();
    }

    /** Makes code that nobody uses: {@link #uncounted}, and what is found is no younger by it. */
    JvmCode practice() {
        return practice;
    }

    /** Makes code that belongs to no program: the same files, counted nowhere. */
    JvmCode uncounted() {
        return uncounted;
    }

    /** For which other devices programs are compiled, too. */
    List<CrossCompiler> crossCompilers() {
        return crossCompilers;
    }

    /** Writes what is not written yet. */
    void close() {
        SharedClass.keepNoLongerIn(uncounted);
        if (disk != null) disk.flush();
    }
}
