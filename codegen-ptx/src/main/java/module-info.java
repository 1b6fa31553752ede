// SPDX-License-Identifier: Apache-2.0

/** Loop IR to PTX text. Holds no code yet; see the package comment. */
module io.sinter.codegen.ptx {
    requires transitive io.sinter.ir;
}
