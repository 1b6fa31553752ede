// SPDX-License-Identifier: Apache-2.0

/** The language of Sinter: types, operators, graphs, passes, loop IR. Depends on nothing. */
module io.sinter.ir {
    exports io.sinter.ir;
    exports io.sinter.ir.fuse;
    exports io.sinter.ir.loop;
    exports io.sinter.ir.lower;
    exports io.sinter.ir.op;
    exports io.sinter.ir.pass;
    exports io.sinter.ir.plan;
    exports io.sinter.ir.ref;
    exports io.sinter.ir.store;
    exports io.sinter.ir.text;
}
