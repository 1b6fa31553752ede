// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One step of an optimizer for one parameter: {@code p, g, states…, numbers… -> p', states'…}, the parameter, its gradient and the states of one shape and
 * dtype, the numbers in the dtype that the arrays are computed in.
 *
 * <p>It always is taken apart. That it is one operator shortens the trace of a training step by half, of which most would be optimizers' arithmetic.
 */
sealed interface OptimizerStep extends Composite permits AdamStep, SgdStep, RmspropStep {
    /** How many arrays it keeps from step to step. */
    int states();

    /** How many numbers follow the arrays. */
    int numbers();

    /**
     * The step in other operators, its operands as they are computed.
     *
     * @return the parameter, then the states
     */
    <V> List<V> next(Emitter<V> e, V p, V g, List<V> states, List<V> numbers);

    /**
     * The step of one element.
     *
     * @param x the parameter's, the gradient's and the states'; all but the gradient's are overwritten
     */
    void next(double[] x, double[] numbers);

    private int arrays() {
        return 2 + states();
    }

    @Override
    default List<Type> infer(List<Type> in) {
        Rule.arity(this, in, arrays() + numbers());
        Rule.isFloat(this, in, 0);
        Type p = in.get(0);
        Type number = Type.scalar(p.dtype().compute());
        for (int i = 1; i < in.size(); i++) {
            Type wanted = i < arrays() ? p : number;
            if (in.get(i).equals(wanted)) continue;
            throw OpException.of(
                    name(), in, "operand %s must be %s beside a parameter %s; cast or expand it", i, wanted, p);
        }
        return Collections.nCopies(1 + states(), p);
    }

    @Override
    default <V> List<V> decompose(Emitter<V> e, List<V> in) {
        List<V> wide = new ArrayList<>();
        for (V v : in.subList(0, arrays())) wide.add(Composite.wide(e, v));
        List<V> numbers = in.subList(arrays(), in.size());
        return next(e, wide.get(0), wide.get(1), wide.subList(2, arrays()), numbers).stream()
                .map(x -> Composite.as(e, x, in.get(0)))
                .toList();
    }

    @Override
    default List<RefArray> evaluate(List<RefArray> in) {
        double[] numbers = new double[numbers()];
        for (int i = 0; i < numbers.length; i++)
            numbers[i] = in.get(arrays() + i).getDouble(0);
        List<RefArray> out = new ArrayList<>();
        for (int i = 0; i <= states(); i++) out.add(RefArray.zeros(in.get(0).type()));
        double[] x = new double[arrays()];
        for (int i = 0; i < in.get(0).size(); i++) {
            for (int k = 0; k < x.length; k++) x[k] = in.get(k).getDouble(i);
            next(x, numbers);
            out.get(0).set(i, x[0]);
            for (int k = 1; k <= states(); k++) out.get(k).set(i, x[k + 1]);
        }
        return out;
    }

    /** The states of a sample, at which the step is smooth. */
    List<RefArray> sampleStates(Type type);

    /** Parameters of several types, with these numbers. */
    default List<Sample> samples(double... numbers) {
        List<Sample> s = new ArrayList<>();
        s.add(sample(Type.of(DType.F64, 3, 5), true, numbers));
        s.add(sample(Type.of(DType.F32, 7, 19), true, numbers));
        s.add(sample(Type.of(DType.F32), false, numbers));
        s.add(sample(Type.of(DType.F16, 50), false, numbers));
        s.add(sample(Type.of(DType.BF16, 50), false, numbers));
        s.add(sample(Type.of(DType.F32, 0), false, numbers));
        return s;
    }

    private Sample sample(Type type, boolean smooth, double[] numbers) {
        List<RefArray> in = new ArrayList<>();
        in.add(Sample.uniform(type, -1, 1, 1));
        in.add(Sample.uniform(type, -1, 1, 2));
        in.addAll(sampleStates(type));
        for (double number : numbers) in.add(RefArray.of(type.dtype().compute(), Shape.SCALAR, number));
        return new Sample(this, in, smooth);
    }
}
