// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What the cache tells the Flight Recorder. */
final class CacheEvents {
    private CacheEvents() {}

    @Name(DiskCache.LOOKUP_EVENT)
    @Label("Cache Looked Up")
    @Description("An entry was looked for, read, verified, and (a class) defined")
    @Category("Sinter")
    @StackTrace(false)
    static final class Lookup extends Event {
        @Label("Kind")
        String kind;

        @Label("Key")
        @Description(
                "Its first digits, as sinter cache ls shows them and why takes them: the recorder writes texts character by character")
        String key;

        @Label("Hit")
        boolean hit;

        @Label("From the Shared Tier")
        boolean shared;
    }
}
