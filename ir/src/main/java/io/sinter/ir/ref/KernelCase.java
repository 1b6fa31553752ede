// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.LoopKernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A loop kernel with a parameter block and memory to run it on: what tests of code generators have in common. */
public class KernelCase {
    public final LoopKernel kernel;

    /** The parameter block; addresses of buffers are left to who runs the kernel. */
    public final long[] slots;

    /** What the buffers that are not scratch hold before the run. */
    public final Map<Buf, byte[]> inputs = new HashMap<>();

    public KernelCase(LoopKernel kernel) {
        this.kernel = kernel;
        this.slots = new long[kernel.slots()];
    }

    /** Contents of every buffer after a run, and the error record (null: no error). */
    public record Outcome(Map<Buf, byte[]> memory, List<Long> error) {}

    /** Runs the kernel in the interpreter. */
    public Outcome interpret() {
        Map<Buf, ByteBuffer> memory = new HashMap<>();
        inputs.forEach(
                (b, bytes) -> memory.put(b, ByteBuffer.wrap(bytes.clone()).order(ByteOrder.nativeOrder())));
        ByteBuffer scratch = ByteBuffer.allocate((int) kernel.scratchBytes()).order(ByteOrder.nativeOrder());
        Object[] error = new Object[1];
        new LoopInterpreter(new LoopInterpreter.World() {
                    private int at(Buf b, long index) {
                        long start = b.kind() == Buf.Kind.SCRATCH ? slots[b.slot()] : 0;
                        return Math.toIntExact(start + index * b.dtype().bytes());
                    }

                    private ByteBuffer of(Buf b) {
                        return b.kind() == Buf.Kind.SCRATCH ? scratch : memory.get(b);
                    }

                    @Override
                    public long slot(int slot) {
                        return slots[slot];
                    }

                    @Override
                    public long load(Buf b, long index) {
                        return LoopInterpreter.fromMemory(b.dtype(), of(b), at(b, index));
                    }

                    @Override
                    public void store(Buf b, long index, long bits) {
                        LoopInterpreter.toMemory(b.dtype(), of(b), at(b, index), bits);
                    }

                    @Override
                    public void indexError(long site, long value, long bound) {
                        if (error[0] == null) error[0] = List.of(site, value, bound);
                    }
                })
                .run(kernel);
        Map<Buf, byte[]> out = new HashMap<>();
        memory.forEach((b, m) -> out.put(b, m.array()));
        @SuppressWarnings("unchecked")
        List<Long> first = (List<Long>) error[0];
        return new Outcome(out, first);
    }

    /** A buffer's elements as register bits, with one NaN. */
    public static long[] values(Buf b, byte[] bytes) {
        ByteBuffer m = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        long[] out = new long[bytes.length / b.dtype().bytes()];
        for (int i = 0; i < out.length; i++) {
            long bits = LoopInterpreter.fromMemory(b.dtype(), m, i * b.dtype().bytes());
            if (b.dtype().compute() == DType.F32 && Float.isNaN(Float.intBitsToFloat((int) bits))) bits = 0x7fc00000;
            if (b.dtype() == DType.F64 && Double.isNaN(Double.longBitsToDouble(bits))) bits = 0x7ff8000000000000L;
            out[i] = bits;
        }
        return out;
    }
}
