// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.plan.Plan;
import java.util.ArrayList;
import java.util.List;

/** The program's index checks, numbered. */
final class Sites {
    private final List<Plan.Site> sites;
    /** What stands for the origins of nodes that have none: of the loop whose body they are. */
    private final int origin;

    Sites() {
        this(new ArrayList<>(), -1);
    }

    private Sites(List<Plan.Site> sites, int origin) {
        this.sites = sites;
        this.origin = origin;
    }

    /** The same sites, for checks in the body of a loop. */
    Sites within(Node loop) {
        return new Sites(sites, loop.origin() < 0 ? origin : loop.origin());
    }

    long add(Node n) {
        // A check stands for the operator that it was made for.
        String operator = n.op() instanceof CheckIndex c ? c.operator() : n.op().name();
        sites.add(new Plan.Site(operator, n.origin() < 0 ? origin : n.origin()));
        return sites.size() - 1;
    }

    List<Plan.Site> all() {
        return sites;
    }
}
