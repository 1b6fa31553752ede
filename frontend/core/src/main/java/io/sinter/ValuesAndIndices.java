// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.List;

/**
 * Elements and where they were found.
 *
 * @param values the elements
 * @param indices their positions along the axis: i64
 */
public record ValuesAndIndices(Tensor values, Tensor indices) {
    static ValuesAndIndices of(List<Tensor> both) {
        return new ValuesAndIndices(both.get(0), both.get(1));
    }
}
