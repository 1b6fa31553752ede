// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Profile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a run queues on the simulated GPU: copies, launches, graphs; and how its faults are told. */
class PtxQueueTest {
    private static final Options OPTIONS =
            Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM);

    /** A chain of four kernels (sums of rows stay between), which grows x by 1 in the end. */
    private static Graph chain() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 64, 64));
        Node y = g.sub(x, g.expand(g.reshape(g.sum(g.sum(x, 1), 0), Shape.of(1, 1)), x.shape()));
        Node z = g.add(y, g.expand(g.reshape(g.sum(g.sum(x, 0), 0), Shape.of(1, 1)), x.shape()));
        return g.build(g.add(z, 1));
    }

    /** Nothing is copied to the host before somebody reads; a run sends its parameters in one copy. */
    @Test
    void tensorsStayOnTheDevice() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            Buffer b = Buffers.of(own, Sample.uniform(Type.of(DType.F32, 64, 64), -1, 1, 1));
            float before = Buffers.first(b);
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            counted.reset();
            for (int i = 0; i < 3; i++) b = e.run(List.of(b)).result(0);
            assertEquals(3, counted.calls("copyIn"));
            assertEquals(0, counted.calls("copyOut"));
            assertEquals(0, counted.calls("synchronize"));
            assertEquals(before + 3, Buffers.first(b), 1e-3);
            assertEquals(1, counted.calls("copyOut"));
        }
    }

    /** From the second equal run on it is a graph, also with other arguments: their addresses are data. */
    @Test
    void equalRunsAreReplayedAsAGraph() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            assertTrue(e.kernels() >= 3, "too few kernels for a graph: " + e.kernels());
            List<Buffer> kept = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Buffer b = Buffers.of(own, RefArray.of(Type.of(DType.F32, 64, 64), j -> j));
                kept.add(b);
                Buffer r = e.run(List.of(b)).result(0);
                kept.add(r);
                assertEquals(1, Buffers.first(r), 1);
            }
            assertEquals(1, counted.calls("beginCapture"));
            assertEquals(4, counted.calls("launchGraph"));
            float[] all = new float[64 * 64];
            kept.getLast().read(0, MemorySegment.ofArray(all));
            for (int j = 0; j < all.length; j++) assertEquals(j + 1, all[j], 1);
        }
    }

    /** Temporaries that lie elsewhere after every second run: capturing costs more than it saves, and is soon left. */
    @Test
    void runsThatKeepChangingAreNoGraphs() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            Plan plan = Compiler.plan(chain(), Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
            Executable e = Executable.of(plan, CompileContext.of(own));
            Buffer b = smallNumbers(own);
            for (int i = 0; i < 40; i++) {
                Buffer there = i / 2 % 2 == 0 ? null : own.allocator().allocate(plan.arenaBytes());
                Buffer r = e.run(List.of(b)).result(0);
                if (there != null) there.release();
                assertEquals(4, Buffers.first(r));
                r.release();
            }
            assertTrue(counted.calls("beginCapture") >= 1, "the arena did not move");
            assertTrue(counted.calls("beginCapture") <= 2, "captured " + counted.calls("beginCapture"));
            counted.reset();
            for (int i = 0; i < 10; i++)
                assertEquals(4, Buffers.first(e.run(List.of(b)).result(0)));
            assertTrue(counted.calls("launchGraph") > 0, "runs that stay the same");
        }
    }

    /** With a profile each launch is between two events, which are read when the run has ended: one wait for a run, and no graphs. */
    @Test
    void aProfileWaitsOnceForEachRun() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            for (int i = 0; i < 2; i++) e.run(List.of(b));
            Profile profile = new Profile(true);
            own.profileInto(profile);
            counted.reset();
            List<Buffer> results = new ArrayList<>();
            for (int i = 1; i <= 3; i++) {
                results.add(e.run(List.of(b)).result(0));
                assertEquals(i, counted.calls("synchronize"));
                assertEquals(i * e.kernels(), counted.calls("launch"));
                assertEquals(i * 2 * e.kernels(), counted.calls("nanosBetween"));
            }
            for (Buffer r : results) assertEquals(4, Buffers.first(r));
            assertEquals(0, counted.calls("launchGraph") + counted.calls("beginCapture"));
            own.profileInto(null);
            List<KernelTime> times = profile.kernels();
            assertEquals(e.kernels(), times.size());
            for (KernelTime t : times) assertTrue(t.calls() == 3 && t.shortest() > 0, t.toString());
            counted.reset();
            for (int i = 0; i < 2; i++)
                assertEquals(4, Buffers.first(e.run(List.of(b)).result(0)));
            assertEquals(0, counted.calls("beginCapture"));
            assertEquals(2, counted.calls("launchGraph"));
            assertEquals(0, counted.calls("nanosBetween"));
        }
    }

    /** A run that fails while it is captured leaves no graph of a part of it behind. */
    @Test
    void failedCapturesLeaveNoGraph() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(OPTIONS, counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            assertEquals(4, Buffers.first(e.run(List.of(b)).result(0)));
            counted.fail("launch");
            assertThrows(GpuFaultException.class, () -> e.run(List.of(b)));
            assertEquals(1, counted.calls("beginCapture"));
            counted.fail("");
            for (int i = 0; i < 2; i++)
                assertEquals(4, Buffers.first(e.run(List.of(b)).result(0)));
            assertEquals(2, counted.calls("beginCapture"));
            assertEquals(2, counted.calls("launchGraph"));
        }
    }

    /** An argument of {@link #chain}, whose sums are exact. */
    private static Buffer smallNumbers(Session session) {
        return Buffers.of(session, RefArray.of(Type.of(DType.F32, 64, 64), i -> 3 + i % 5));
    }

    private static Session open(String property, String value, GpuDriver driver) {
        System.setProperty(property, value);
        try {
            return Session.open(OPTIONS, driver);
        } finally {
            System.clearProperty(property);
        }
    }

    @Test
    void graphsCanBeSwitchedOff() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = open("sinter.gpu.graphs", "false", counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            for (int i = 1; i <= 3; i++) {
                assertEquals(4, Buffers.first(e.run(List.of(b)).result(0)));
                assertEquals(i * e.kernels(), counted.calls("launch"));
            }
            assertEquals(0, counted.calls("beginCapture"));
            assertEquals(0, counted.calls("launchGraph"));
        }
    }

    @Test
    void codeForAnOlderArchitectureCanBeAskedFor() {
        try (Session own = open(PtxModules.TARGET_PROPERTY, "sm_89", new SimDriver(Target.SM_90A))) {
            assertEquals(Target.SM_89, own.gpu().modules().target());
        }
        assertTrue(assertThrows(
                        SettingException.class,
                        () -> open(PtxModules.TARGET_PROPERTY, "sm_90a", new SimDriver(Target.SM_80)))
                .getMessage()
                .contains("runs code for sm_80 and older"));
        assertTrue(assertThrows(
                        SettingException.class,
                        () -> open(PtxModules.TARGET_PROPERTY, "sm_1", new SimDriver(Target.SM_80)))
                .getMessage()
                .contains("-Dsinter.gpu.target"));
    }

    /** The simulated GPU is one that runs the code that is asked for, unless another one is asked for. */
    @Test
    void theSimulatedGpuSuitsTheCode() {
        try (Session own = open(PtxModules.TARGET_PROPERTY, "sm_90", null)) {
            assertEquals(Target.SM_90, own.gpu().modules().target());
        }
        System.setProperty("sinter.ptx-sim", "sm_80");
        try {
            SettingException thrown =
                    assertThrows(SettingException.class, () -> open(PtxModules.TARGET_PROPERTY, "sm_90", null));
            assertTrue(thrown.getMessage().contains("runs code for sm_80 and older"), thrown.getMessage());
        } finally {
            System.clearProperty("sinter.ptx-sim");
        }
        for (String property : List.of(PtxModules.TARGET_PROPERTY, "sinter.ptx-sim", MatmulChoice.PROPERTY)) {
            SettingException thrown = assertThrows(SettingException.class, () -> open(property, "sm90", null));
            assertTrue(thrown.getMessage().contains("-D" + property), thrown.getMessage());
        }
    }

    /** Each kernel is waited for, also in equal runs, and the one that has the fault is named with the lines whose results it works on. */
    @Test
    void eachKernelCanBeWaitedFor() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = open("sinter.gpu.wait", "true", counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            counted.reset();
            for (int i = 1; i <= 3; i++) {
                e.run(List.of(b));
                assertEquals(i * e.kernels(), counted.calls("launch"));
                assertEquals(i * e.kernels(), counted.calls("synchronize"));
            }
            assertEquals(0, counted.calls("launchGraph"));

            GraphBuilder g = new GraphBuilder();
            Executable exp =
                    Executable.compile(g.build(g.exp(g.input(Type.of(DType.F32, 64, 64)))), CompileContext.of(own));
            counted.reset();
            counted.fail("synchronize");
            GpuFaultException thrown =
                    assertThrows(GpuFaultException.class, () -> exp.run(List.of(b), i -> "Model.java:" + (7 + i)));
            counted.fail("");
            assertEquals(1, counted.calls("launch"));
            assertTrue(
                    thrown.getMessage()
                            .matches(
                                    "(?s)CUDA_ERROR_ILLEGAL_ADDRESS \\(700\\) in kernel k_exp_.*\n    at Model.java:7"),
                    thrown.getMessage());
        }
    }

    /** A fault arrives late; the message says which kernels may have it. */
    @Test
    void faultsNameTheKernelsThatWereRunning() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        Session own = Session.open(OPTIONS, counted.driver);
        Buffer b = Buffers.of(own, Sample.uniform(Type.of(DType.F32, 64, 64), -1, 1, 1));
        Buffer r = Executable.compile(chain(), CompileContext.of(own))
                .run(List.of(b))
                .result(0);
        counted.fail("synchronize");
        GpuFaultException thrown = assertThrows(GpuFaultException.class, () -> Buffers.first(r));
        counted.fail("");
        assertTrue(thrown.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), thrown.getMessage());
        assertTrue(thrown.getMessage().contains("k_"), thrown.getMessage());
        own.close();
    }
}
