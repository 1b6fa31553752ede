// SPDX-License-Identifier: Apache-2.0

/** The language of Sinter: types, operators, graphs, passes, loop IR. Depends on nothing. */
module io.sinter.ir {}
