// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Matrix products of f32 by fused multiply-adds, to the bit: every sum goes along k, whatever the tiles are. */
final class ProductModel {
    private ProductModel() {}

    /**
     * {@code a[1,m,k] · b[1,k,n…] + bias[n]}.
     *
     * @param parts of each sum, which are added up in their order
     * @param depth elements of a part are a multiple of this
     */
    static RefArray inParts(List<RefArray> in, int parts, int depth) {
        RefArray a = in.get(0);
        RefArray b = in.get(1);
        RefArray bias = in.get(2);
        int m = Math.toIntExact(a.type().dim(1));
        int k = Math.toIntExact(a.type().dim(2));
        int pitch = Math.toIntExact(b.type().dim(2));
        int n = bias.size();
        int stages = (k + depth - 1) / depth;
        int length = (stages + parts - 1) / parts * depth;
        RefArray c = RefArray.zeros(Type.of(a.dtype(), 1, m, n));
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                float all = 0;
                for (int p = 0; p < parts; p++) {
                    float sum = 0;
                    for (int x = p * length; x < Math.min(k, (p + 1) * length); x++)
                        sum = Math.fma((float) a.getDouble(i * k + x), (float) b.getDouble(x * pitch + j), sum);
                    all = p == 0 ? sum : all + sum;
                }
                c.set(i * n + j, all + (float) bias.getDouble(j));
            }
        }
        return c;
    }
}
