// SPDX-License-Identifier: Apache-2.0

/**
 * Mutation testing (DeMillo, Lipton and Sayward 1978) of emitted PTX: single faults, enumerated over the instructions' record components, so that new
 * templates and instructions are covered as they come. What runs a faulty kernel and sees nothing has a gap, in the simulator's checks or in its inputs.
 */
package io.sinter.codegen.ptx.faults;
