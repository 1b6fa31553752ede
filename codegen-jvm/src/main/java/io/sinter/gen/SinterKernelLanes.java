// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * How generated code moves lanes at the end of a reduction, pairwise: {@code T_n_k} turns vectors of n lanes of type T so that lane i holds what lane
 * i + k held. Static finals, which C2 knows the contents of.
 */
public final class SinterKernelLanes {
    public static final VectorShuffle<Float> F32_2_1 = rotation(FloatVector.SPECIES_64, 1);
    public static final VectorShuffle<Float> F32_4_2 = rotation(FloatVector.SPECIES_128, 2);
    public static final VectorShuffle<Float> F32_4_1 = rotation(FloatVector.SPECIES_128, 1);
    public static final VectorShuffle<Float> F32_8_4 = rotation(FloatVector.SPECIES_256, 4);
    public static final VectorShuffle<Float> F32_8_2 = rotation(FloatVector.SPECIES_256, 2);
    public static final VectorShuffle<Float> F32_8_1 = rotation(FloatVector.SPECIES_256, 1);
    public static final VectorShuffle<Float> F32_16_8 = rotation(FloatVector.SPECIES_512, 8);
    public static final VectorShuffle<Float> F32_16_4 = rotation(FloatVector.SPECIES_512, 4);
    public static final VectorShuffle<Float> F32_16_2 = rotation(FloatVector.SPECIES_512, 2);
    public static final VectorShuffle<Float> F32_16_1 = rotation(FloatVector.SPECIES_512, 1);
    public static final VectorShuffle<Integer> I32_2_1 = rotation(IntVector.SPECIES_64, 1);
    public static final VectorShuffle<Integer> I32_4_2 = rotation(IntVector.SPECIES_128, 2);
    public static final VectorShuffle<Integer> I32_4_1 = rotation(IntVector.SPECIES_128, 1);
    public static final VectorShuffle<Integer> I32_8_4 = rotation(IntVector.SPECIES_256, 4);
    public static final VectorShuffle<Integer> I32_8_2 = rotation(IntVector.SPECIES_256, 2);
    public static final VectorShuffle<Integer> I32_8_1 = rotation(IntVector.SPECIES_256, 1);
    public static final VectorShuffle<Integer> I32_16_8 = rotation(IntVector.SPECIES_512, 8);
    public static final VectorShuffle<Integer> I32_16_4 = rotation(IntVector.SPECIES_512, 4);
    public static final VectorShuffle<Integer> I32_16_2 = rotation(IntVector.SPECIES_512, 2);
    public static final VectorShuffle<Integer> I32_16_1 = rotation(IntVector.SPECIES_512, 1);
    public static final VectorShuffle<Double> F64_2_1 = rotation(DoubleVector.SPECIES_128, 1);
    public static final VectorShuffle<Double> F64_4_2 = rotation(DoubleVector.SPECIES_256, 2);
    public static final VectorShuffle<Double> F64_4_1 = rotation(DoubleVector.SPECIES_256, 1);
    public static final VectorShuffle<Double> F64_8_4 = rotation(DoubleVector.SPECIES_512, 4);
    public static final VectorShuffle<Double> F64_8_2 = rotation(DoubleVector.SPECIES_512, 2);
    public static final VectorShuffle<Double> F64_8_1 = rotation(DoubleVector.SPECIES_512, 1);
    public static final VectorShuffle<Long> I64_2_1 = rotation(LongVector.SPECIES_128, 1);
    public static final VectorShuffle<Long> I64_4_2 = rotation(LongVector.SPECIES_256, 2);
    public static final VectorShuffle<Long> I64_4_1 = rotation(LongVector.SPECIES_256, 1);
    public static final VectorShuffle<Long> I64_8_4 = rotation(LongVector.SPECIES_512, 4);
    public static final VectorShuffle<Long> I64_8_2 = rotation(LongVector.SPECIES_512, 2);
    public static final VectorShuffle<Long> I64_8_1 = rotation(LongVector.SPECIES_512, 1);

    private SinterKernelLanes() {}

    private static <T> VectorShuffle<T> rotation(VectorSpecies<T> species, int by) {
        return VectorShuffle.iota(species, by, 1, true);
    }
}
