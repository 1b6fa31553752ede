// SPDX-License-Identifier: Apache-2.0

/** The library: Tensor, autograd, nn, optim, data, safetensors. */
module io.sinter {
    requires transitive io.sinter.ir;
    requires transitive io.sinter.runtime;
    requires com.fasterxml.jackson.core;
    requires com.google.protobuf;

    exports io.sinter;
    exports io.sinter.data;
    exports io.sinter.io;
    exports io.sinter.nn;
    exports io.sinter.optim;
    exports io.sinter.profiler;
    exports io.sinter.random;
    exports io.sinter.tensorboard;
}
