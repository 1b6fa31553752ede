// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** The process's session, opened from the system properties when first asked for and never closed. */
final class SharedSession {
    private static final Session INSTANCE;
    /** Why there is none, which everybody is told who asks for it; null if there is one. */
    private static final RuntimeException FAILURE;

    static {
        Session opened = null;
        RuntimeException failure = null;
        try {
            opened = Session.open(Options.fromProperties());
        } catch (RuntimeException e) {
            failure = e;
        }
        INSTANCE = opened;
        FAILURE = failure;
        if (opened != null) opened.reportAtExit();
    }

    private SharedSession() {}

    /** @throws SettingException if there is none, as a system property says what it cannot say */
    static Session get() {
        if (FAILURE != null) throw FAILURE;
        return INSTANCE;
    }
}
