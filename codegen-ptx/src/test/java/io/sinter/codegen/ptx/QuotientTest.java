// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxModule;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimOptions;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Quotients of indices by an inverse, and what nobody reads. */
class QuotientTest {
    /** Around multiples of the divisor, where a rounding shows, and up to the limit. */
    @Test
    void quotientsAreExact() {
        KernelBuilder out = new KernelBuilder("quotient");
        ScalarEmitter scalars = new ScalarEmitter(out);
        Operand.Reg p = out.pointer();
        Operand.Reg lane = out.mov(PtxType.U32, Operand.Special.TID_X);
        Operand.Reg at = out.madWide(PtxType.U32, lane, out.constant(16), p);
        Operand.Vector in = out.load(Space.GLOBAL, PtxType.B64, 2, out.at(at));
        ScalarEmitter.Divisor by = scalars.divisor(in.elements().get(1));
        Operand q = scalars.quotient(in.elements().get(0), by);
        Operand r = scalars.rest(in.elements().get(0), q, by);
        out.store(Space.GLOBAL, PtxType.B64, out.at(at), Operand.Vector.of(q, r));
        out.ret();
        SimDevice device = new SimDevice(SimOptions.DEFAULT);
        var module = device.load(new PtxModule(Target.SM_80, List.of(out.build())).toString());
        Random random = new Random(1);
        long buffer = device.memory().allocate(256 * 16);
        for (int round = 0; round < 40; round++) {
            long[] numbers = new long[512];
            for (int i = 0; i < 256; i++) {
                long n = 1 + (random.nextLong() >>> 16 + random.nextInt(48));
                long multiple = (random.nextLong() >>> 16) / n * n;
                numbers[2 * i] = Math.clamp(multiple + random.nextInt(3) - 1, 0, (1L << 48) - 1);
                numbers[2 * i + 1] = n;
            }
            device.memory().copyIn(buffer, MemorySegment.ofArray(numbers));
            byte[] parameters = ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(buffer)
                    .array();
            device.launch(module.kernel("quotient"), Dim3.of(1), Dim3.of(256), 0, parameters);
            long[] got = new long[512];
            device.memory().copyOut(buffer, MemorySegment.ofArray(got));
            for (int i = 0; i < 512; i += 2) {
                String what = numbers[i] + " / " + numbers[i + 1];
                assertEquals(numbers[i] / numbers[i + 1], got[i], what);
                assertEquals(numbers[i] % numbers[i + 1], got[i + 1], what);
            }
        }
    }

    @Test
    void whatNobodyReadsIsLeftOut() {
        KernelBuilder out = new KernelBuilder("unread");
        Operand.Reg p = out.pointer();
        out.parameter(PtxType.U64);
        Operand.Reg a = out.add(PtxType.S32, out.constant(1), out.constant(2));
        out.mul(PtxType.S32, a, a);
        out.store(Space.GLOBAL, PtxType.B32, out.at(p), out.constant(1));
        out.ret();
        Kernel k = out.build();
        String text = new PtxModule(Target.SM_80, List.of(k)).toString();
        assertFalse(text.contains("add.s32") || text.contains("mul.lo") || text.contains("unread_param_1]"), text);
        assertEquals(2, k.parameters().size());
    }
}
