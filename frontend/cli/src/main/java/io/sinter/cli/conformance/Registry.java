// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * From PyTorch's operator names to calls of Sinter's public API. The entries are in the classes of this
 * package whose names end in Ops.
 */
final class Registry {
    /** One operator: decoded arguments in, what Sinter returns out. */
    interface Operator {
        /** Tensors, numbers, booleans, and lists, arrays and records of them. */
        Object call(Args args);
    }

    /**
     * Allowed difference: {@code |actual - expected| <= absolute + relative * |expected|}, and why it is
     * wider than the default.
     */
    record Tolerance(double relative, double absolute, String reason) {}

    /** A binary operator whose second operand is a floating-point number. */
    interface WithDouble {
        Tensor call(Tensor x, double y);
    }

    /** A binary operator whose second operand is a whole number. */
    interface WithLong {
        Tensor call(Tensor x, long y);
    }

    /**
     * For an operator that returns positions of elements, of which equal ones may be chosen freely: the
     * elements at given positions.
     */
    interface Elements {
        Tensor at(Args args, Tensor positions);
    }

    private final Map<String, Elements> free = new HashMap<>();
    private final Map<String, Operator> operators = new HashMap<>();
    private final Map<String, Tolerance> tolerances = new HashMap<>();
    private final Map<String, Tolerance> gradientTolerances = new HashMap<>();

    /** All operators that Sinter has. */
    static Registry all() {
        Registry r = new Registry();
        PointwiseOps.register(r);
        SpecialOps.register(r);
        ReductionOps.register(r);
        CreationOps.register(r);
        MovementOps.register(r);
        JoiningOps.register(r);
        IndexingOps.register(r);
        OrderingOps.register(r);
        LinearAlgebraOps.register(r);
        ActivationOps.register(r);
        LayerOps.register(r);
        PoolingOps.register(r);
        LossOps.register(r);
        SignalOps.register(r);
        FactorizationOps.register(r);
        return r;
    }

    /** The operator of a name, or null. */
    Operator operator(String name) {
        return operators.get(name);
    }

    /** The tolerance that was asked for an operator, or null for the default. */
    Tolerance tolerance(String name) {
        return tolerances.get(name);
    }

    /** The elements that an operator's positions stand for, if equal ones may be chosen freely; else null. */
    Elements free(String name) {
        return free.get(name);
    }

    /** Declares that PyTorch leaves open which of equal elements an operator's positions name. */
    void free(String name, Elements elements) {
        if (free.put(name, elements) != null) throw new IllegalStateException("two rules for the positions of " + name);
    }

    /** The tolerance of an operator's gradients, or null for the default. */
    Tolerance gradientTolerance(String name) {
        return gradientTolerances.getOrDefault(name, tolerances.get(name));
    }

    /** A tolerance for gradients only. */
    void gradientTolerance(String name, double relative, double absolute, String reason) {
        gradientTolerances.put(name, new Tolerance(relative, absolute, reason));
    }

    void add(String name, Operator operator) {
        if (operators.put(name, operator) != null) throw new IllegalStateException("two entries for " + name);
    }

    /** Names of one meaning. */
    void add(List<String> names, Operator operator) {
        for (String n : names) add(n, operator);
    }

    void unary(String name, UnaryOperator<Tensor> f) {
        add(name, a -> f.apply(a.x()));
    }

    /** A binary operator between tensors; a number becomes a tensor of shape []. */
    void binary(String name, BinaryOperator<Tensor> f) {
        add(name, a -> f.apply(a.x(), a.tensor(1, "other")));
    }

    /** A binary operator that takes tensors and numbers. */
    void binary(String name, BinaryOperator<Tensor> f, WithDouble withDouble, WithLong withLong) {
        add(name, a -> switch (a.value(1, "other")) {
            case Double d -> withDouble.call(a.x(), d);
            case Long l -> withLong.call(a.x(), l);
            default -> f.apply(a.x(), a.tensor(1, "other"));
        });
    }

    void tolerance(String name, double relative, double absolute, String reason) {
        if (tolerances.put(name, new Tolerance(relative, absolute, reason)) != null) {
            throw new IllegalStateException("two tolerances for " + name);
        }
    }
}
