// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Local;
import io.sinter.ir.ref.ExprInterpreter;
import io.sinter.ir.ref.GradCheck;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEmitter;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operator's declaration against itself: evaluation, type rule, scalar code, gradient, text.
 */
class OperatorTableTest {
    private final RefEmitter reference = new RefEmitter();

    @Test
    void everyOperatorOfTheTextFormIsInTheTable() {
        Set<String> names = new HashSet<>();
        for (Op op : Operators.all()) assertTrue(names.add(op.name()), "twice: " + op.name());
        names.addAll(List.of("input", "project"));
        assertEquals(Set.copyOf(OpText.names()), names);
    }

    /** One test for each operator that {@code applies} to. */
    private static Stream<DynamicTest> each(Predicate<Op> applies, Consumer<Op> test) {
        return Operators.all().stream()
                .filter(applies)
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> test.accept(op)));
    }

    @TestFactory
    Stream<DynamicTest> hasSamplesOfTheTypesItInfers() {
        return each(_ -> true, op -> {
            assertFalse(op.samples().isEmpty());
            for (Sample s : op.samples()) {
                assertEquals(op.name(), s.op().name());
                reference.emit(s.op(), s.inputs()); // compares inferred and evaluated types
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> attributesPrintAndParseBack() {
        return each(_ -> true, op -> op.samples().forEach(s -> assertTextComesBack(s.op())));
    }

    private static void assertTextComesBack(Op op) {
        String text = OpText.format(op);
        Op back = OpText.parse(text);
        assertTrue(back.sameAs(op), text + " came back as " + OpText.format(back));
    }

    @TestFactory
    Stream<DynamicTest> scalarCodeComputesTheReference() {
        return each(Elementwise.class::isInstance, op -> op.samples().forEach(this::compareScalarCode));
    }

    private void compareScalarCode(Sample s) {
        RefArray expected = reference.emit(s.op(), s.inputs()).get(0);
        DType out = expected.dtype();
        DType in = s.inputs().get(s.op() instanceof Where ? 1 : 0).dtype();
        List<Local> locals = new ArrayList<>();
        List<Expr> operands = new ArrayList<>();
        for (RefArray x : s.inputs()) {
            Local l = new Local("x" + locals.size(), x.dtype().compute());
            locals.add(l);
            operands.add(new Expr.Ref(l));
        }
        Expr code = ((Elementwise) s.op()).scalar(operands, in, out);
        assertEquals(out.compute(), code.dtype(), s + ": type of the scalar code");
        for (int i = 0; i < expected.size(); i++) {
            Map<Local, Long> values = new HashMap<>();
            StringBuilder at = new StringBuilder();
            for (int k = 0; k < locals.size(); k++) {
                RefArray x = s.inputs().get(k);
                DType t = x.dtype().compute();
                values.put(
                        locals.get(k),
                        t.isFloat() ? ExprInterpreter.encode(t, x.getDouble(i)) : Long.valueOf(x.getLong(i)));
                at.append(' ').append(t.isFloat() ? x.getDouble(i) : x.getLong(i));
            }
            long bits = ExprInterpreter.eval(code, new ExprInterpreter.Locals(values));
            RefArray got = RefArray.zeros(Type.scalar(out));
            if (out.isFloat()) got.set(0, ExprInterpreter.decode(out.compute(), bits));
            else got.set(0, bits);
            RefArray want = RefArray.zeros(Type.scalar(out));
            want.copy(0, expected, i);
            if (!close(want, got)) fail(s + " at" + at + ": scalar code gives " + got + ", reference " + want);
        }
    }

    private static boolean close(RefArray want, RefArray got) {
        if (!want.dtype().isFloat() || Double.isNaN(want.getDouble(0))) return want.sameAs(got);
        double w = want.getDouble(0);
        double g = got.getDouble(0);
        double ulp =
                switch (want.dtype()) {
                    case F64 -> 0x1p-52;
                    case F32 -> 0x1p-23;
                    case F16 -> 0x1p-10;
                    case BF16 -> 0x1p-7;
                    case I64, I32, I16, I8, U8, BOOL -> 0;
                };
        return w == g || Math.abs(w - g) <= 4 * ulp * Math.abs(w) + Float.MIN_VALUE;
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreTheSlopes() {
        return smooth(s -> checkGradient(s, GradCheck.of(s.op())));
    }

    @TestFactory
    Stream<DynamicTest> gradientsOfGradientsAreTheSlopesOfGradients() {
        return smooth(s -> checkGradient(s, GradCheck.gradientOf(GradCheck.of(s.op()))));
    }

    /** One test for each smooth sample in f64. */
    private static Stream<DynamicTest> smooth(Consumer<Sample> test) {
        return Operators.samples().stream()
                .filter(Sample::smooth)
                .filter(s -> s.inputs().stream().anyMatch(x -> x.dtype() == DType.F64))
                .map(s -> DynamicTest.dynamicTest(s.toString(), () -> test.accept(s)));
    }

    private static void checkGradient(Sample s, GradCheck.Function f) {
        GradCheck.check(f, s.inputs()).ifPresent(m -> fail(s + ": " + m));
    }

    /** On all samples, also of other dtypes and at kinks: the tape checks the gradients' types. */
    @TestFactory
    Stream<DynamicTest> gradientsHaveTheOperandsTypes() {
        return each(_ -> true, op -> op.samples().forEach(this::differentiate));
    }

    private void differentiate(Sample s) {
        Tape<RefArray> tape = new Tape<>(reference);
        List<Tape.Var<RefArray>> in = s.inputs().stream().map(tape::leaf).toList();
        List<Tape.Var<RefArray>> out = new ArrayList<>();
        List<Tape.Var<RefArray>> seeds = new ArrayList<>();
        for (Tape.Var<RefArray> v : tape.emit(s.op(), in)) {
            if (!tape.type(v).dtype().isFloat()) continue;
            out.add(v);
            seeds.add(tape.leaf(Sample.uniform(tape.type(v), 0.5, 1.5, 5)));
        }
        tape.gradients(out, seeds, in);
    }
}
