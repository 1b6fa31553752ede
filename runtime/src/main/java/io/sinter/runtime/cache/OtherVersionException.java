// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.FormatException;

/** An entry that another version of Sinter has written: it is not damaged, and that version may still find it. */
public final class OtherVersionException extends FormatException {
    private static final long serialVersionUID = 1L;

    OtherVersionException(int schema) {
        super("of another version of Sinter (schema " + schema + ", here " + CacheKey.SCHEMA + ")");
    }
}
