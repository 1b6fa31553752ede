// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.nn.AdaptiveAvgPool2d;
import io.sinter.nn.BatchNorm2d;
import io.sinter.nn.Conv2d;
import io.sinter.nn.ConvOptions;
import io.sinter.nn.Embedding;
import io.sinter.nn.Flatten;
import io.sinter.nn.Identity;
import io.sinter.nn.LSTM;
import io.sinter.nn.LayerNorm;
import io.sinter.nn.Linear;
import io.sinter.nn.MaxPool2d;
import io.sinter.nn.Net;
import io.sinter.nn.ReLU;
import io.sinter.nn.Sequential;
import java.util.ArrayList;
import java.util.List;

/** The networks of the training cases, as {@code torch_peer.py} has them. */
final class Models {
    private Models() {}

    /** 784-512-512-10. */
    static final class Mlp extends Net {
        private final Linear a = new Linear(784, 512);
        private final Linear b = new Linear(512, 512);
        private final Linear c = new Linear(512, 10);

        @Override
        public Tensor forward(Tensor x) {
            return c.call(b.call(a.call(x).relu()).relu());
        }
    }

    /** 28×28: conv 32, conv 64, max-pool, 128, 10. */
    static final class Cnn extends Net {
        private final Conv2d a = new Conv2d(1, 32, 3);
        private final Conv2d b = new Conv2d(32, 64, 3);
        private final Linear c = new Linear(9216, 128);
        private final Linear d = new Linear(128, 10);

        @Override
        public Tensor forward(Tensor x) {
            x = F.maxPool2d(b.call(a.call(x).relu()).relu(), 2);
            return d.call(c.call(x.flatten(1, -1)).relu());
        }
    }

    /** Basic residual block (He et al., 2016). */
    static final class Block extends Net {
        private final Conv2d c1;
        private final BatchNorm2d b1;
        private final Conv2d c2;
        private final BatchNorm2d b2;
        private final Net down;

        Block(long in, long out, long stride) {
            c1 = new Conv2d(
                    in, out, 3, ConvOptions.of().stride(stride).padding(1).bias(false));
            b1 = new BatchNorm2d(out);
            c2 = new Conv2d(out, out, 3, ConvOptions.of().padding(1).bias(false));
            b2 = new BatchNorm2d(out);
            down = stride != 1 || in != out
                    ? new Sequential(
                            new Conv2d(
                                    in, out, 1, ConvOptions.of().stride(stride).bias(false)),
                            new BatchNorm2d(out))
                    : new Identity();
        }

        @Override
        public Tensor forward(Tensor x) {
            Tensor y = b2.call(c2.call(b1.call(c1.call(x)).relu()));
            return y.add(down.call(x)).relu();
        }
    }

    static Net resnet18() {
        List<Net> layers = new ArrayList<>(List.of(
                new Conv2d(3, 64, 7, ConvOptions.of().stride(2).padding(3).bias(false)),
                new BatchNorm2d(64),
                new ReLU(),
                new MaxPool2d(3, 2, 1)));
        long in = 64;
        for (long[] stage : new long[][] {{64, 1}, {128, 2}, {256, 2}, {512, 2}}) {
            layers.add(new Block(in, stage[0], stage[1]));
            layers.add(new Block(stage[0], stage[0], 1));
            in = stage[0];
        }
        layers.addAll(List.of(new AdaptiveAvgPool2d(1, 1), new Flatten(), new Linear(512, 1000)));
        return new Sequential(layers.toArray(Net[]::new));
    }

    /** One LSTM layer and a linear head; time first. */
    static final class Recurrent extends Net {
        private final LSTM r = new LSTM(64, 256);
        private final Linear o = new Linear(256, 65);

        @Override
        public Tensor forward(Tensor x) {
            return o.call(r.forward(x));
        }
    }

    private static final class GptBlock extends Net {
        private final int heads;
        private final LayerNorm n1;
        private final LayerNorm n2;
        private final Linear qkv;
        private final Linear proj;
        private final Linear up;
        private final Linear down;

        GptBlock(long width, int heads) {
            this.heads = heads;
            n1 = new LayerNorm(width);
            n2 = new LayerNorm(width);
            qkv = new Linear(width, 3 * width);
            proj = new Linear(width, width);
            up = new Linear(width, 4 * width);
            down = new Linear(4 * width, width);
        }

        @Override
        public Tensor forward(Tensor x) {
            long b = x.size(0);
            long t = x.size(1);
            long d = x.size(2);
            List<Tensor> parts = qkv.call(n1.call(x)).split(d, -1);
            Tensor q = parts.get(0).reshape(b, t, heads, d / heads).transpose(1, 2);
            Tensor k = parts.get(1).reshape(b, t, heads, d / heads).transpose(1, 2);
            Tensor v = parts.get(2).reshape(b, t, heads, d / heads).transpose(1, 2);
            Tensor a = F.scaledDotProductAttention(q, k, v, null, 0, true);
            x = x.add(proj.call(a.transpose(1, 2).reshape(b, t, d)));
            return x.add(down.call(F.gelu(up.call(n2.call(x)), true)));
        }
    }

    /** A GPT with learned positions and an untied head. */
    static final class Gpt extends Net {
        private final Embedding tok;
        private final Tensor pos;
        private final List<GptBlock> blocks = new ArrayList<>();
        private final LayerNorm norm;
        private final Linear head;

        Gpt(int layers, int heads, int width, int context, int vocabulary) {
            tok = new Embedding(vocabulary, width);
            pos = parameter(Tensor.zeros(context, width));
            for (int i = 0; i < layers; i++) blocks.add(new GptBlock(width, heads));
            norm = new LayerNorm(width);
            head = new Linear(width, vocabulary, false);
        }

        @Override
        public Tensor forward(Tensor t) {
            Tensor x = tok.call(t).add(pos.narrow(0, 0, t.size(1)));
            for (GptBlock b : blocks) x = b.call(x);
            return head.call(norm.call(x));
        }
    }
}
