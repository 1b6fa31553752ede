// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What kernels that are written by hand share: parameters that come one by one, loops, and elements as they lie in memory. */
final class RoutineCode {
    final KernelBuilder out;
    final ScalarEmitter scalars;
    /** Arithmetic of 32 bits. */
    final IntCode ints;

    RoutineCode(KernelBuilder out) {
        this.out = out;
        scalars = new ScalarEmitter(out);
        ints = new IntCode(out);
    }

    /** The next parameter, of 64 bits. */
    Reg number() {
        return out.parameter(PtxType.U64);
    }

    /** The next parameter, of which 32 bits are used. */
    Reg small() {
        return (Reg) ints.low(number());
    }

    Reg special(Operand.Special s) {
        return out.mov(PtxType.U32, s);
    }

    Reg wideSpecial(Operand.Special s) {
        return (Reg) ints.wide(special(s));
    }

    /** {@code base + index * bytes}, of an index of 64 bits. */
    Operand address(Operand base, Operand index, int bytes) {
        return scalars.addLong(base, scalars.mulLong(index, out.constant(bytes)));
    }

    /** {@code for (i = from; i < end; i += by)}. */
    void loop(PtxType type, Operand from, Operand end, Operand by, Consumer<Reg> body) {
        Reg i = out.mov(type.bitsType(), from);
        loopWhile(() -> out.setp(Relation.LT, type, i, end), () -> {
            body.accept(i);
            out.assign(type.bitsType(), i, out.add(type, i, by));
        });
    }

    /** Runs {@code body} while {@code condition}, whose code runs before it each time, gives a predicate that holds. */
    void loopWhile(Supplier<Reg> condition, Runnable body) {
        String head = out.newLabel();
        String exit = out.newLabel();
        out.label(head);
        out.branchUnless(condition.get(), exit);
        body.run();
        out.branch(head);
        out.label(exit);
    }

    /** Runs code where a predicate holds. */
    void when(Reg p, Runnable code) {
        String end = out.newLabel();
        out.branchUnless(p, end);
        code.run();
        out.label(end);
    }

    /** An element of global memory, as registers hold its bits. */
    Reg load(DType t, Operand address) {
        Reg r = MemoryEmitter.element(out, t);
        out.add(Memory.Load.of(Space.GLOBAL, MemoryEmitter.memoryType(t), r, out.at(address)));
        return r;
    }

    /** Stores what {@link #load} gave. */
    void store(DType t, Operand address, Operand bits) {
        out.add(Memory.Store.of(Space.GLOBAL, MemoryEmitter.memoryType(t), out.at(address), bits));
    }

    /**
     * Bits whose unsigned order is the elements': −0 is 0, and all NaN are one number above infinity.
     *
     * @param element as {@link #load} gave it
     * @return of 64 bits for types that have as many, else of 32
     */
    Operand key(DType t, Reg element) {
        return switch (t) {
            case F64 -> floatKey(DType.F64, element);
            case F32 -> floatKey(DType.F32, element);
            case F16 -> floatKey(DType.F32, scalars.fromHalf(element));
            case BF16 -> floatKey(DType.F32, scalars.fromBf16(element));
            case I64 -> out.xor(PtxType.B64, element, out.constant(Long.MIN_VALUE));
            case I32, I16, I8, U8, BOOL -> out.xor(PtxType.B32, element, out.constant(Integer.MIN_VALUE));
        };
    }

    private Operand floatKey(DType t, Operand x) {
        boolean is64 = t == DType.F64;
        PtxType type = ScalarEmitter.type(t);
        PtxType bits = type.bitsType();
        PtxType signed = is64 ? PtxType.S64 : PtxType.S32;
        Operand least = out.constant(is64 ? Long.MIN_VALUE : Integer.MIN_VALUE);
        Operand b = scalars.bits(is64 ? DType.I64 : DType.I32, x);
        b = out.selp(bits, out.constant(0), b, out.setp(Relation.EQ, signed, b, least));
        // Below 0 all bits are turned, so that the greatest magnitude is least; above 0 the sign alone.
        Operand turn = out.selp(bits, out.constant(-1), least, out.setp(Relation.LT, signed, b, out.constant(0)));
        Reg isNan = out.setp(Relation.NAN, type, x, x);
        return out.selp(bits, out.constant(-1), out.xor(bits, b, turn), isNan);
    }
}
