// SPDX-License-Identifier: Apache-2.0

/** Loop IR to PTX text, the PTX language as data, and a simulator that runs PTX without a GPU. */
module io.sinter.codegen.ptx {
    requires transitive io.sinter.ir;

    exports io.sinter.codegen.ptx;
    exports io.sinter.codegen.ptx.faults;
    exports io.sinter.codegen.ptx.lang;
    exports io.sinter.codegen.ptx.sim;
}
