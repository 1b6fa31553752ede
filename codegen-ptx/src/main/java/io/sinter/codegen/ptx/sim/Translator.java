// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Bitwise;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.Control;
import io.sinter.codegen.ptx.lang.Instruction;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Mbarrier;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.PtxParser;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Statement;
import io.sinter.codegen.ptx.lang.Synchronization;
import io.sinter.codegen.ptx.lang.Variable;
import io.sinter.codegen.ptx.lang.WarpOp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes a {@link Program} of a kernel: one step for each instruction, names resolved, branches with the places where they meet again. */
final class Translator {
    private static final int RED_ZONE = 64;

    private final PtxModule module;
    private final Map<Statement, Integer> lines;
    private final Kernel kernel;
    private final Names names;
    private final Store constBank;
    private final List<Step> steps = new ArrayList<>();
    /** Labels of the blocks that are open, innermost first; their steps are known when all is translated. */
    private final List<Map<String, int[]>> labels = new ArrayList<>();

    private final List<Program.SharedVariable> shared = new ArrayList<>();
    private int sharedEnd = Window.SHARED_FIRST;
    private int localEnd;
    private int granule = 4;
    private int globalGranule = 4;
    private String source = "";

    private Translator(PtxParser.Result parsed, Kernel kernel, Map<String, Names.Variable> variables, Store constBank) {
        this.module = parsed.module();
        this.lines = parsed.lines();
        this.kernel = kernel;
        this.constBank = constBank;
        names = new Names(variables);
    }

    /**
     * Translates a kernel.
     *
     * @param variables addresses of the module's variables in global and constant memory
     * @throws PtxException if it uses what cannot be simulated, or makes no sense
     */
    static Program translate(
            PtxParser.Result parsed, Kernel kernel, Map<String, Names.Variable> variables, Store constBank) {
        return new Translator(parsed, kernel, variables, constBank).program();
    }

    private Program program() {
        names.enter();
        int at = 0;
        for (Variable p : kernel.parameters()) {
            at = align(at, p.alignment());
            names.declare(p.name(), new Names.Variable(Space.PARAM, at));
            at += (int) p.bytes();
        }
        // Static shared memory of the module belongs to every kernel; dynamic memory begins where the static ends.
        for (Variable v : module.variables()) if (v.space() == Space.SHARED && v.bytes() >= 0) declareShared(v);
        predeclare(kernel.body());
        sharedEnd = align(sharedEnd, 1024);
        for (Variable v : module.variables()) {
            if (v.space() == Space.SHARED && v.bytes() < 0)
                names.declare(v.name(), new Names.Variable(Space.SHARED, sharedEnd));
        }
        block(kernel.body());
        names.line(0);
        Step end = new ControlSteps.Exit();
        end.text = "the end of the kernel";
        steps.add(end);
        Step[] all = steps.toArray(Step[]::new);
        PostDominators.set(all);
        List<Integer> c = kernel.limits().cluster();
        Dim3 cluster = new Dim3(c.isEmpty() ? 1 : c.get(0), c.size() < 2 ? 1 : c.get(1), c.size() < 3 ? 1 : c.get(2));
        return new Program(
                kernel,
                all,
                names.slots,
                names.predicateNames,
                localEnd,
                sharedEnd,
                shared,
                granule,
                globalGranule,
                constBank,
                cluster);
    }

    private static int align(int at, int to) {
        return (at + to - 1) / to * to;
    }

    private final Map<Variable, Integer> sharedAddresses = new HashMap<>();

    /** Lays out shared variables of all blocks, so that it is known where dynamic memory begins. */
    private void predeclare(List<Statement> body) {
        for (Statement s : body) {
            if (s instanceof Statement.Declare d
                    && d.variable().space() == Space.SHARED
                    && d.variable().bytes() >= 0) {
                declareShared(d.variable());
            }
            if (s instanceof Statement.Block b) predeclare(b.statements());
        }
    }

    private void declareShared(Variable v) {
        int at = align(sharedEnd, v.alignment());
        int bytes = Math.toIntExact(v.bytes());
        shared.add(new Program.SharedVariable(v.name(), at, bytes));
        // Between variables lies memory that belongs to nobody.
        sharedEnd = at + bytes + RED_ZONE;
        sharedAddresses.put(v, at);
        names.declare(v.name(), new Names.Variable(Space.SHARED, at));
    }

    private void block(List<Statement> body) {
        names.enter();
        Map<String, int[]> here = new HashMap<>();
        for (Statement s : body) if (s instanceof Statement.Label l) here.put(l.name(), new int[] {-1});
        labels.addFirst(here);
        for (Statement s : body) {
            switch (s) {
                case Statement.Registers r -> registers(r);
                case Statement.Declare d -> declare(d.variable(), lines.getOrDefault(s, 0));
                case Statement.Label l -> here.get(l.name())[0] = steps.size();
                case Statement.Location l ->
                    source = module.files().getOrDefault(l.file(), "file " + l.file()) + ":" + l.line() + ":"
                            + l.column();
                case Statement.Block b -> block(b.statements());
                case Statement.Pragma _ -> {}
                case Statement.Perform p -> perform(p);
            }
        }
        labels.removeFirst();
        names.leave();
    }

    private void registers(Statement.Registers r) {
        if (r.count() < 0) {
            names.declare(r.name(), r.type());
        } else {
            for (int i = 0; i < r.count(); i++) names.declare(r.name() + i, r.type());
        }
    }

    private void declare(Variable v, int line) {
        switch (v.space()) {
            case SHARED -> {
                int at = v.bytes() < 0 ? sharedEnd : sharedAddresses.get(v);
                names.declare(v.name(), new Names.Variable(Space.SHARED, at));
            }
            case LOCAL -> {
                int at = align(localEnd, v.alignment());
                localEnd = at + Math.toIntExact(v.bytes());
                names.declare(v.name(), new Names.Variable(Space.LOCAL, at));
            }
            default ->
                throw new PtxException(
                        line, "a variable in " + v.space() + " memory inside a kernel is not supported", true);
        }
    }

    private void perform(Statement.Perform p) {
        int line = lines.getOrDefault(p, 0);
        names.line(line);
        Step s;
        try {
            s = step(p.instruction());
        } catch (PtxException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new PtxException(line, p.instruction().text() + ": " + e.getMessage(), true);
        }
        if (s == null)
            throw new PtxException(
                    line, "the simulator does not know " + p.instruction().opcode(), true);
        names.finish(s);
        if (p.guard() != null) {
            Names.Predicate g = names.predicate(p.guard().predicate());
            s.guard = g.index();
            s.negated = p.guard().negated();
        }
        s.line = line;
        s.source = source;
        s.text = p.toString();
        steps.add(s);
    }

    private Step step(Instruction i) {
        return switch (i) {
            case Arithmetic a -> new ComputeTranslator(names).arithmetic(a);
            case Bitwise b -> new ComputeTranslator(names).bitwise(b);
            case Comparison c -> new ComputeTranslator(names).comparison(c);
            case Movement m -> new ComputeTranslator(names).movement(m);
            case Memory m -> memory(m);
            case WarpOp w -> WarpSteps.of(w, names);
            case Synchronization s -> SyncSteps.of(s, names);
            case AsyncCopy c -> CopySteps.of(c, names);
            case Mbarrier m -> MbarrierSteps.of(m, names);
            case Matrix m -> {
                watch(m instanceof Matrix.LoadMatrix || m instanceof Matrix.StoreMatrix ? 2 : 4);
                yield MatrixSteps.of(m, names);
            }
            case Control.Branch b -> new ControlSteps.Branch(label(b.target()));
            case Control.Return _, Control.Exit _ -> new ControlSteps.Exit();
            case Control.Trap _ -> new ControlSteps.Trap();
            case Control.NanoSleep _, Control.SetMaxRegisters _, Control.GridDependency _ -> new ControlSteps.Nothing();
        };
    }

    private Step memory(Memory m) {
        switch (m) {
            case Memory.Load l -> watch(l.space(), l.type().bytes());
            case Memory.Store s -> watch(s.space(), s.type().bytes());
            case Memory.Atomic a -> watch(a.space(), a.type().bytes());
            case Memory.Prefetch _ -> {}
        }
        return MemorySteps.of(m, names);
    }

    /** Notes how finely accesses to memory are to be told apart. */
    private void watch(Space space, int bytes) {
        if (space == Space.GLOBAL || space == Space.GENERIC) globalGranule = Math.min(globalGranule, bytes);
        if (space.isShared() || space == Space.GENERIC) watch(bytes);
    }

    private void watch(int bytes) {
        granule = Math.min(granule, bytes);
    }

    private int[] label(String name) {
        for (Map<String, int[]> l : labels) {
            int[] at = l.get(name);
            if (at != null) return at;
        }
        throw names.malformed("no label " + name);
    }
}
