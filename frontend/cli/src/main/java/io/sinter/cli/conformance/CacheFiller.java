// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.runtime.Session;
import java.nio.file.Path;

/** A process of {@link CacheCrashCommand}: compiles programs into a cache, and says whether their results are right. */
final class CacheFiller {
    static final String BEGINS = "begins";
    static final String STORED = "stored ";
    static final String WRONG = "wrong ";

    private CacheFiller() {}

    /** @param args the cache's folder; how many programs */
    public static void main(String[] args) {
        int programs = Integer.parseInt(args[1]);
        double[][] expected = programs > 100 ? null : CachePrograms.expected(programs);
        System.out.println(BEGINS);
        System.out.flush();
        try (Session s = CachePrograms.open(Path.of(args[0]));
                var _ = s.use()) {
            for (int n = 0; n < programs; n++) {
                if (expected == null) {
                    CachePrograms.run(n);
                    continue;
                }
                String problem = CachePrograms.check(n, expected[n]);
                if (problem != null) System.out.println(WRONG + problem);
            }
            System.out.println(STORED + s.counters().cache().stored());
        }
    }
}
