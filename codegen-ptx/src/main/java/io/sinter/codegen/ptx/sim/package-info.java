// SPDX-License-Identifier: Apache-2.0

/**
 * Runs PTX without a GPU, and finds faults that a GPU hides. {@link io.sinter.codegen.ptx.sim.SimDevice} offers memory, modules and
 * launches as a driver does.
 *
 * <p>A kernel is translated once into steps, each of which does one instruction for the 32 lanes of a warp: the work of choosing what to do
 * is shared by the lanes, and the loops over lanes are compiled once for all kernels. Warps run in an order that a seed chooses;
 * asynchronous operations happen as late as the program allows, or at random.
 */
package io.sinter.codegen.ptx.sim;
