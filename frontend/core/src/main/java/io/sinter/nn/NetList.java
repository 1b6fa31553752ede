// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** A growing list of nets, named 0, 1, … ({@code torch.nn.ModuleList}); it computes nothing itself. */
public final class NetList<N extends Net> extends Net implements Iterable<N> {
    private final transient List<N> nets = new ArrayList<>();

    @SafeVarargs
    public NetList(N... nets) {
        for (N n : nets) add(n);
    }

    /** Adds a net at the end. */
    public NetList<N> add(N net) {
        if (net == null) throw new IllegalArgumentException("NetList: null");
        register(Integer.toString(nets.size()), net);
        nets.add(net);
        return this;
    }

    public N get(int i) {
        return nets.get(i);
    }

    public int size() {
        return nets.size();
    }

    @Override
    public Iterator<N> iterator() {
        return List.copyOf(nets).iterator();
    }
}
