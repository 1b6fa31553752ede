// SPDX-License-Identifier: Apache-2.0
package io.sinter;

/** What happens while a function is traced for {@link Sinter#compile}. */
final class Recording {
    void wrote(Storage s) {}

    void reads(Tensor x, Value v) {}
}
