// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * A kernel as a class file, not yet defined: what a cache holds.
 *
 * @param className internal name; not unique, since classes are defined hidden
 * @param bytes the class file
 */
public record GeneratedClass(String className, byte[] bytes) {}
