// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.JvmKernel;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Sort;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Profile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Plans run with kernels written by hand: no code generator takes part. */
class JvmExecutableTest {
    private static final int N = 1000;
    private static final Type VECTOR = Type.of(DType.F32, N);
    private static final Type SUM = Type.scalar(DType.F32);
    private static final Place NOWHERE = new Place.Temp(0, 0);

    private final Session session = Session.open(Options.fromProperties().withThreads(3));
    private final AtomicInteger generated = new AtomicInteger();
    private final JvmKernels code = new JvmKernels((k, _) -> {
        generated.incrementAndGet();
        return switch (k.name()) {
            case "axpy" -> new Axpy();
            case "sum" -> new Sum();
            case "checked" -> new Checked();
            default -> throw new IllegalArgumentException("no code for " + k.name());
        };
    });

    @AfterEach
    void close() {
        session.close();
    }

    /** y[i] = a * x[i] + y[i]; slots: record, x, y, n, a. */
    private static class Axpy extends JvmKernel {
        @Override
        public String name() {
            return "axpy";
        }

        @Override
        public long tasks(int phase, long params) {
            return (Memory.getLong(params + 24) + 15) / 16;
        }

        @Override
        public long scratchBytes(long params) {
            return 16 * 4;
        }

        @Override
        public void run(int phase, long params, long begin, long end, long scratch, long workspace) {
            long x = Memory.getLong(params + 8);
            long y = Memory.getLong(params + 16);
            long n = Memory.getLong(params + 24);
            float a = Memory.getFloat(params + 32);
            for (long t = begin; t < end; t++) {
                long first = t * 16;
                long last = Math.min(n, first + 16);
                for (long i = first; i < last; i++)
                    Memory.putFloat(scratch + (i - first) * 4, a * Memory.getFloat(x + i * 4));
                for (long i = first; i < last; i++) {
                    Memory.putFloat(y + i * 4, Memory.getFloat(y + i * 4) + Memory.getFloat(scratch + (i - first) * 4));
                }
            }
        }
    }

    /** out = sum of x, in partial sums of 100 in the workspace; slots: record, x, out, n. */
    private static final class Sum extends JvmKernel {
        @Override
        public String name() {
            return "sum";
        }

        @Override
        public int phases() {
            return 2;
        }

        @Override
        public long tasks(int phase, long params) {
            return phase == 0 ? (Memory.getLong(params + 24) + 99) / 100 : 1;
        }

        @Override
        public long scratchBytes(long params) {
            return 0;
        }

        @Override
        public long workspaceBytes(long params) {
            return tasks(0, params) * 4;
        }

        @Override
        public void run(int phase, long params, long begin, long end, long scratch, long workspace) {
            long x = Memory.getLong(params + 8);
            long n = Memory.getLong(params + 24);
            if (phase == 1) {
                float sum = 0;
                for (long t = 0; t < tasks(0, params); t++) sum += Memory.getFloat(workspace + t * 4);
                Memory.putFloat(Memory.getLong(params + 16), sum);
                return;
            }
            for (long t = begin; t < end; t++) {
                float sum = 0;
                for (long i = t * 100; i < Math.min(n, t * 100 + 100); i++) sum += Memory.getFloat(x + i * 4);
                Memory.putFloat(workspace + t * 4, sum);
            }
        }
    }

    /** Fails when the scalar is not below 10; slots: record, index, site. */
    private static final class Checked extends JvmKernel {
        @Override
        public String name() {
            return "checked";
        }

        @Override
        public long tasks(int phase, long params) {
            return 1;
        }

        @Override
        public long scratchBytes(long params) {
            return 0;
        }

        @Override
        public void run(int phase, long params, long begin, long end, long scratch, long workspace) {
            long value = Memory.getLong(params + 8);
            if (value < 10) return;
            long record = Memory.getLong(params);
            Memory.putLong(record + 8, Memory.getLong(params + 16));
            Memory.putLong(record + 16, value);
            Memory.putLong(record + 24, 10);
            Memory.putLong(record, 1);
        }
    }

    private static Kernel kernel(String name, int slots) {
        // A buffer of another dtype makes another structure; the body does not matter here.
        DType mark = DType.values()[slots];
        return new LoopKernel(name, List.of(), List.of(new Buf(1, mark, Buf.Kind.IN)), slots, 0, List.of());
    }

    private static SlotValue at(Place p) {
        return new SlotValue.Address(p);
    }

    private static SlotValue number(long v) {
        return new SlotValue.Number(v);
    }

    private static List<SlotValue> axpy(Place x, Place y, long n, int scalar) {
        return List.of(new SlotValue.ErrorRecord(), at(x), at(y), number(n), new SlotValue.ScalarArgument(scalar));
    }

    private static Plan.Launch sum(Place x, Place out, long n) {
        return new Plan.Launch(
                kernel("sum", 4), List.of(List.of(new SlotValue.ErrorRecord(), at(x), at(out), number(n))));
    }

    private static Plan plan(
            List<Type> args,
            List<Boolean> scalars,
            List<Type> results,
            List<Place> places,
            long arena,
            Plan.Step... steps) {
        Graph nothing = new Graph(List.of(), List.of(), List.of(), List.of());
        return new Plan(
                nothing,
                args,
                scalars,
                results,
                places,
                List.of(steps),
                arena,
                List.of(new Plan.Site("take", 3), new Plan.Site("gather", 5)));
    }

    private Buffer filled(int n, float first, float step) {
        Buffer b = session.allocator().allocate(n * 4L);
        for (int i = 0; i < n; i++) Memory.putFloat(b.address() + i * 4L, first + i * step);
        return b;
    }

    private static float get(Buffer b, int i) {
        return Memory.getFloat(b.address() + i * 4L);
    }

    /** temp = x; temp += a*y; result 0 = sum(temp); argument y += a*x (donated); result 2 is result 0 again. */
    private Executable example() {
        Place x = new Place.Argument(0);
        Place y = new Place.Argument(1);
        Place temp = new Place.Temp(64, N * 4);
        Place out = new Place.Result(0);
        Plan plan = plan(
                List.of(VECTOR, VECTOR, SUM),
                List.of(false, false, true),
                List.of(SUM, VECTOR, SUM),
                List.of(out, y, out),
                64 + N * 4,
                new Plan.Copy(x, temp, N * 4),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(y, temp, N, 2))),
                sum(temp, out, N),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(x, y, N, 2))));
        return new JvmExecutable(StoredPlan.of(plan), session, code);
    }

    @Test
    void runsAPlan() {
        Executable e = example();
        assertEquals(3, e.kernels());
        for (float a : new float[] {2, 0.5f}) {
            Buffer x = filled(N, 1, 0);
            Buffer y = filled(N, 0, 1);
            Run run = e.run(List.of(x, y, Arg.Scalar.ofFloat(a)));
            assertEquals(N + a * (N * (N - 1) / 2), get(run.result(0), 0));
            assertSame(y, run.result(1));
            assertSame(run.result(0), run.result(2));
            for (int i = 0; i < N; i++) assertEquals(i + a, get(y, i));
        }
        // Two launches of one structure share code.
        assertEquals(2, generated.get());
        assertEquals(2, session.counters().runs());
        assertEquals(6, session.counters().kernelsLaunched());
    }

    @Test
    void temporariesEndWithTheRun() {
        Executable e = example();
        Buffer x = filled(N, 1, 0);
        Buffer y = filled(N, 0, 1);
        long before = session.allocator().stats().liveBytes();
        Run run = e.run(List.of(x, y, Arg.Scalar.ofFloat(2)));
        assertEquals(before + 64, session.allocator().stats().liveBytes());
        run.result(0).release();
        assertEquals(before, session.allocator().stats().liveBytes());
    }

    @Test
    void segmentsAreOneDispatch() {
        int[] sizes = {1, 40, 0, 333, 16, 17};
        List<Type> types = new ArrayList<>();
        List<Boolean> scalars = new ArrayList<>();
        List<List<SlotValue>> segments = new ArrayList<>();
        List<Arg> args = new ArrayList<>();
        for (int s = 0; s < sizes.length; s++) {
            types.add(Type.of(DType.F32, sizes[s]));
            types.add(Type.of(DType.F32, sizes[s]));
            args.add(filled(sizes[s], s, 1));
            args.add(filled(sizes[s], 0, 0));
            segments.add(axpy(new Place.Argument(2 * s), new Place.Argument(2 * s + 1), sizes[s], 2 * sizes.length));
        }
        types.add(SUM);
        args.add(Arg.Scalar.ofFloat(3));
        for (Type t : types) scalars.add(t == SUM);
        Plan plan = plan(types, scalars, List.of(), List.of(), 0, new Plan.Launch(kernel("axpy", 5), segments));
        Executable e = new JvmExecutable(StoredPlan.of(plan), session, code);
        e.run(args);
        assertEquals(1, session.counters().kernelsLaunched());
        for (int s = 0; s < sizes.length; s++) {
            for (int i = 0; i < sizes[s]; i++) assertEquals(3f * (s + i), get((Buffer) args.get(2 * s + 1), i));
        }
    }

    /** A kernel is asked once what it needs for launches of equal numbers, wherever their memory is; a memory that is less aligned is another question. */
    @Test
    void launchesOfEqualNumbersAskOnce() {
        Place x = new Place.Argument(0);
        Place y = new Place.Argument(1);
        Place odd = new Place.Part(x, 4, N * 4 - 4);
        AtomicInteger asked = new AtomicInteger();
        JvmKernels counting = new JvmKernels((_, _) -> new Axpy() {
            @Override
            public Demand demand(long params) {
                asked.incrementAndGet();
                return super.demand(params);
            }
        });
        Plan plan = plan(
                List.of(VECTOR, VECTOR, SUM),
                List.of(false, false, true),
                List.of(),
                List.of(),
                64 + N * 4,
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(x, y, N, 2))),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(x, y, 10, 2))),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(y, x, N, 2))),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(x, new Place.Temp(64, N * 4), N, 2))),
                new Plan.Launch(kernel("axpy", 5), List.of(axpy(odd, y, 10, 2))));
        JvmExecutable e = new JvmExecutable(StoredPlan.of(plan), session, counting);
        assertEquals(3, asked.get());
        Buffer a = filled(N, 1, 0);
        Buffer b = filled(N, 0, 0);
        e.run(List.of(a, b, Arg.Scalar.ofFloat(1)));
        assertEquals(3, get(a, 5));
        assertEquals(2, get(a, 20));
        assertEquals(5, get(b, 5));
        assertEquals(1, get(b, 20));
    }

    @Test
    void indexErrorsNameTheSiteAndTheNextRunIsClean() {
        Plan plan = plan(
                List.of(Type.scalar(DType.I64)),
                List.of(true),
                List.of(),
                List.of(),
                0,
                new Plan.Launch(
                        kernel("checked", 3),
                        List.of(List.of(new SlotValue.ErrorRecord(), new SlotValue.ScalarArgument(0), number(1)))));
        Executable e = new JvmExecutable(StoredPlan.of(plan), session, code);
        e.run(List.of(Arg.Scalar.ofLong(9)));
        IndexError error = assertThrows(IndexError.class, () -> e.run(List.of(Arg.Scalar.ofLong(12))));
        assertEquals("gather", error.operator());
        assertEquals(5, error.origin());
        assertEquals(12, error.value());
        assertEquals(10, error.bound());
        e.run(List.of(Arg.Scalar.ofLong(-3)));
    }

    @Test
    void libraryCalls() {
        Type indices = VECTOR.with(DType.I64);
        Plan plan = plan(
                List.of(VECTOR),
                List.of(false),
                List.of(VECTOR, indices),
                List.of(new Place.Result(0), new Place.Result(1)),
                0,
                new Plan.LibraryCall(
                        new Sort(0, true),
                        List.of(VECTOR),
                        List.of(new Place.Argument(0)),
                        List.of(VECTOR, indices),
                        List.of(new Place.Result(0), new Place.Result(1))));
        Run run = new JvmExecutable(StoredPlan.of(plan), session, code).run(List.of(filled(N, 0, 1)));
        assertEquals(N - 1, get(run.result(0), 0));
        assertEquals(N - 1, Memory.getLong(run.result(1).address()));
        assertEquals(0, Memory.getLong(run.result(1).address() + (N - 1) * 8L));
    }

    @Test
    void oneExecutableOnManyThreads() throws InterruptedException {
        Executable e = example();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            float a = t;
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; i < 100; i++) {
                        Run run = e.run(List.of(filled(N, 1, 0), filled(N, 0, 1), Arg.Scalar.ofFloat(a)));
                        assertEquals(N + a * (N * (N - 1) / 2), get(run.result(0), 0));
                        assertEquals(5 + a, get(run.result(1), 5));
                    }
                } catch (Throwable x) {
                    failures.add(x);
                }
            }));
        }
        for (Thread t : threads) t.join();
        assertEquals(List.of(), failures);
    }

    @Test
    void noMemoryNoRun() {
        try (Session small = Session.open(Options.fromProperties().withMemoryLimit(64 << 10))) {
            Place x = new Place.Argument(0);
            Plan plan = plan(
                    List.of(VECTOR, SUM),
                    List.of(false, true),
                    List.of(Type.of(DType.F32, 1 << 20)),
                    List.of(new Place.Result(0)),
                    0,
                    new Plan.Launch(kernel("axpy", 5), List.of(axpy(x, x, N, 1))));
            Executable e = new JvmExecutable(StoredPlan.of(plan), small, new JvmKernels((_, _) -> new Axpy()));
            Buffer b = small.allocator().allocate(N * 4);
            Memory.fill(b.address(), N * 4, (byte) 0);
            Memory.putFloat(b.address(), 7);
            OutOfDeviceMemoryException thrown = assertThrows(
                    OutOfDeviceMemoryException.class,
                    () -> e.run(List.of(b, Arg.Scalar.ofFloat(1)), _ -> "Model.java:42"));
            assertTrue(thrown.getMessage().contains("live"), thrown.getMessage());
            assertEquals(7, get(b, 0));
            b.release();
            assertNull(small.executables().find("nothing"));
        }
    }

    @Test
    void generationFailuresReachTheCaller() {
        Plan plan = plan(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                0,
                new Plan.Launch(kernel("unknown", 2), List.of(List.of(new SlotValue.ErrorRecord(), at(NOWHERE)))),
                new Plan.Launch(kernel("sum", 4), List.of()));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new JvmExecutable(StoredPlan.of(plan), session, code));
        assertTrue(e.getMessage().contains("unknown"), e.getMessage());
    }

    @Test
    void theProfileCountsLaunches() {
        Executable e = example();
        List<Arg> args = List.of(filled(N, 1, 0), filled(N, 0, 1), Arg.Scalar.ofFloat(2));
        e.run(args);
        Profile profile = new Profile(false);
        session.profileInto(profile);
        e.run(args);
        session.profileInto(null);
        e.run(args);
        assertEquals(
                2,
                profile.kernels().stream()
                        .filter(p -> p.kernel().startsWith("axpy"))
                        .mapToLong(KernelTime::calls)
                        .sum());
        assertTrue(session.report(profile, false).toString().contains("axpy"));
    }
}
