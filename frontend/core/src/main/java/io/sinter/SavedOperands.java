// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.ir.op.GradientReads;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scatter;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which operands and results of an operator its gradient rule computes with (rather than asking for their
 * types only), so that the tape saves those and nothing else. Found by {@link GradientReads}, once.
 *
 * @param operands a bit per operand
 * @param results a bit per result
 */
record SavedOperands(long operands, long results) {
    private static final Map<Key, SavedOperands> KNOWN = new ConcurrentHashMap<>();

    /** Operators of one class whose rules differ by an attribute are told apart by that attribute. */
    private record Key(Object op, int operandCount, long needs) {
        // By hand, as each recorded operator asks: see Type.

        @Override
        public boolean equals(Object o) {
            return o instanceof Key k && operandCount == k.operandCount && needs == k.needs && op.equals(k.op);
        }

        @Override
        public int hashCode() {
            return 31 * (31 * op.hashCode() + operandCount) + Long.hashCode(needs);
        }
    }

    static SavedOperands of(Op op, Value[] in, Tensor[] out, long needs) {
        // Bodies are too many to be remembered for ever: a loop remembers it itself.
        if (op instanceof Loop l) return of(l.gradientReads(needs), in.length);
        Key key = new Key(kind(op), in.length, needs);
        SavedOperands known = KNOWN.get(key);
        if (known == null) {
            known = probe(op, in, out, needs);
            KNOWN.put(key, known);
        }
        return known;
    }

    // Not a switch, which until HotSpot has compiled it is a call that takes longer than all of this.
    private static Object kind(Op op) {
        if (!(op instanceof Record)) return op;
        if (op instanceof Reduce r) return r.kind();
        if (op instanceof Scan s) return s.kind();
        if (op instanceof Put p) return List.of(Put.class, p.mode());
        if (op instanceof Scatter s) return List.of(Scatter.class, s.mode());
        return op.getClass();
    }

    private static SavedOperands probe(Op op, Value[] in, Tensor[] out, long needs) {
        List<Type> operands = Arrays.stream(in).map(v -> v.type).toList();
        List<Type> results = Arrays.stream(out).map(Tensor::type).toList();
        BitSet reads = GradientReads.of(op, operands, results, i -> (needs >> i & 1) != 0, _ -> true);
        return of(GradientReads.bits(reads), in.length);
    }

    /** @param reads a bit per operand, then one per result */
    private static SavedOperands of(long reads, int operands) {
        return new SavedOperands(reads & (1L << operands) - 1, reads >>> operands);
    }
}
