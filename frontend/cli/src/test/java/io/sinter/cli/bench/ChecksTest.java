// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.Tensor;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The benchmark's checks of outputs: they pass where the code is right, and fail where one element is wrong. */
class ChecksTest {
    private static boolean isReference() {
        return Session.current().options().backend() == Options.Backend.REFERENCE;
    }

    /** Adds {@code error} to element {@code at} wherever the code is not on the reference evaluator. */
    private static Tensor spoilt(Tensor x, long at, double error) {
        if (isReference()) return x;
        Tensor place = Tensor.arange(x.numel()).reshape(x.shape()).eq(Tensor.scalar(at));
        return x.add(place.to(x.dtype()).mul(error));
    }

    private static void check(Function<Mode, Repetition> repetition, Mode mode) {
        Repetition r = repetition.apply(mode);
        r.run();
        r.check();
    }

    private static Function<Mode, Repetition> product(UnaryOperator<Tensor> last) {
        return Functions.forward(
                () -> new Tensor[] {Tensor.randn(50, 30), Tensor.randn(30, 20)},
                x -> new Tensor[] {last.apply(x[0].matmul(x[1]))},
                Part.along(2, new int[] {0, Part.WHOLE}, 0));
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void rightOutputsPass(Mode mode) {
        assertDoesNotThrow(() -> check(product(y -> y), mode));
        assertDoesNotThrow(() -> check(product(y -> spoilt(y, 3, 1e-7)), mode));
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void aWrongElementIsFoundInTheFirstAndInTheLastPart(Mode mode) {
        WrongOutput first = assertThrows(WrongOutput.class, () -> check(product(y -> spoilt(y, 3, 0.01)), mode));
        assertTrue(first.getMessage().startsWith("output 0, element 3 of 40, is "), first.getMessage());
        WrongOutput last = assertThrows(WrongOutput.class, () -> check(product(y -> spoilt(y, 999, 0.01)), mode));
        assertTrue(last.getMessage().startsWith("output 0, element 39 of 40, is "), last.getMessage());
        assertThrows(WrongOutput.class, () -> check(product(y -> spoilt(y, 3, Double.NaN)), mode));
    }

    private static Function<Mode, Repetition> gradients(double error) {
        return Functions.withGradients(
                () -> new Tensor[] {Tensor.randn(12, 5), Tensor.randn(5)},
                () -> Tensor.randn(12, 5),
                x -> x[0].mul(isReference() ? x[1] : x[1].mul(1 + error)).sin(),
                Part.alongWithGradients(2, new int[] {1, 0}, 1, 1, 1, 0));
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void gradientsAreCompared(Mode mode) {
        assertDoesNotThrow(() -> check(gradients(0), mode));
        assertThrows(WrongOutput.class, () -> check(gradients(0.01), mode));
    }

    @Test
    void integersAreComparedExactly() {
        Function<Mode, Repetition> sorted = Functions.forward(
                () -> new Tensor[] {Tensor.randn(100)},
                x -> new Tensor[] {isReference() ? x[0].sort().indices() : x[0].argsort(0, true)},
                Part.whole(1));
        assertThrows(WrongOutput.class, () -> check(sorted, Mode.TRACED));
    }

    @Test
    void partsAreTheFirstTheLastAndOneBetween() {
        Tensor x = Tensor.arange(100).reshape(10, 10);
        List<Part> parts = Part.along(3, new int[] {1}, 1).of(new Tensor[] {x});
        List<Long> first = parts.stream()
                .map(p -> p.inputs().getFirst().apply(x).toLongs()[0])
                .toList();
        assertEquals(List.of(0L, 3L, 7L), first);
    }

    /** The names in the peer's file, those for GPUs alone left out. */
    @Test
    void theCasesAreThePeers() throws Exception {
        Path file = Path.of("..", "..", "tests", "peers", "torch_peer.py");
        String text = Files.readString(file);
        Set<String> names = new TreeSet<>();
        Pattern.compile("@case\\ndef (\\w+)").matcher(text).results().forEach(m -> names.add(m.group(1)));
        Pattern.compile("CASES\\[\"(\\w+)\"\\]").matcher(text).results().forEach(m -> names.add(m.group(1)));
        MatchResult sizes = Pattern.compile("for _n in \\(([\\d, ]+)\\)")
                .matcher(text)
                .results()
                .findFirst()
                .orElseThrow();
        for (String n : sizes.group(1).split(", ")) names.add("gemm_" + n);
        names.remove("gemm_");
        MatchResult gpu = Pattern.compile("GPU_ONLY = \\{(.*)\\}")
                .matcher(text)
                .results()
                .findFirst()
                .orElseThrow();
        for (String n : gpu.group(1).replace("\"", "").split(", ")) names.remove(n);
        Set<String> ours = new TreeSet<>();
        for (BenchCase c : BenchCommand.all()) ours.add(c.name());
        assertEquals(names, ours);
        for (String n : ours) assertTrue(Figures.ratio(n, false) > 0, n);
    }
}
