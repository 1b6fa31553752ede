// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.PtxParser;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Variable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A module that is loaded into a {@link SimDevice}. */
public final class SimModule {
    private static final int MAX_SHARED = 227 * 1024;
    private static final int MAX_THREADS = 1024;

    private final PtxParser.Result parsed;
    private final DeviceMemory memory;
    private final Map<String, Names.Variable> variables = new HashMap<>();
    private final Store constBank;
    private final Map<String, Entry> entries = new HashMap<>();

    SimModule(PtxParser.Result parsed, DeviceMemory memory) {
        this.parsed = parsed;
        this.memory = memory;
        constBank = new Store(constBytes());
        int at = 0;
        for (Variable v : parsed.module().variables()) {
            if (v.space() == Space.CONST) {
                at = align(at, v.alignment());
                variables.put(v.name(), new Names.Variable(Space.CONST, at));
                at += size(v);
            } else if (v.space() == Space.GLOBAL) {
                variables.put(v.name(), new Names.Variable(Space.GLOBAL, memory.allocate(size(v), v.name())));
            }
        }
        for (Variable v : parsed.module().variables()) {
            Names.Variable where = variables.get(v.name());
            if (where == null) continue;
            DeviceMemory.Allocation a = where.space() == Space.GLOBAL ? memory.find(where.address(), 0) : null;
            fill(v, a == null ? constBank : a.store, a == null ? (int) where.address() : 0);
        }
    }

    private int constBytes() {
        int at = 0;
        for (Variable v : parsed.module().variables()) {
            if (v.space() == Space.CONST) at = align(at, v.alignment()) + size(v);
        }
        return at;
    }

    private static int align(int at, int to) {
        return (at + to - 1) / to * to;
    }

    private static int size(Variable v) {
        if (v.bytes() < 0 || v.linkage() == Variable.Linkage.EXTERN) {
            throw new PtxException(0, "variable " + v.name() + " is not defined in this module", true);
        }
        return Math.toIntExact(v.bytes());
    }

    /** Fills a variable with its initial values, and zeros. */
    private void fill(Variable v, Store store, int at) {
        int bytes = v.type().bytes();
        store.written.fill(at, size(v), true);
        int i = 0;
        for (Operand o : v.initial()) store.put(at + bytes * i++, bytes, initial(o, v.type()));
    }

    private long initial(Operand o, PtxType type) {
        return switch (o) {
            case Operand.Int i -> i.value();
            case Operand.F32 f ->
                type == PtxType.F64 ? Double.doubleToRawLongBits(Float.intBitsToFloat(f.bits())) : f.bits();
            case Operand.F64 f ->
                type == PtxType.F32 ? Float.floatToRawIntBits((float) Double.longBitsToDouble(f.bits())) : f.bits();
            case Operand.Symbol s
            when variables.containsKey(s.name()) -> variables.get(s.name()).address() + s.offset();
            default -> throw new PtxException(0, "the initial value " + o + " is not supported", true);
        };
    }

    public PtxModule ptx() {
        return parsed.module();
    }

    /** The address of a variable in global memory; 0 if there is none of this name. */
    public long global(String name) {
        Names.Variable v = variables.get(name);
        return v == null || v.space() != Space.GLOBAL ? 0 : v.address();
    }

    /**
     * The kernel of a name.
     *
     * @throws IllegalArgumentException if there is none
     * @throws PtxException if it uses what is not simulated
     */
    public Entry kernel(String name) {
        return entries.computeIfAbsent(name, _ -> {
            Kernel k = parsed.module().kernel(name);
            if (k == null) {
                List<String> all =
                        parsed.module().kernels().stream().map(Kernel::name).toList();
                throw new IllegalArgumentException("no kernel " + name + " among " + all);
            }
            return new Entry(Translator.translate(parsed, k, variables, constBank));
        });
    }

    /** A kernel that can be launched. */
    public static final class Entry {
        private final Program program;

        private Entry(Program program) {
            this.program = program;
        }

        Program program() {
            return program;
        }

        public String name() {
            return program.name();
        }

        /** Bytes of the parameter block. */
        public int parameterBytes() {
            int at = 0;
            for (Variable p : program.kernel().parameters()) at = align(at, p.alignment()) + (int) p.bytes();
            return at;
        }

        /** Offset of a parameter in the parameter block. */
        public int parameterOffset(int index) {
            int at = 0;
            for (int i = 0; i <= index; i++) {
                Variable p = program.kernel().parameters().get(i);
                at = align(at, p.alignment()) + (i < index ? (int) p.bytes() : 0);
            }
            return at;
        }

        public int parameterCount() {
            return program.kernel().parameters().size();
        }

        /** Checks a launch against the kernel; returns its parameters. */
        Store check(Dim3 grid, Dim3 block, int dynamicShared, byte[] parameters) {
            if (block.size() > MAX_THREADS) throw fault(block.size() + " threads in a block: at most " + MAX_THREADS);
            Kernel.Limits l = program.kernel().limits();
            long max = l.maxThreads().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
            if (!l.maxThreads().isEmpty() && block.size() > max)
                throw fault(block.size() + " threads in a block: .maxntid allows " + max);
            if (!l.exactThreads().isEmpty() && !matches(l.exactThreads(), block))
                throw fault("block " + block + ": .reqntid asks for " + l.exactThreads());
            Dim3 c = program.cluster();
            if (grid.x() % c.x() != 0 || grid.y() % c.y() != 0 || grid.z() % c.z() != 0)
                throw fault("grid " + grid + " is not made of clusters " + c);
            long shared = dynamicShared;
            for (Program.SharedVariable v : program.sharedVariables()) shared += v.bytes();
            if (dynamicShared < 0 || shared > MAX_SHARED)
                throw fault(shared + " bytes of shared memory: at most " + MAX_SHARED);
            if (parameters.length < parameterBytes())
                throw fault(parameters.length + " bytes of parameters, not " + parameterBytes());
            Store s = new Store(parameters.length);
            System.arraycopy(parameters, 0, s.data, 0, parameters.length);
            s.written.fill(0, parameters.length, true);
            return s;
        }

        private static boolean matches(List<Integer> exact, Dim3 b) {
            int[] e = {1, 1, 1};
            for (int i = 0; i < exact.size(); i++) e[i] = exact.get(i);
            return e[0] == b.x() && e[1] == b.y() && e[2] == b.z();
        }

        private SimFault fault(String message) {
            return new SimFault(SimFault.Kind.LAUNCH, name(), 0, "", "", message);
        }
    }
}
