// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

/** State spaces of variables and addresses. */
public enum Space {
    /** Any of global, shared, local and constant memory, told apart by the 64-bit address. */
    GENERIC(""),
    REG("reg"),
    CONST("const"),
    GLOBAL("global"),
    LOCAL("local"),
    PARAM("param"),
    /** The shared memory of the executing CTA. */
    SHARED("shared"),
    SHARED_CTA("shared::cta"),
    /** The shared memory of all CTAs of the cluster. */
    SHARED_CLUSTER("shared::cluster");

    private final String text;

    Space(String text) {
        this.text = text;
    }

    /** The space of a name without its dot; null if there is none. */
    public static Space find(String name) {
        for (Space s : values()) if (s != GENERIC && s.text.equals(name)) return s;
        return null;
    }

    /** Whether this is shared memory, of the CTA or of the cluster. */
    public boolean isShared() {
        return this == SHARED || this == SHARED_CTA || this == SHARED_CLUSTER;
    }

    /** The name as a modifier: with its dot, and empty for generic addresses. */
    public String modifier() {
        return this == GENERIC ? "" : "." + text;
    }

    @Override
    public String toString() {
        return this == GENERIC ? "generic" : text;
    }
}
