// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Finds the parts of a net in its fields. */
final class Parts {
    /** How javac begins the names of fields for captured variables. */
    private static final String CAPTURED = "val$";

    private Parts() {}

    /**
     * A direct part of a net.
     *
     * @param name field name; for members of lists, arrays and maps with place or key ({@code heads.0})
     * @param value a {@code Net}, or a tensor that is a parameter or buffer
     * @param mark what the net said of the tensor; null for nets and for unmarked tensors, which are
     *     parameters
     */
    record Part(String name, Object value, Net.Mark mark, long serial) {
        boolean isParameter() {
            return value instanceof Tensor && (mark == null || mark.parameter());
        }

        boolean isPersistent() {
            return mark == null || mark.persistent();
        }
    }

    /** Fields by class that may hold parts, superclasses' first, made readable. */
    private static final ClassValue<List<Field>> FIELDS = new ClassValue<>() {
        @Override
        protected List<Field> computeValue(Class<?> type) {
            List<Field> out = new ArrayList<>();
            for (Class<?> c = type; c != Net.class; c = c.getSuperclass()) {
                List<Field> own = new ArrayList<>();
                for (Field f : c.getDeclaredFields()) {
                    int modifiers = f.getModifiers();
                    if (Modifier.isStatic(modifiers) || Modifier.isTransient(modifiers)) continue;
                    if (isOuter(f) || !mayHoldParts(f.getType())) continue;
                    if (!f.trySetAccessible()) throw unreadable(f);
                    own.add(f);
                }
                out.addAll(0, own);
            }
            return Collections.unmodifiableList(out);
        }
    };

    /**
     * An inner class's reference to the object around it. What an anonymous class captured is its own,
     * though.
     */
    private static boolean isOuter(Field f) {
        return f.isSynthetic() && !f.getName().startsWith(CAPTURED);
    }

    private static IllegalStateException unreadable(Field f) {
        Class<?> owner = f.getDeclaringClass();
        return new IllegalStateException("Sinter may not read the field '" + f.getName() + "' of " + owner.getName()
                + ", so it would not be trained: add `opens " + owner.getPackageName()
                + " to io.sinter;` to the module-info.java of "
                + owner.getModule().getName());
    }

    /** False only for types whose values cannot be nets, tensors, or lists, maps or arrays of them. */
    private static boolean mayHoldParts(Class<?> type) {
        if (type.isArray()) return mayHoldParts(type.getComponentType());
        if (Net.class.isAssignableFrom(type) || type == Tensor.class) return true;
        if (Collection.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type)) return true;
        return !type.isPrimitive()
                && !Modifier.isFinal(type.getModifiers())
                && !Number.class.isAssignableFrom(type)
                && !type.isEnum();
    }

    /** The direct parts of a net, in construction order. */
    static List<Part> of(Net net) {
        List<Part> parts = new ArrayList<>();
        for (Field f : FIELDS.get(net.getClass())) {
            try {
                String name = f.getName();
                add(net, f.isSynthetic() ? name.substring(CAPTURED.length()) : name, f.get(net), parts);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(unreadable(f).getMessage(), e);
            }
        }
        net.registered.forEach((name, r) -> {
            List<Part> one = new ArrayList<>();
            add(net, name, r.part(), one);
            for (Part p : one) parts.add(new Part(p.name(), p.value(), p.mark(), r.serial()));
        });
        parts.sort(Comparator.comparingLong(Part::serial)); // stable: members of a list keep its order
        return parts;
    }

    private static void add(Net net, String name, Object value, List<Part> parts) {
        switch (value) {
            case null -> {}
            case Tensor t -> {
                Net.Mark mark = net.marks.get(t);
                if (mark != null) parts.add(new Part(name, t, mark, mark.serial()));
                else if (t.isLeaf() && t.requiresGrad()) parts.add(new Part(name, t, null, Long.MAX_VALUE));
            }
            case Net n -> parts.add(new Part(name, n, null, n.serial));
            case Collection<?> c -> addAll(net, name, c, parts);
            case Map<?, ?> m -> {
                List<Part> members = new ArrayList<>();
                m.forEach((key, member) -> add(net, name + "." + key, member, members));
                addTogether(members, parts);
            }
            case Object[] a -> addAll(net, name, Arrays.asList(a), parts);
            default -> {}
        }
    }

    private static void addAll(Net net, String name, Collection<?> values, List<Part> parts) {
        List<Part> members = new ArrayList<>();
        int i = 0;
        for (Object v : values) add(net, name + "." + i++, v, members);
        addTogether(members, parts);
    }

    /** Members stand together and in their own order, where the eldest of them belongs. */
    private static void addTogether(List<Part> members, List<Part> parts) {
        long serial = members.stream().mapToLong(Part::serial).min().orElse(0);
        for (Part p : members) parts.add(new Part(p.name(), p.value(), p.mark(), serial));
    }
}
