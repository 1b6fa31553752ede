// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;

/** Copies that go on while the thread does: {@code cp.async} of sm_80, bulk and tensor copies of sm_90. */
public sealed interface AsyncCopy extends Instruction {
    /**
     * Copies 4, 8 or 16 bytes from global to shared memory.
     *
     * @param global past the L1 cache ({@code .cg}, 16 bytes only); else {@code .ca}
     * @param source how many bytes to read, the rest of the target being filled with zeros; null for all
     */
    record Copy(
            boolean global,
            List<String> hints,
            Operand.Address target,
            Operand.Address address,
            int bytes,
            Operand source)
            implements AsyncCopy {
        public Copy {
            hints = List.copyOf(hints);
        }

        @Override
        public String opcode() {
            return "cp.async." + (global ? "cg" : "ca") + ".shared.global"
                    + (hints.isEmpty() ? "" : "." + String.join(".", hints));
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>(List.of(target, address, new Operand.Int(bytes)));
            if (source != null) o.add(source);
            return o;
        }
    }

    /** Closes the group of the thread's copies so far. */
    record Commit() implements AsyncCopy {
        @Override
        public String opcode() {
            return "cp.async.commit_group";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Waits until at most {@code pending} of the thread's latest groups are not complete; −1: until all its copies are. */
    record Wait(int pending) implements AsyncCopy {
        @Override
        public String opcode() {
            return pending < 0 ? "cp.async.wait_all" : "cp.async.wait_group";
        }

        @Override
        public List<Operand> operands() {
            return pending < 0 ? List.of() : List.of(new Operand.Int(pending));
        }
    }

    /** Arrives at an mbarrier when the thread's copies so far are complete; without {@code noInc} that adds to what it expects. */
    record ArriveOnCopies(boolean noInc, Operand.Address barrier) implements AsyncCopy {
        @Override
        public String opcode() {
            return "cp.async.mbarrier.arrive" + Instruction.flag(noInc, "noinc") + ".shared.b64";
        }

        @Override
        public List<Operand> operands() {
            return List.of(barrier);
        }
    }

    /**
     * Copies any multiple of 16 bytes, from global to shared memory counted by an mbarrier, or back in a bulk group.
     *
     * @param toShared the direction
     * @param barrier null if from shared to global memory
     * @param multicast a mask of CTAs of the cluster that all receive it, or null
     */
    record Bulk(
            boolean toShared,
            Operand.Address target,
            Operand.Address address,
            Operand bytes,
            Operand.Address barrier,
            Operand multicast)
            implements AsyncCopy {
        @Override
        public String opcode() {
            return toShared
                    ? "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"
                            + Instruction.flag(multicast != null, "multicast::cluster")
                    : "cp.async.bulk.global.shared::cta.bulk_group";
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>(List.of(target, address, bytes));
            if (barrier != null) o.add(barrier);
            if (multicast != null) o.add(multicast);
            return o;
        }
    }

    /**
     * Copies a box of a tensor of 1 to 5 dimensions, described by a tensor map, in its swizzle.
     *
     * @param reduction null for a copy; else what is done to global memory ({@code cp.reduce})
     */
    record BulkTensor(
            boolean toShared,
            Memory.AtomicOp reduction,
            Operand.TensorAddress tensor,
            Operand.Address shared,
            Operand.Address barrier,
            Operand multicast)
            implements AsyncCopy {
        @Override
        public String opcode() {
            int rank = tensor.coordinates().size();
            if (toShared) {
                return "cp.async.bulk.tensor." + rank + "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
                        + Instruction.flag(multicast != null, "multicast::cluster");
            }
            return (reduction == null ? "cp.async.bulk.tensor." : "cp.reduce.async.bulk.tensor.") + rank
                    + "d.global.shared::cta" + (reduction == null ? "" : "." + reduction) + ".tile.bulk_group";
        }

        @Override
        public List<Operand> operands() {
            if (!toShared) return List.of(tensor, shared);
            return multicast == null ? List.of(shared, tensor, barrier) : List.of(shared, tensor, barrier, multicast);
        }
    }

    /** Closes the bulk group of the thread's copies to global memory. */
    record BulkCommit() implements AsyncCopy {
        @Override
        public String opcode() {
            return "cp.async.bulk.commit_group";
        }

        @Override
        public List<Operand> operands() {
            return List.of();
        }
    }

    /** Waits for all but the latest bulk groups; {@code read}: only until their sources have been read. */
    record BulkWait(int pending, boolean read) implements AsyncCopy {
        @Override
        public String opcode() {
            return "cp.async.bulk.wait_group" + Instruction.flag(read, "read");
        }

        @Override
        public List<Operand> operands() {
            return List.of(new Operand.Int(pending));
        }
    }

    /** Brings a tensor map into the cache. */
    record PrefetchTensorMap(Space space, Operand.Address map) implements AsyncCopy {
        @Override
        public String opcode() {
            return "prefetch" + space.modifier() + ".tensormap";
        }

        @Override
        public List<Operand> operands() {
            return List.of(map);
        }
    }
}
