// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.lang.reflect.RecordComponent;
import java.util.Map;
import java.util.function.Consumer;

/** Finds the tensors in what user functions return. */
final class Tensors {
    private Tensors() {}

    /**
     * Calls {@code f} on every tensor in {@code o}: a tensor, or an array, iterable, map or record of them,
     * nested. Others hold none.
     */
    static void visit(Object o, Consumer<Tensor> f) {
        switch (o) {
            case null -> {}
            case Tensor t -> f.accept(t);
            case Iterable<?> many -> many.forEach(x -> visit(x, f));
            case Map<?, ?> map -> map.values().forEach(x -> visit(x, f));
            case Object[] array -> {
                for (Object x : array) visit(x, f);
            }
            case Record r -> {
                for (RecordComponent c : r.getClass().getRecordComponents()) visit(component(r, c), f);
            }
            default -> {}
        }
    }

    private static Object component(Record r, RecordComponent c) {
        if (c.getType().isPrimitive()) return null;
        try {
            c.getAccessor().setAccessible(true);
            return c.getAccessor().invoke(r);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IllegalStateException(
                    "cannot read " + c.getName() + " of the record "
                            + r.getClass().getName()
                            + " that a network returned: make it public, or its module must say 'opens "
                            + r.getClass().getPackageName() + " to io.sinter'",
                    e);
        }
    }
}
