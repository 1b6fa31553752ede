// SPDX-License-Identifier: Apache-2.0

/** Devices, buffers, plans, executables, caches, threads. The only module that may name JCuda. */
module io.sinter.runtime {
    requires transitive io.sinter.ir;
    requires io.sinter.codegen.jvm;
    requires io.sinter.codegen.ptx;
    requires com.fasterxml.jackson.core;
    requires static jcuda;
    requires static jcublas;
    requires jdk.jfr;
    requires jdk.management;

    exports io.sinter.runtime;
    exports io.sinter.runtime.cache;
    exports io.sinter.runtime.dump;
    exports io.sinter.runtime.profile;
}
