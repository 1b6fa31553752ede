// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.SimulatedProgram.ChangedKernel;
import io.sinter.runtime.SimulatedProgram.Recording;
import io.sinter.runtime.SimulatedProgram.Replay;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A recorded run, done again with another kernel, gives what the whole program gives with it. */
class SimulatedProgramTest {
    private static final SimulatedProgram.Machine MACHINE =
            SimulatedProgram.Machine.of(SimOptions.DEFAULT, Target.SM_80);
    private static final Type ROWS = Type.of(DType.F32, 3, 40);

    /** A kernel, a sort of what it gives, and a kernel that reads the sorted rows. */
    private static Graph threeSteps() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(ROWS);
        Node sorted = g.emit(new Sort(1, false), List.of(g.mul(x, 0.3))).getFirst();
        List<Node> results = new ArrayList<>(List.of(g.add(sorted, 0.7), g.sum(sorted, 1)));
        return Graph.of(List.of(x), results, List.of(-1, -1));
    }

    private static ChangedKernel changed(Recording r, String from, String to) {
        String text =
                r.modules().stream().filter(t -> t.contains(from)).findFirst().orElseThrow();
        return changedIn(text, text.replace(from, to));
    }

    private static ChangedKernel changedIn(String text, String changed) {
        Matcher entry = Pattern.compile("\\.entry (\\w+)\\(").matcher(text);
        assertTrue(entry.find());
        return new ChangedKernel(text, entry.group(1), changed);
    }

    private static List<List<Double>> numbers(List<RefArray> results) {
        return results.stream()
                .map(a -> IntStream.range(0, a.size()).mapToObj(a::getDouble).toList())
                .toList();
    }

    private static Replay again(Recording r, ChangedKernel change) {
        return r.again(change, instructions -> 4 * instructions + 1000);
    }

    @Test
    void theSameKernelsGiveTheSame() {
        SimulatedProgram program = new SimulatedProgram(threeSteps());
        List<RefArray> args = List.of(Sample.uniform(ROWS, -2, 2, 1));
        Recording r = program.record(args, MACHINE);
        assertNull(r.error());
        assertEquals(
                numbers(program.interpret(args)).getFirst(),
                numbers(r.outcome().results()).getFirst());
        for (String text : r.modules()) {
            Replay same = again(r, changedIn(text, text));
            assertTrue(same.isTheSame());
            assertEquals(numbers(r.outcome().results()), numbers(same.results()));
        }
    }

    /** What follows the change sees it, whether it is at the beginning or at the end. */
    @Test
    void aChangeGivesWhatTheProgramGivesWithIt() {
        SimulatedProgram program = new SimulatedProgram(threeSteps());
        List<RefArray> args = List.of(Sample.uniform(ROWS, -2, 2, 1));
        Recording r = program.record(args, MACHINE);
        for (String operation : List.of("mul.rn.f32", "add.rn.f32")) {
            ChangedKernel change = changed(r, operation, operation.replace("rn", "rz"));
            Replay again = again(r, change);
            assertFalse(again.isTheSame());
            assertEquals(numbers(program.run(args, MACHINE, change::change).results()), numbers(again.results()));
            assertNotEquals(numbers(r.outcome().results()), numbers(again.results()));
        }
    }

    @Test
    void aKernelThatNeverEndsIsStopped() {
        SimulatedProgram program = new SimulatedProgram(threeSteps());
        Recording r = program.record(List.of(Sample.uniform(ROWS, -2, 2, 1)), MACHINE);
        ChangedKernel change = changed(r, "ret;", "FOREVER: bra FOREVER;");
        assertThrows(SimFault.class, () -> again(r, change));
    }

    /** A wrong index ends a run before there are results; what the host makes of another report, only the host says. */
    @Test
    void aWrongIndexIsWhatTheHostWasTold() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(ROWS);
        Node places = g.input(Type.of(DType.I64, 4));
        SimulatedProgram program = new SimulatedProgram(g.build(g.apply(new Take(0), x, places)));
        RefArray wrong = RefArray.ofLongs(Type.of(DType.I64, 4), i -> i == 2 ? 3 : 0);
        Recording r = program.record(List.of(Sample.uniform(ROWS, -2, 2, 1), wrong), MACHINE);
        assertNull(r.outcome());
        assertEquals(
                "take: index 3 is out of bounds for an extent of 3", r.error().getMessage());
        String text = r.modules().getFirst();
        Replay same = again(r, changedIn(text, text));
        assertTrue(same.isTheSame());
        assertNull(same.results());
        Replay other = again(r, changedIn(text, text.replaceAll("(st\\.global\\.b64 \\[%rd\\d+)\\+16\\]", "$1+24]")));
        assertFalse(other.isTheSame());
        assertNull(other.results());
    }
}
