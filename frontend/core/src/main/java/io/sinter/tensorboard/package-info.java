// SPDX-License-Identifier: Apache-2.0

/** Event files for TensorBoard: {@link io.sinter.tensorboard.SummaryWriter}. */
package io.sinter.tensorboard;
