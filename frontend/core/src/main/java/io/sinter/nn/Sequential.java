// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** Nets one after another, named 0, 1, … ({@code torch.nn.Sequential}). */
public final class Sequential extends Net {
    private final transient Net[] layers;

    public Sequential(Net... layers) {
        this.layers = layers.clone();
        for (int i = 0; i < layers.length; i++) {
            if (layers[i] == null) throw new IllegalArgumentException("Sequential: layer " + i + " is null");
            register(Integer.toString(i), layers[i]);
        }
    }

    @Override
    public Tensor forward(Tensor x) {
        for (Net layer : layers) x = layer.call(x);
        return x;
    }

    public Net get(int i) {
        return layers[i];
    }

    public int size() {
        return layers.length;
    }
}
