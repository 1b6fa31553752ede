// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Runs loop kernels one statement after the other: slow, and the meaning of the loop IR. */
public final class LoopInterpreter {
    /** What a kernel sees of the world. */
    public interface World {
        /** Raw bits at a slot of the parameter block. */
        long slot(int slot);

        /** Raw bits, in the register type, of an element of a buffer. */
        long load(Buf buffer, long index);

        /** Stores raw bits of the register type, converted to the memory type. */
        void store(Buf buffer, long index, long bits);

        /** A data-dependent index was out of range. */
        void indexError(long site, long value, long bound);

        /** A task begins: scratch memory is undefined from here on. */
        default void task() {}
    }

    private final World world;
    private final Map<Local, Long> locals = new IdentityHashMap<>();
    private final Map<Var, Long> vars = new IdentityHashMap<>();
    private final ExprInterpreter.Env env = new ExprInterpreter.Env() {
        @Override
        public long local(Local local) {
            Long v = locals.get(local);
            if (v == null) throw new IllegalStateException("local " + local + " is read before it has a value");
            return v;
        }

        @Override
        public long slot(int slot) {
            return world.slot(slot);
        }

        @Override
        public long var(Var var) {
            Long v = vars.get(var);
            if (v == null) throw new IllegalStateException("variable " + var + " is read outside its loop");
            return v;
        }

        @Override
        public long load(Buf buffer, long index) {
            return world.load(buffer, index);
        }

        @Override
        public void indexError(long site, long value, long bound) {
            world.indexError(site, value, bound);
        }
    };

    public LoopInterpreter(World world) {
        this.world = world;
    }

    /** Runs every task of the kernel, in order. */
    public void run(LoopKernel kernel) {
        grid(kernel, 0);
    }

    private void grid(LoopKernel kernel, int depth) {
        if (depth == kernel.grid().size()) {
            world.task();
            run(kernel.body());
            return;
        }
        Var v = kernel.grid().get(depth);
        long n = coef(v.extent());
        for (long i = 0; i < n; i++) {
            vars.put(v, i);
            grid(kernel, depth + 1);
        }
        vars.remove(v);
    }

    /** Gives a variable a value from outside (templates). */
    public void set(Var v, long value) {
        vars.put(v, value);
    }

    /** Gives a local a value from outside (a template's result). */
    public void set(Local l, long bits) {
        locals.put(l, bits);
    }

    public long coef(Coef c) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> world.slot(s.slot());
        };
    }

    public long eval(Expr e) {
        return ExprInterpreter.eval(e, env);
    }

    public long eval(Index i) {
        return ExprInterpreter.eval(i, env);
    }

    public void run(List<Stmt> body) {
        for (Stmt s : body) run(s);
    }

    private void run(Stmt s) {
        switch (s) {
            case Stmt.Loop l -> {
                long n = coef(l.var().extent());
                if (l.limit() != null) n = Math.min(n, eval(l.limit()));
                for (long i = 0; i < n; i++) {
                    vars.put(l.var(), i);
                    run(l.body());
                }
                vars.remove(l.var());
            }
            case Stmt.Let l -> locals.put(l.local(), eval(l.value()));
            case Stmt.Declare d -> locals.put(d.local(), eval(d.init()));
            case Stmt.Set x -> locals.put(x.local(), eval(x.value()));
            case Stmt.Accumulate a -> {
                Expr old = new Expr.Ref(a.local());
                locals.put(
                        a.local(),
                        eval(new Expr.Bin(
                                switch (a.op()) {
                                    case SUM -> io.sinter.ir.loop.Prim2.ADD;
                                    case PROD -> io.sinter.ir.loop.Prim2.MUL;
                                    case MAX -> io.sinter.ir.loop.Prim2.MAX;
                                    case MIN -> io.sinter.ir.loop.Prim2.MIN;
                                },
                                old,
                                a.value())));
            }
            case Stmt.Store st -> {
                long value = eval(st.value());
                if (st.mask() == null || eval(st.mask()) != 0) world.store(st.buffer(), eval(st.index()), value);
            }
            case Stmt.If f -> {
                if (eval(f.cond()) != 0) run(f.body());
            }
        }
    }

    /** Raw bits of the register type from an element's bytes (little endian) in memory. */
    public static long fromMemory(DType t, java.nio.ByteBuffer b, int at) {
        return switch (t) {
            case F64, I64 -> b.getLong(at);
            case F32 -> b.getInt(at) & 0xffffffffL;
            case I32 -> b.getInt(at);
            case F16 -> Float.floatToRawIntBits(Float.float16ToFloat(b.getShort(at))) & 0xffffffffL;
            case BF16 -> ((long) b.getShort(at) & 0xffff) << 16;
            case I16 -> b.getShort(at);
            case I8 -> b.get(at);
            case U8 -> b.get(at) & 0xff;
            case BOOL -> b.get(at) != 0 ? 1 : 0;
        };
    }

    /** Stores raw bits of the register type, converted to the memory type. */
    public static void toMemory(DType t, java.nio.ByteBuffer b, int at, long bits) {
        switch (t) {
            case F64, I64 -> b.putLong(at, bits);
            case F32, I32 -> b.putInt(at, (int) bits);
            case F16 -> b.putShort(at, Float.floatToFloat16(Float.intBitsToFloat((int) bits)));
            case BF16 -> {
                float rounded = (float) RefArray.round(DType.BF16, Float.intBitsToFloat((int) bits));
                b.putShort(at, (short) (Float.floatToRawIntBits(rounded) >>> 16));
            }
            case I16 -> b.putShort(at, (short) bits);
            case I8, U8, BOOL -> b.put(at, (byte) bits);
        }
    }
}
