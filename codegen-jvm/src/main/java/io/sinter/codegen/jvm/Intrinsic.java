// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * The vector intrinsics of HotSpot that kernels call: static methods of {@code VectorSupport}, a class within the JDK, each with an interface of one method that says what to do where
 * C2 has not compiled the caller. This is what the JDK has in release 25; {@link Intrinsics#available} compares.
 */
enum Intrinsic {
    /** One number in all lanes, as bits. */
    BROADCAST(
            "fromBitsCoerced",
            JDK.PAYLOAD,
            "FromBitsCoercedOperation",
            "broadcast",
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.LONG,
            JDK.INT,
            JDK.SPECIES),
    LOAD(
            "load",
            JDK.PAYLOAD,
            "LoadOperation",
            "load",
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.OBJECT,
            JDK.LONG,
            JDK.BOOLEAN,
            JDK.OBJECT,
            JDK.LONG,
            JDK.SPECIES),
    LOAD_MASKED(
            "loadMasked",
            JDK.VECTOR,
            "LoadVectorMaskedOperation",
            "load",
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.OBJECT,
            JDK.LONG,
            JDK.BOOLEAN,
            JDK.MASK,
            JDK.INT,
            JDK.OBJECT,
            JDK.LONG,
            JDK.SPECIES),
    STORE(
            "store",
            Type.VOID_TYPE,
            "StoreVectorOperation",
            "store",
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.OBJECT,
            JDK.LONG,
            JDK.BOOLEAN,
            JDK.PAYLOAD,
            JDK.OBJECT,
            JDK.LONG),
    STORE_MASKED(
            "storeMasked",
            Type.VOID_TYPE,
            "StoreVectorMaskedOperation",
            "store",
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.OBJECT,
            JDK.LONG,
            JDK.BOOLEAN,
            JDK.VECTOR,
            JDK.MASK,
            JDK.OBJECT,
            JDK.LONG),
    UNARY(
            "unaryOp",
            JDK.VECTOR,
            "UnaryOperation",
            "unary",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.MASK),
    BINARY(
            "binaryOp",
            JDK.PAYLOAD,
            "BinaryOperation",
            "binary",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.PAYLOAD,
            JDK.PAYLOAD,
            JDK.MASK),
    TERNARY(
            "ternaryOp",
            JDK.VECTOR,
            "TernaryOperation",
            "ternary",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.VECTOR,
            JDK.VECTOR,
            JDK.MASK),
    /** All lanes by one number of bits. */
    SHIFT(
            "broadcastInt",
            JDK.VECTOR,
            "VectorBroadcastIntOp",
            "shift",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.INT,
            JDK.MASK),
    COMPARE(
            "compare",
            JDK.MASK,
            "VectorCompareOp",
            "compare",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.VECTOR,
            JDK.MASK),
    BLEND(
            "blend",
            JDK.VECTOR,
            "VectorBlendOp",
            "blend",
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.VECTOR,
            JDK.MASK),
    REARRANGE(
            "rearrangeOp",
            JDK.VECTOR,
            "VectorRearrangeOp",
            "rearrange",
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.VECTOR,
            JDK.SHUFFLE,
            JDK.MASK),
    /** Lane by lane, or the bits as they are. */
    CONVERT(
            "convert",
            JDK.PAYLOAD,
            "VectorConvertOp",
            "convert",
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.CLASS,
            JDK.CLASS,
            JDK.INT,
            JDK.PAYLOAD,
            JDK.SPECIES),
    /** One lane, as bits. */
    EXTRACT("extract", JDK.LONG, "VecExtractOp", "extract", JDK.CLASS, JDK.CLASS, JDK.INT, JDK.PAYLOAD, JDK.INT);

    static final String SUPPORT = "jdk.internal.vm.vector.VectorSupport";

    /** The types that intrinsics have. */
    private static final class JDK {
        static final Type OBJECT = Code.object("java/lang/Object");
        static final Type CLASS = Code.object("java/lang/Class");
        static final Type INT = Type.INT_TYPE;
        static final Type LONG = Type.LONG_TYPE;
        static final Type BOOLEAN = Type.BOOLEAN_TYPE;
        /** Of a vector or a mask. */
        static final Type PAYLOAD = nested("VectorPayload");

        static final Type VECTOR = nested("Vector");
        static final Type MASK = nested("VectorMask");
        static final Type SHUFFLE = nested("VectorShuffle");
        static final Type SPECIES = nested("VectorSpecies");
    }

    private static Type nested(String name) {
        return Code.object(SUPPORT.replace('.', '/') + "$" + name);
    }

    private final String method;
    private final Type result;
    private final Type fallback;
    private final String does;
    private final List<Type> types;

    /**
     * @param fallback the interface's simple name
     * @param does the method of {@link VectorFallback} that is the interface's
     * @param types of the arguments but the last, which is of the interface
     */
    Intrinsic(String method, Type result, String fallback, String does, Type... types) {
        this.method = method;
        this.result = result;
        this.fallback = nested(fallback);
        this.does = does;
        this.types = List.of(types);
    }

    String method() {
        return method;
    }

    /** The type of what says what to do where C2 has not compiled the caller. */
    Type fallback() {
        return fallback;
    }

    /** The method of {@link VectorFallback} that {@link #fallback}'s one method is. */
    String does() {
        return does;
    }

    Type descriptor() {
        return Type.getMethodType(result, parameters().toArray(Type[]::new));
    }

    private List<Type> parameters() {
        List<Type> all = new ArrayList<>(types);
        all.add(fallback);
        return all;
    }

    /** A call; null among the arguments is the null reference. */
    Code call(Code... arguments) {
        List<Type> parameters = parameters();
        Code[] all = arguments.clone();
        for (int i = 0; i < all.length; i++) if (all[i] == null) all[i] = Code.nothing(parameters.get(i));
        return Code.call(Code.object(SUPPORT.replace('.', '/')), method, result, parameters, all);
    }

    /** The species as intrinsics have it. */
    static Code species(Species s) {
        return Code.checkCast(JDK.SPECIES, s.code());
    }
}
