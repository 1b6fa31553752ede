// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.IndexError;
import io.sinter.ir.Type;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Var;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a plan step by step on byte arrays: slow, and the meaning of plans. Accesses outside a place are errors, and temporaries begin as garbage.
 */
public final class PlanInterpreter {
    private record Memory(ByteBuffer bytes, int offset, long length) {
        Memory(ByteBuffer bytes) {
            this(bytes, 0, bytes.capacity());
        }

        Memory part(long from, long size) {
            if (from < 0 || from + size > length)
                throw new IllegalStateException("bytes " + from + " to " + (from + size) + " of " + length);
            return new Memory(bytes, Math.toIntExact(offset + from), size);
        }
    }

    private final Plan plan;
    private final List<Plan.Site> sites;
    private final List<Memory> arguments;
    private final List<Memory> results;
    private final Memory arena;

    private PlanInterpreter(
            Plan plan, List<Plan.Site> sites, List<Memory> arguments, List<Memory> results, Memory arena) {
        this.plan = plan;
        this.sites = sites;
        this.arguments = arguments;
        this.results = results;
        this.arena = arena;
    }

    private static ByteBuffer buffer(long n) {
        byte[] b = new byte[Math.toIntExact(n)];
        Arrays.fill(b, (byte) 0xa5);
        return ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer bytes(RefArray a) {
        DType t = a.dtype();
        ByteBuffer b = buffer(a.type().bytes());
        for (int i = 0; i < a.size(); i++) {
            long bits = t.isFloat() ? ExprInterpreter.encode(t.compute(), a.getDouble(i)) : a.getLong(i);
            LoopInterpreter.toMemory(t, b, i * t.bytes(), bits);
        }
        return b;
    }

    private static RefArray array(Type type, ByteBuffer b, int offset) {
        RefArray r = RefArray.zeros(type);
        DType t = type.dtype();
        for (int i = 0; i < r.size(); i++) {
            long bits = LoopInterpreter.fromMemory(t, b, offset + i * t.bytes());
            if (t.isFloat()) r.set(i, ExprInterpreter.decode(t.compute(), bits));
            else r.set(i, bits);
        }
        return r;
    }

    /**
     * The results of the plan.
     *
     * @throws IndexError if a data-dependent index is out of range
     */
    public static List<RefArray> run(Plan plan, List<RefArray> args) {
        List<Memory> arguments = args.stream().map(a -> new Memory(bytes(a))).toList();
        List<Memory> results = plan.resultTypes().stream()
                .map(t -> new Memory(buffer(t.bytes())))
                .toList();
        PlanInterpreter p =
                new PlanInterpreter(plan, plan.sites(), arguments, results, new Memory(buffer(plan.arenaBytes())));
        for (Plan.Step s : plan.steps()) p.step(s);
        List<RefArray> out = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            Memory m = p.memory(plan.resultPlaces().get(i));
            out.add(array(plan.resultTypes().get(i), m.bytes, m.offset));
        }
        return out;
    }

    private Memory memory(Place place) {
        return switch (place) {
            case Place.Argument a -> arguments.get(a.index());
            case Place.Result r -> results.get(r.index());
            case Place.Temp t -> arena.part(t.offset(), t.bytes());
            case Place.Part p -> memory(p.of()).part(p.offset(), p.bytes());
        };
    }

    private void step(Plan.Step s) {
        switch (s) {
            case Plan.Launch l -> {
                for (List<SlotValue> block : l.segments()) launch(l, block);
            }
            case Plan.LibraryCall c -> {
                List<RefArray> in = new ArrayList<>();
                for (int i = 0; i < c.in().size(); i++) {
                    Memory m = memory(c.in().get(i));
                    in.add(array(c.inTypes().get(i), m.bytes, m.offset));
                }
                List<RefArray> out = c.op().evaluate(in);
                for (int i = 0; i < out.size(); i++) {
                    Memory m = memory(c.out().get(i));
                    m.bytes.put(m.offset, bytes(out.get(i)).array());
                }
            }
            case Plan.Repeat r -> repeat(r);
            case Plan.Copy c -> {
                Memory from = memory(c.from()).part(0, c.bytes());
                Memory to = memory(c.to()).part(0, c.bytes());
                to.bytes.put(to.offset, from.bytes.array(), from.offset, Math.toIntExact(c.bytes()));
            }
        }
    }

    private void repeat(Plan.Repeat r) {
        Memory own = memory(r.arena());
        for (long k = 0; k < r.steps(); k++) {
            // Temporaries of one run are garbage in the next.
            Arrays.fill(
                    own.bytes.array(),
                    own.offset,
                    own.offset + Math.toIntExact(r.body().arenaBytes()),
                    (byte) 0xa5);
            PlanInterpreter body =
                    new PlanInterpreter(r.body(), sites, moved(r.arguments(), k), moved(r.results(), k), own);
            for (Plan.Step s : r.body().steps()) body.step(s);
        }
    }

    private List<Memory> moved(List<Plan.Moving> all, long k) {
        List<Memory> now = new ArrayList<>();
        for (Plan.Moving m : all) {
            if (!(m.first() instanceof Place.Part p)) {
                now.add(memory(m.first()));
                continue;
            }
            now.add(memory(p.of()).part(p.offset() + m.offset(k), p.bytes()));
        }
        return now;
    }

    private void launch(Plan.Launch l, List<SlotValue> block) {
        ByteBuffer scratch = buffer(l.kernel().scratchBytes());
        if (block.size() != l.kernel().slots())
            throw new IllegalStateException("a block of " + block.size() + " slots for a kernel of "
                    + l.kernel().slots());
        LoopInterpreter run = new LoopInterpreter(new LoopInterpreter.World() {
            @Override
            public long slot(int slot) {
                return switch (block.get(slot)) {
                    case SlotValue.Number n -> n.value();
                    case SlotValue.ScalarArgument a ->
                        LoopInterpreter.fromMemory(
                                plan.argTypes().get(a.index()).dtype(),
                                arguments.get(a.index()).bytes,
                                arguments.get(a.index()).offset);
                    case SlotValue.Address _, SlotValue.ErrorRecord _ ->
                        throw new IllegalStateException("slot " + slot + " is an address");
                };
            }

            private Memory at(Buf b) {
                if (b.kind() == Buf.Kind.SCRATCH) {
                    int offset = Math.toIntExact(slot(b.slot()));
                    return new Memory(scratch, offset, scratch.capacity() - offset);
                }
                return memory(((SlotValue.Address) block.get(b.slot())).place());
            }

            private int check(Memory m, Buf b, long index) {
                if (index < 0 || (index + 1) * b.dtype().bytes() > m.length) {
                    throw new IllegalStateException(l.kernel().name() + ": element " + index + " of " + b
                            + " is outside its " + m.length + " bytes");
                }
                return Math.toIntExact(m.offset + index * b.dtype().bytes());
            }

            @Override
            public long load(Buf b, long index) {
                Memory m = at(b);
                return LoopInterpreter.fromMemory(b.dtype(), m.bytes, check(m, b, index));
            }

            @Override
            public void store(Buf b, long index, long bits) {
                if (b.kind() == Buf.Kind.IN) throw new IllegalStateException("store into an input");
                Memory m = at(b);
                LoopInterpreter.toMemory(b.dtype(), m.bytes, check(m, b, index), bits);
            }

            @Override
            public void indexError(long site, long value, long bound) {
                Plan.Site s = sites.get(Math.toIntExact(site));
                throw new IndexError(s.operator(), value, bound, s.origin());
            }

            @Override
            public void task() {
                Arrays.fill(scratch.array(), (byte) 0xa5);
            }
        });
        switch (l.kernel()) {
            case LoopKernel k -> run.run(k);
            case GemmKernel k -> gemm(k, run);
            case AttentionKernel k -> AttentionInterpreter.run(k, run);
        }
    }

    private static void gemm(GemmKernel k, LoopInterpreter run) {
        List<Var> outer = new ArrayList<>(k.batch());
        outer.addAll(k.m());
        outer.addAll(k.n());
        forEach(outer, 0, run, () -> {
            double[] sum = {0};
            long[] whole = {0};
            boolean isFloat = k.acc().isFloat();
            forEach(k.k(), 0, run, () -> {
                if (isFloat)
                    sum[0] += ExprInterpreter.decode(k.acc(), run.eval(k.a()))
                            * ExprInterpreter.decode(k.acc(), run.eval(k.b()));
                else whole[0] += run.eval(k.a()) * run.eval(k.b());
            });
            run.set(
                    k.result(),
                    isFloat
                            ? ExprInterpreter.encode(k.acc(), sum[0])
                            : k.acc() == DType.I32 ? (int) whole[0] : whole[0]);
            run.run(k.epilogue());
        });
    }

    static void forEach(List<Var> vars, int depth, LoopInterpreter run, Runnable body) {
        if (depth == vars.size()) {
            body.run();
            return;
        }
        long n = run.coef(vars.get(depth).extent());
        for (long i = 0; i < n; i++) {
            run.set(vars.get(depth), i);
            forEach(vars, depth + 1, run, body);
        }
    }
}
