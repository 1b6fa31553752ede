// SPDX-License-Identifier: Apache-2.0

/**
 * Loop IR to JVM bytecode. The only module that names ASM and the Vector API. The Vector API is optional at
 * run time: without {@code --add-modules jdk.incubator.vector} scalar code is generated.
 */
module io.sinter.codegen.jvm {
    requires transitive io.sinter.ir;
    requires org.objectweb.asm;
    requires org.objectweb.asm.tree;
    requires org.objectweb.asm.tree.analysis;
    requires org.objectweb.asm.util;
    requires static jdk.incubator.vector;

    exports io.sinter.codegen.jvm;
}
