// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is a part of a net, under which name, in which order; modes and state. */
class NetTest {
    private static class Base extends Net {
        private final Linear first = new Linear(2, 2);
    }

    private static final class Derived extends Base {
        @SuppressWarnings("unused")
        private final List<Object> mixed = List.of(new Linear(2, 1), "text", List.of(new Linear(1, 1), new ReLU()));

        @SuppressWarnings("unused")
        private final Map<String, Net> heads = new LinkedHashMap<>();

        @SuppressWarnings("unused")
        private final Linear[] array = {new Linear(3, 1, false), null, new Linear(3, 2, false)};

        @SuppressWarnings("unused")
        private final Tensor scale = parameter(Tensor.from(new float[] {1}));

        @SuppressWarnings("unused")
        private final Tensor bare = Tensor.from(new float[] {2}).requiresGrad_();

        @SuppressWarnings("unused")
        private final Tensor count = buffer(Tensor.from(new float[] {3}));

        @SuppressWarnings("unused")
        private final Tensor table = buffer(Tensor.from(new float[] {4}), false);

        @SuppressWarnings("unused")
        private final Tensor constant = Tensor.from(new float[] {5});

        @SuppressWarnings("unused")
        private final transient Linear mine = new Linear(9, 9);

        @SuppressWarnings("unused")
        private static final Linear SHARED = new Linear(8, 8);

        Derived() {
            heads.put("left", new Linear(2, 3));
            heads.put("right", new Linear(2, 4));
            register("late", new Linear(1, 1, false));
        }
    }

    @Test
    void partsOfSuperclassesListsMapsAndArraysByName() {
        Net net = new Derived();
        assertEquals(
                List.of(
                        "scale",
                        "bare",
                        "first.weight",
                        "first.bias",
                        "mixed.0.weight",
                        "mixed.0.bias",
                        "mixed.2.0.weight",
                        "mixed.2.0.bias",
                        "array.0.weight",
                        "array.2.weight",
                        "heads.left.weight",
                        "heads.left.bias",
                        "heads.right.weight",
                        "heads.right.bias",
                        "late.weight"),
                List.copyOf(net.namedParameters().keySet()));
        assertEquals(List.of("count", "table"), List.copyOf(net.namedBuffers().keySet()));
        assertTrue(net.stateDict().containsKey("count"));
        assertFalse(net.stateDict().containsKey("table"));
        assertEquals(2 * 2 + 2 + 2 + 1 + 1 + 1 + 3 + 6 + 6 + 3 + 8 + 4 + 1 + 1 + 1, net.parameterCount());
        assertEquals(
                List.of(
                        "",
                        "first",
                        "mixed.0",
                        "mixed.2.0",
                        "mixed.2.1",
                        "array.0",
                        "array.2",
                        "heads.left",
                        "heads.right",
                        "late"),
                List.copyOf(net.namedNets().keySet()));
    }

    @Test
    void orderIsThatOfConstruction() {
        class Reversed extends Net {
            @SuppressWarnings("unused")
            private final Linear a;

            private final Linear b;

            Reversed() {
                b = new Linear(1, 1, false);
                a = new Linear(1, 1, false);
            }
        }
        assertEquals(
                List.of("b.weight", "a.weight"),
                List.copyOf(new Reversed().namedParameters().keySet()));
        Linear early = new Linear(1, 1, false);
        Net sequence = new Sequential(new Linear(1, 2, false), early);
        assertEquals(
                List.of("0.weight", "1.weight"),
                List.copyOf(sequence.namedParameters().keySet()));
        assertSame(early.weight, sequence.parameters().get(1));
    }

    @Test
    void whatAnonymousClassesCaptureIsTrained() {
        Linear captured = new Linear(2, 2);
        Net net = new Net() {
            @Override
            public Tensor forward(Tensor x) {
                return captured.call(x);
            }
        };
        assertEquals(
                List.of("captured.weight", "captured.bias"),
                List.copyOf(net.namedParameters().keySet()));
    }

    @Test
    void sharedPartsCountOnce() {
        class Tied extends Net {
            final Embedding table = new Embedding(3, 2);
            final Linear head = new Linear(2, 3, false);
            final Embedding again = table;

            @SuppressWarnings("unused")
            final Tensor weight = table.weight;
        }
        Net net = new Tied();
        assertEquals(
                Set.of("weight", "table.weight", "head.weight"), net.stateDict().keySet());
        assertEquals(2, net.parameters().size());
    }

    @Test
    void netsWithCyclesAreWalkedOnce() {
        class Child extends Net {
            @SuppressWarnings("unused")
            Net parent;

            @SuppressWarnings("unused")
            final Linear layer = new Linear(1, 1, false);
        }
        class Parent extends Net {
            final Child child = new Child();

            Parent() {
                child.parent = this;
            }
        }
        Parent p = new Parent();
        assertEquals(
                List.of("child.layer.weight"), List.copyOf(p.namedParameters().keySet()));
        assertTrue(p.toString().contains("…"));
    }

    @Test
    void modeReachesAll() {
        Dropout inner = new Dropout(0.5);
        Net net = new Sequential(new Linear(1, 1), new Sequential(inner));
        assertTrue(inner.isTraining());
        net.eval();
        assertFalse(inner.isTraining() || net.isTraining());
        net.train();
        assertTrue(inner.isTraining() && net.isTraining());
    }

    @Test
    void applyVisitsPartsFirst() {
        List<String> seen = new ArrayList<>();
        new Sequential(new Linear(1, 1), new Sequential(new ReLU()))
                .apply(n -> seen.add(n.getClass().getSimpleName()));
        assertEquals(List.of("Linear", "ReLU", "Sequential", "Sequential"), seen);
    }

    @Test
    void gradientsAreForgottenAndNetsFrozen() {
        Net net = new Linear(2, 1);
        net.call(Tensor.from(new float[] {1, 2}, 1, 2)).sum().backward();
        assertNotNull(net.parameters().getFirst().grad());
        net.zeroGrad();
        assertNull(net.parameters().getFirst().grad());
        net.requiresGrad(false);
        assertFalse(net.call(Tensor.from(new float[] {1, 2}, 1, 2)).requiresGrad());
        assertEquals(2, net.parameters().size());
    }

    @Test
    void stateGoesFromNetToNet() {
        Net a = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
        Net b = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
        Tensor x = Tensor.from(new float[] {1, 2, 3, 5}, 2, 2);
        var _ = a.call(x).sum().item(); // changes the running statistics
        b.loadStateDict(a.stateDict());
        a.eval();
        b.eval();
        assertArrayEquals(a.call(x).toDoubles(), b.call(x).toDoubles());
    }

    @Test
    void stateThatDoesNotFitIsRefusedWhole() {
        Net net = new Sequential(new Linear(2, 3), new Linear(3, 1));
        double[] before = net.parameters().getFirst().toDoubles();
        Map<String, Tensor> state = new LinkedHashMap<>(new Sequential(new Linear(2, 3), new Linear(3, 1)).stateDict());
        state.remove("1.bias");
        state.put("2.bias", Tensor.from(new float[] {1}));
        state.put("1.weight", Tensor.from(new float[] {1, 2}, 1, 2));
        var e = assertThrows(IllegalArgumentException.class, () -> net.loadStateDict(state));
        assertTrue(e.getMessage().contains("missing: 1.bias f32[1]"), e.getMessage());
        assertTrue(e.getMessage().contains("unexpected: 2.bias"), e.getMessage());
        assertTrue(e.getMessage().contains("1.weight is f32[1,3] here, f32[1,2] there"), e.getMessage());
        assertArrayEquals(before, net.parameters().getFirst().toDoubles());
        assertThrows(IllegalArgumentException.class, () -> net.loadStateDict(state, false));
        state.remove("1.weight");
        net.loadStateDict(state, false);
        assertArrayEquals(
                state.get("0.weight").toDoubles(), net.parameters().getFirst().toDoubles());
    }

    @Test
    void textIsATree() {
        assertEquals(
                "Sequential(\n  (0): Linear(in=2, out=3, bias=true)\n  (1): Sequential(\n    (0): ReLU()\n  )\n)",
                new Sequential(new Linear(2, 3), new Sequential(new ReLU())).toString());
    }

    @Test
    void badCallsAndNames() {
        var e = assertThrows(UnsupportedOperationException.class, () -> new NetList<>().call(Tensor.scalar(1.0)));
        assertTrue(e.getMessage().contains("NetList"), e.getMessage());
        class Bad extends Net {
            Bad(String... names) {
                for (String n : names) register(n, new ReLU());
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new Bad("a.b"));
        assertThrows(IllegalArgumentException.class, () -> new Bad(""));
        assertThrows(IllegalArgumentException.class, () -> new Bad("a", "a"));
        assertThrows(IllegalArgumentException.class, () -> new Sequential(new ReLU(), null));
    }

    @Test
    void impossibleSettings() {
        assertThrows(IllegalArgumentException.class, () -> new Linear(0, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Conv2d(3, 4, 3, ConvOptions.of().groups(2)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Conv2d(2, 4, 3, ConvOptions.of().stride(0)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Conv2d(2, 4, 3, ConvOptions.of().padding(1, 1, 1)));
        assertThrows(IllegalArgumentException.class, () -> new Conv2d(2, 4, new long[] {3}, ConvOptions.of()));
        assertThrows(IllegalArgumentException.class, () -> new Dropout(1.5));
        assertThrows(IllegalArgumentException.class, () -> new MultiheadAttention(5, 2));
        assertThrows(IllegalArgumentException.class, () -> new GroupNorm(3, 4));
        assertThrows(IllegalArgumentException.class, () -> new MaxPool2d(2, 2, 2));
        assertThrows(IllegalArgumentException.class, () -> new LayerNorm());
        Tensor x = Tensor.from(new float[6], 2, 3);
        assertThrows(IllegalArgumentException.class, () -> new BatchNorm2d(3).call(x));
        assertThrows(IllegalArgumentException.class, () -> new BatchNorm1d(2).call(x));
        assertThrows(IllegalArgumentException.class, () -> new LSTM(4, 2).call(x));
        assertThrows(IllegalArgumentException.class, () -> new Linear(4, 2).call(x));
    }
}
