// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.DType;
import io.sinter.ir.plan.Work;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a device can do at best: what kernels are compared with.
 *
 * @param bytesPerSecond of memory, read and written; 0 if it is not known
 * @param flops floating-point operations a second by type; types that are not known are absent
 */
public record Peaks(double bytesPerSecond, Map<DType, Double> flops) {
    /** Nothing is known. */
    public static final Peaks NONE = new Peaks(0, Map.of());

    public Peaks {
        Map<DType, Double> ordered = new EnumMap<>(DType.class);
        ordered.putAll(flops);
        flops = Collections.unmodifiableMap(ordered);
    }

    /**
     * The least time that a launch can take by the roofline model (Williams, Waterman and Patterson 2009), in nanoseconds: its bytes at the
     * peak rate, or its operations, whatever is more. 0 if the peaks are not known.
     */
    public double least(Work work) {
        double memory = bytesPerSecond == 0 ? 0 : work.bytes() / bytesPerSecond;
        double peak = flops.getOrDefault(work.unit(), 0.0);
        return 1e9 * Math.max(memory, peak == 0 ? 0 : work.flops() / peak);
    }
}
