// SPDX-License-Identifier: Apache-2.0

/** The language of Sinter: types, operators, graphs, passes, loop IR. Depends on nothing. */
module io.sinter.ir {
    exports io.sinter.ir;
    exports io.sinter.ir.loop;
    exports io.sinter.ir.op;
    exports io.sinter.ir.plan;
    exports io.sinter.ir.ref;
}
