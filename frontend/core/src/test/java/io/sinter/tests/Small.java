// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import java.util.List;

/** A network with parts within parts, of [N, 6] to [N, 3]: for tests of what is known of lines and modules. */
public final class Small extends Net {
    private static final class Block extends Net {
        private final Linear up = new Linear(6, 12);
        private final Linear down = new Linear(12, 6);

        @Override
        public Tensor forward(Tensor x) {
            return down.call(F.gelu(up.call(x))).add(x);
        }
    }

    private final List<Block> blocks = List.of(new Block(), new Block());
    private final Linear head = new Linear(6, 3);

    @Override
    public Tensor forward(Tensor x) {
        for (Block b : blocks) x = b.call(x);
        return head.call(x);
    }
}
