// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import java.util.List;

/** Special functions. */
final class SpecialOps {
    private SpecialOps() {}

    static void register(Registry r) {
        r.unary("i0", F::i0);
        r.unary("special.i0e", F::i0e);
        r.unary("special.i1", F::i1);
        r.unary("special.i1e", F::i1e);
        r.unary("special.ndtr", F::ndtr);
        r.unary("special.ndtri", F::ndtri);
        r.unary("special.log_ndtr", F::logNdtr);
        r.unary("special.entr", F::entr);
        r.unary("special.erfcx", F::erfcx);
        r.binary("special.xlog1py", F::xlog1py);
        r.binary("special.zeta", F::zeta);
        // PyTorch's signature is polygamma(n, x), but the samples have the tensor first.
        r.add(List.of("polygamma", "special.polygamma"), a -> F.polygamma((int) a.integer(1, "n"), a.x()));
        String reason = "near the poles PyTorch's f32 reflection keeps five digits; ours is computed in f64";
        r.tolerance("polygamma", 1e-4, 1e-5, reason);
        r.tolerance("special.polygamma", 1e-4, 1e-5, reason);
        r.add("mvlgamma", a -> F.mvlgamma(a.x(), (int) a.integer(1, "p")));
    }
}
