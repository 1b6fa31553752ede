// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.plan.Plan;
import java.util.ArrayList;
import java.util.List;

/** The program's index checks, numbered. */
final class Sites {
    private final List<Plan.Site> sites = new ArrayList<>();

    long add(Node n) {
        // A check stands for the operator that it was made for.
        String operator = n.op() instanceof CheckIndex c ? c.operator() : n.op().name();
        sites.add(new Plan.Site(operator, n.origin()));
        return sites.size() - 1;
    }

    List<Plan.Site> all() {
        return sites;
    }
}
