// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Parameters that are updated with the same settings: numbers by name, such as {@code lr} and {@code
 * weightDecay}. They may be changed between any two steps; nothing is compiled anew for that.
 */
public final class ParamGroup {
    private final List<Tensor> parameters;
    private final Map<String, Double> settings;

    ParamGroup(Collection<Tensor> parameters, Map<String, Double> settings) {
        this.parameters = new ArrayList<>(parameters);
        // In the order of their names; asked for by name at every step.
        this.settings = new LinkedHashMap<>(new TreeMap<>(settings));
    }

    public List<Tensor> parameters() {
        return Collections.unmodifiableList(parameters);
    }

    /** The names of the optimizer's settings. */
    public Collection<String> names() {
        return Collections.unmodifiableSet(settings.keySet());
    }

    /**
     * A setting.
     *
     * @throws IllegalArgumentException if the optimizer has none of that name
     */
    public double get(String name) {
        Double v = settings.get(name);
        if (v == null) throw unknown(name);
        return v;
    }

    /**
     * Changes a setting, from the next step on.
     *
     * @throws IllegalArgumentException if the optimizer has none of that name, or the value is negative or
     *     NaN
     */
    public ParamGroup set(String name, double value) {
        if (!settings.containsKey(name)) throw unknown(name);
        if (!(value >= 0)) throw new IllegalArgumentException("optimizer setting " + name + " cannot be " + value);
        settings.put(name, value);
        return this;
    }

    boolean is(String name) {
        return get(name) != 0;
    }

    /** The learning rate. */
    public double lr() {
        return get(Optimizer.LR);
    }

    public ParamGroup lr(double value) {
        return set(Optimizer.LR, value);
    }

    private IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException(
                "this optimizer has no setting '" + name + "'; it has " + settings.keySet());
    }
}
