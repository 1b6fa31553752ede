// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/**
 * A generated class of which all kernels of a process share one object, so that HotSpot compiles it once: tiles of products, transforms of Winograd's
 * convolutions, rows of pooling, squares that are transposed. Such classes belong to no program, but a cache of kernels' classes can keep them, too.
 *
 * @param <T> what it extends
 */
public final class SharedClass<T> {
    /** Of the names of all generated classes. */
    static final String PREFIX = "io/sinter/gen/SinterKernel";

    private static final LongAdder GENERATED = new LongAdder();
    private static final AtomicReference<Store> STORE = new AtomicReference<>();

    /** Keeps class files. */
    public interface Store {
        /** The object of a class that is kept, or else of one that is generated now, and kept. */
        <T> T get(SharedClass<T> shared);

        /** The object of a class that is kept; else null. */
        <T> T find(SharedClass<T> shared);
    }

    private final String name;
    private final Class<T> type;
    /** Null if the class is only looked for. */
    private final Function<String, byte[]> code;

    private SharedClass(String name, Class<T> type, Function<String, byte[]> code) {
        if (!ClassCheck.isShared(type)) throw new IllegalArgumentException(type + " is shared by no kernels");
        this.name = PREFIX + name;
        this.type = type;
        this.code = code;
    }

    /** Shared classes that this process has not made yet come from this store from now on. */
    public static void keepIn(Store store) {
        STORE.set(store);
    }

    /** Ends {@link #keepIn} of this store; nothing if another one has taken its place. */
    public static void keepNoLongerIn(Store store) {
        STORE.compareAndSet(store, null);
    }

    /** How many shared classes this process has generated. */
    public static long generated() {
        return GENERATED.sum();
    }

    /**
     * The object of a class.
     *
     * @param name all that the code depends on besides the generator and the JVM
     * @param code the class file, by the class's internal name
     */
    static <T> T make(String name, Class<T> type, Function<String, byte[]> code) {
        SharedClass<T> shared = new SharedClass<>(name, type, code);
        Store store = STORE.get();
        return store == null ? shared.define(shared.generate()) : store.get(shared);
    }

    /**
     * The object of a class if it is kept; else null, and nothing is generated.
     *
     * @param name as of {@link #make}
     */
    static <T> T find(String name, Class<T> type) {
        Store store = STORE.get();
        return store == null ? null : store.find(new SharedClass<>(name, type, null));
    }

    /** The class's internal name, which says all that its code depends on besides the generator and the {@linkplain JvmCodegen#target target}. */
    public String name() {
        return name;
    }

    public GeneratedClass generate() {
        GENERATED.increment();
        return new GeneratedClass(name, code.apply(name));
    }

    /**
     * As {@link JvmCodegen#check}.
     *
     * @throws FormatException if the class file is not this class's
     */
    public void check(GeneratedClass stored) {
        if (!stored.className().equals(name))
            throw new FormatException("class " + stored.className() + " instead of " + name);
        ClassCheck.check(stored, name, type);
    }

    /**
     * Defines the class and makes its object.
     *
     * @throws IllegalStateException if the JVM rejects it
     */
    public T define(GeneratedClass generated) {
        return JvmCodegen.instance(generated, type);
    }
}
