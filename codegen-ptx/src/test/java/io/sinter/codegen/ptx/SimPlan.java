// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.codegen.ptx.sim.TensorMap;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/** Runs a graph's kernels as PTX on the simulator, each in a form that the test chooses. */
final class SimPlan {
    /** Chooses the form of a launch. */
    interface Choice {
        Schedule of(Kernel kernel, IntToLongFunction slot);
    }

    private final Graph graph;
    private final List<RefArray> args;
    private final Choice choice;
    private final Target target;
    private final SimDevice device;
    private final List<PtxKernel> kernels = new ArrayList<>();
    private final int[] shifts;
    private long most = Long.MAX_VALUE;

    /** @param shifts elements by which an argument lies beside an aligned address */
    SimPlan(Graph graph, List<RefArray> args, Choice choice, Target target, long seed, int... shifts) {
        this.graph = graph;
        this.args = args;
        this.choice = choice;
        this.target = target;
        this.shifts = shifts;
        device = new SimDevice(SimOptions.DEFAULT.withSeed(seed).withMaxInstructions(40_000_000));
    }

    /** Launches so many CTAs at most, which then take more tasks each. */
    SimPlan withCtas(long n) {
        most = n;
        return this;
    }

    /** The kernels that have run. */
    List<PtxKernel> kernels() {
        return kernels;
    }

    /** Runs, and compares with the reference evaluator: every finite result within a tolerance relative to its size and 1, others as they are. */
    SimPlan check(String what, double tolerance) {
        Plan plan = Compiler.plan(graph, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<RefArray> got = run(plan);
        for (int r = 0; r < want.size(); r++) {
            for (int i = 0; i < want.get(r).size(); i++) {
                double x = want.get(r).getDouble(i);
                double delta = Double.isFinite(x) ? tolerance * Math.max(1, Math.abs(x)) : 0;
                assertEquals(x, got.get(r).getDouble(i), delta, what + ": result " + r + ", element " + i);
            }
        }
        return this;
    }

    /** The results of a plan of the graph. */
    List<RefArray> run(Plan plan) {
        long[] bases = new long[plan.argTypes().size() + plan.resultTypes().size() + 1];
        int n = 0;
        for (int i = 0; i < args.size(); i++) {
            byte[] bytes = bytes(args.get(i));
            int shift = i < shifts.length ? shifts[i] * args.get(i).dtype().bytes() : 0;
            bases[n] = device.memory().allocate(bytes.length + shift) + shift;
            if (bytes.length > 0) device.memory().copyIn(bases[n], MemorySegment.ofArray(bytes));
            n++;
        }
        for (Type t : plan.resultTypes()) bases[n++] = device.memory().allocate(t.bytes());
        bases[n] = device.memory().allocate(plan.arenaBytes());
        long record = device.memory().allocate(32);
        device.memory().fill(record, (byte) 0, 32);
        for (Plan.Step s : plan.steps()) {
            Plan.Launch l = (Plan.Launch) s;
            for (List<SlotValue> segment : l.segments()) launch(plan, l.kernel(), segment, bases, record);
        }
        List<RefArray> results = new ArrayList<>();
        for (int i = 0; i < plan.resultTypes().size(); i++) {
            Type t = plan.resultTypes().get(i);
            byte[] bytes = new byte[Math.toIntExact(t.bytes())];
            long at = address(plan, plan.resultPlaces().get(i), bases);
            if (bytes.length > 0) device.memory().copyOut(at, MemorySegment.ofArray(bytes));
            results.add(array(t, bytes));
        }
        return results;
    }

    private static long address(Plan plan, Place place, long[] bases) {
        int args = plan.argTypes().size();
        return switch (place) {
            case Place.Argument a -> bases[a.index()];
            case Place.Result r -> bases[args + r.index()];
            case Place.Temp t -> bases[args + plan.resultTypes().size()] + t.offset();
            case Place.Part p -> address(plan, p.of(), bases) + p.offset();
        };
    }

    private void launch(Plan plan, Kernel kernel, List<SlotValue> values, long[] bases, long record) {
        long[] slots = new long[values.size()];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = switch (values.get(i)) {
                case SlotValue.Address a -> address(plan, a.place(), bases);
                case SlotValue.Number x -> x.value();
                case SlotValue.ErrorRecord _ -> record;
                case SlotValue.ScalarArgument _ -> throw new IllegalArgumentException("scalars are not given here");
            };
        }
        ByteBuffer bytes = ByteBuffer.allocate(8 * slots.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long s : slots) bytes.putLong(s);
        long block = device.memory().allocate(bytes.capacity());
        device.memory().copyIn(block, MemorySegment.ofArray(bytes.array()));
        Schedule schedule = choice.of(kernel, i -> slots[i]);
        String entry = "k" + kernels.size() + "_" + PtxModule.identifier(kernel.name());
        PtxKernel code = PtxCodegen.generate(kernel, schedule, entry, 1);
        kernels.add(code);
        // What runs is what a cache would give back.
        GeneratedPtx stored = GeneratedPtx.read(
                GeneratedPtx.of(kernel, schedule, entry, target).toBytes(), kernel);
        SimModule module = device.load(stored.text());
        long scratchBytes =
                stored.entries().getFirst().rule().shape(i -> slots[i]).scratchBytes();
        long scratch = scratchBytes == 0 ? 0 : device.memory().allocate(scratchBytes);
        for (GeneratedPtx.Entry k : stored.entries()) {
            LaunchRule.Shape shape = k.rule().shape(i -> slots[i]);
            if (shape.ctas() == 0) continue;
            SimModule.Entry kernelEntry = module.kernel(k.name());
            ByteBuffer parameters =
                    ByteBuffer.allocate(kernelEntry.parameterBytes()).order(ByteOrder.LITTLE_ENDIAN);
            parameters.putLong(block).putLong(0).putLong(scratch);
            for (int t = 0; t < k.tensors().size(); t++)
                parameters.put(
                        kernelEntry.parameterOffset(3 + t),
                        map(k.tensors().get(t).at(i -> slots[i])));
            device.launch(
                    kernelEntry,
                    new Dim3(Math.toIntExact(Math.min(most, shape.ctas())), 1, 1),
                    new Dim3(shape.threads(), shape.teams(), 1),
                    shape.sharedBytes(),
                    parameters.array());
        }
    }

    private static byte[] map(TensorBox b) {
        return TensorMap.encode(
                b.type().bytes(),
                b.address(),
                b.extents().stream().mapToLong(x -> x).toArray(),
                b.strides().stream().mapToLong(x -> x).toArray(),
                b.box().stream().mapToInt(x -> x).toArray(),
                TensorBox.SWIZZLE_BYTES);
    }

    private static byte[] bytes(RefArray a) {
        ByteBuffer b = ByteBuffer.allocate(a.size() * a.dtype().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < a.size(); i++) {
            switch (a.dtype()) {
                case F64 -> b.putDouble(a.getDouble(i));
                case F32 -> b.putFloat((float) a.getDouble(i));
                case F16 -> b.putShort(Float.floatToFloat16((float) a.getDouble(i)));
                case BF16 -> b.putShort((short) (Float.floatToIntBits((float) a.getDouble(i)) >>> 16));
                case I64 -> b.putLong(a.getLong(i));
                case I32 -> b.putInt((int) a.getLong(i));
                case I16 -> b.putShort((short) a.getLong(i));
                case I8, U8, BOOL -> b.put((byte) a.getLong(i));
            }
        }
        return b.array();
    }

    private static RefArray array(Type t, byte[] bytes) {
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int w = t.dtype().bytes();
        return switch (t.dtype()) {
            case F64 -> RefArray.of(t, i -> b.getDouble(w * i));
            case F32 -> RefArray.of(t, i -> b.getFloat(w * i));
            case F16 -> RefArray.of(t, i -> Float.float16ToFloat(b.getShort(w * i)));
            case BF16 -> RefArray.of(t, i -> Float.intBitsToFloat(b.getShort(w * i) << 16));
            case I64 -> RefArray.ofLongs(t, i -> b.getLong(w * i));
            case I32 -> RefArray.ofLongs(t, i -> b.getInt(w * i));
            case I16 -> RefArray.ofLongs(t, i -> b.getShort(w * i));
            case I8, U8, BOOL -> RefArray.ofLongs(t, i -> b.get(i));
        };
    }

    /** Small whole numbers: products and sums of them are exact in every type that multiplies them, and those of bf16 in bf16. */
    static RefArray whole(Type t, long seed) {
        java.util.Random r = new java.util.Random(seed);
        int most = t.dtype() == DType.BF16 || t.dtype() == DType.U8 ? 1 : 4;
        return t.dtype().isFloat()
                ? RefArray.of(t, _ -> r.nextInt(2 * most + 1) - most)
                : RefArray.ofLongs(t, _ -> t.dtype() == DType.U8 ? r.nextInt(5) : r.nextInt(2 * most + 1) - most);
    }
}
