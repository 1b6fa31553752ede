// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.List;

/**
 * One execution of a program. On the JVM it is complete when it is returned, and its errors have been thrown.
 *
 * @param results the results' memory in order: fresh buffers, or an argument's own buffer where the result was donated or is an argument passed
 *     through. A result that is listed twice is one buffer
 */
public record Run(List<Buffer> results) {
    public Run {
        results = List.copyOf(results);
    }

    public Buffer result(int index) {
        return results.get(index);
    }
}
