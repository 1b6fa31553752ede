// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import io.sinter.codegen.jvm.VectorFallback;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * What vector intrinsics want to be told of a species, for each type of elements and width in bits: {@code E} is the class of elements, {@code V512} the class of vectors, {@code M512} of
 * masks and {@code S512} of shuffles, which are not public; {@code P512} is what operations without an operator do where C2 has not compiled the kernel. Static finals, which C2 knows the
 * contents of; a class for each type, so that nothing is loaded which nobody uses.
 */
public final class SinterKernelShapes {
    private SinterKernelShapes() {}

    private static Class<?> vectors(VectorSpecies<?> species) {
        return species.vectorType();
    }

    private static Class<?> masks(VectorSpecies<?> species) {
        return species.maskAll(true).getClass();
    }

    private static Class<?> shuffles(VectorSpecies<?> species) {
        return VectorShuffle.iota(species, 0, 1, true).getClass();
    }

    public static final class F64 {
        public static final Class<?> E = double.class;
        public static final Class<?> V64 = vectors(DoubleVector.SPECIES_64);
        public static final Class<?> M64 = masks(DoubleVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(DoubleVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(DoubleVector.SPECIES_64);
        public static final Class<?> V128 = vectors(DoubleVector.SPECIES_128);
        public static final Class<?> M128 = masks(DoubleVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(DoubleVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(DoubleVector.SPECIES_128);
        public static final Class<?> V256 = vectors(DoubleVector.SPECIES_256);
        public static final Class<?> M256 = masks(DoubleVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(DoubleVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(DoubleVector.SPECIES_256);
        public static final Class<?> V512 = vectors(DoubleVector.SPECIES_512);
        public static final Class<?> M512 = masks(DoubleVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(DoubleVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(DoubleVector.SPECIES_512);

        private F64() {}
    }

    public static final class F32 {
        public static final Class<?> E = float.class;
        public static final Class<?> V64 = vectors(FloatVector.SPECIES_64);
        public static final Class<?> M64 = masks(FloatVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(FloatVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(FloatVector.SPECIES_64);
        public static final Class<?> V128 = vectors(FloatVector.SPECIES_128);
        public static final Class<?> M128 = masks(FloatVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(FloatVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(FloatVector.SPECIES_128);
        public static final Class<?> V256 = vectors(FloatVector.SPECIES_256);
        public static final Class<?> M256 = masks(FloatVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(FloatVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(FloatVector.SPECIES_256);
        public static final Class<?> V512 = vectors(FloatVector.SPECIES_512);
        public static final Class<?> M512 = masks(FloatVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(FloatVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(FloatVector.SPECIES_512);

        private F32() {}
    }

    public static final class I64 {
        public static final Class<?> E = long.class;
        public static final Class<?> V64 = vectors(LongVector.SPECIES_64);
        public static final Class<?> M64 = masks(LongVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(LongVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(LongVector.SPECIES_64);
        public static final Class<?> V128 = vectors(LongVector.SPECIES_128);
        public static final Class<?> M128 = masks(LongVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(LongVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(LongVector.SPECIES_128);
        public static final Class<?> V256 = vectors(LongVector.SPECIES_256);
        public static final Class<?> M256 = masks(LongVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(LongVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(LongVector.SPECIES_256);
        public static final Class<?> V512 = vectors(LongVector.SPECIES_512);
        public static final Class<?> M512 = masks(LongVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(LongVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(LongVector.SPECIES_512);

        private I64() {}
    }

    public static final class I32 {
        public static final Class<?> E = int.class;
        public static final Class<?> V64 = vectors(IntVector.SPECIES_64);
        public static final Class<?> M64 = masks(IntVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(IntVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(IntVector.SPECIES_64);
        public static final Class<?> V128 = vectors(IntVector.SPECIES_128);
        public static final Class<?> M128 = masks(IntVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(IntVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(IntVector.SPECIES_128);
        public static final Class<?> V256 = vectors(IntVector.SPECIES_256);
        public static final Class<?> M256 = masks(IntVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(IntVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(IntVector.SPECIES_256);
        public static final Class<?> V512 = vectors(IntVector.SPECIES_512);
        public static final Class<?> M512 = masks(IntVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(IntVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(IntVector.SPECIES_512);

        private I32() {}
    }

    public static final class I16 {
        public static final Class<?> E = short.class;
        public static final Class<?> V64 = vectors(ShortVector.SPECIES_64);
        public static final Class<?> M64 = masks(ShortVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(ShortVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(ShortVector.SPECIES_64);
        public static final Class<?> V128 = vectors(ShortVector.SPECIES_128);
        public static final Class<?> M128 = masks(ShortVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(ShortVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(ShortVector.SPECIES_128);
        public static final Class<?> V256 = vectors(ShortVector.SPECIES_256);
        public static final Class<?> M256 = masks(ShortVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(ShortVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(ShortVector.SPECIES_256);
        public static final Class<?> V512 = vectors(ShortVector.SPECIES_512);
        public static final Class<?> M512 = masks(ShortVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(ShortVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(ShortVector.SPECIES_512);

        private I16() {}
    }

    public static final class I8 {
        public static final Class<?> E = byte.class;
        public static final Class<?> V64 = vectors(ByteVector.SPECIES_64);
        public static final Class<?> M64 = masks(ByteVector.SPECIES_64);
        public static final Class<?> S64 = shuffles(ByteVector.SPECIES_64);
        public static final Object P64 = VectorFallback.of(ByteVector.SPECIES_64);
        public static final Class<?> V128 = vectors(ByteVector.SPECIES_128);
        public static final Class<?> M128 = masks(ByteVector.SPECIES_128);
        public static final Class<?> S128 = shuffles(ByteVector.SPECIES_128);
        public static final Object P128 = VectorFallback.of(ByteVector.SPECIES_128);
        public static final Class<?> V256 = vectors(ByteVector.SPECIES_256);
        public static final Class<?> M256 = masks(ByteVector.SPECIES_256);
        public static final Class<?> S256 = shuffles(ByteVector.SPECIES_256);
        public static final Object P256 = VectorFallback.of(ByteVector.SPECIES_256);
        public static final Class<?> V512 = vectors(ByteVector.SPECIES_512);
        public static final Class<?> M512 = masks(ByteVector.SPECIES_512);
        public static final Class<?> S512 = shuffles(ByteVector.SPECIES_512);
        public static final Object P512 = VectorFallback.of(ByteVector.SPECIES_512);

        private I8() {}
    }
}
