// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.IndexError;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * Checks i64 indices of any shape: results are in {@code [0, bound)}, or the run ends in an {@link
 * IndexOutOfBoundsException}.
 *
 * @param wrap negative indices down to {@code -bound} count from the end; otherwise they are errors
 * @param operator name of the operator that the check is made for, which the error names
 */
public record CheckIndex(long bound, boolean wrap, String operator) implements Indexed {
    /** A check for an indexing expression, in which negative indices count from the end. */
    public CheckIndex(long bound) {
        this(bound, true, "index");
    }

    @Override
    public String name() {
        return "check_index";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("bound", bound);
        out.put("wrap", wrap);
        out.put("operator", operator);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.isIndex(this, in, 0);
        return List.of(in.get(0));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        return List.of(RefArray.ofLongs(x.type(), i -> check(operator, x.getLong(i), bound, wrap)));
    }

    /**
     * The index, counted from the start.
     *
     * @throws IndexError naming operator, value and bound
     */
    static int check(String operator, long index, long bound, boolean wrap) {
        if (index >= bound || index < (wrap ? -bound : 0)) {
            throw new IndexError(operator, index, bound);
        }
        return (int) (index < 0 ? index + bound : index);
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.values(
                        new CheckIndex(5), RefArray.ofLongs(DType.I64, Shape.of(2, 4), 0, 4, -1, -5, 2, 2, -3, 1)),
                Sample.values(
                        new CheckIndex(5, false, "cross_entropy"), RefArray.ofLongs(DType.I64, Shape.of(3), 0, 4, 2)),
                Sample.values(new CheckIndex(1), RefArray.ofLongs(DType.I64, Shape.SCALAR, -1)),
                Sample.values(new CheckIndex(0), RefArray.zeros(Type.of(DType.I64, 0))));
    }
}
