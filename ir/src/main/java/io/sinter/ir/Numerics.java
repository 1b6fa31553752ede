// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import java.util.Locale;
import java.util.Objects;

/**
 * What the user may choose about how a program rounds: in every key of programs.
 *
 * @param products how exactly products of f32 multiply
 * @param deterministic whether sums are added up in one order always, whatever runs when: so every run gives the same bits
 */
public record Numerics(MatmulPrecision products, boolean deterministic) {
    /** What holds unless the user says otherwise. */
    public static final Numerics DEFAULT = new Numerics(MatmulPrecision.HIGHEST, true);

    public Numerics {
        Objects.requireNonNull(products, "products");
    }

    public Numerics withProducts(MatmulPrecision p) {
        return new Numerics(p, deterministic);
    }

    public Numerics withDeterministic(boolean on) {
        return new Numerics(products, on);
    }

    /** As keys have it: equal choices, equal texts. */
    @Override
    public String toString() {
        return "matmul-" + products.name().toLowerCase(Locale.ROOT) + (deterministic ? "" : "-any-order");
    }
}
