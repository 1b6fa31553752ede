// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.plan.Plan.SlotValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The parameter block of a kernel being lowered: who sits in which slot. Slot 0 is the error record. */
final class Params {
    /** A value whose memory a kernel touches: result {@code index} of a node. */
    record BufferKey(Node node, int index) {}

    /** What a slot holds, before memory is placed. */
    sealed interface Content {
        record Fixed(SlotValue value) implements Content {}

        record Memory(BufferKey value) implements Content {}
    }

    private final List<Content> slots = new ArrayList<>();
    private final Map<BufferKey, Buf> in = new LinkedHashMap<>();
    private final Map<BufferKey, Buf> out = new LinkedHashMap<>();
    private final List<Buf> scratch = new ArrayList<>();
    private final Map<Integer, Expr> scalars = new HashMap<>();
    private final List<Node> members;
    private long scratchBytes;

    /** Of a kernel that computes {@code group}. */
    Params(Group group) {
        this(group.members().reversed());
    }

    /** Of no kernel: for counting. */
    Params() {
        this(List.of());
    }

    private Params(List<Node> members) {
        this.members = List.copyOf(members);
        slots.add(new Content.Fixed(new SlotValue.ErrorRecord()));
    }

    /**
     * The same block of a group of the same {@linkplain GroupForm form}: with its memory in place of this one's.
     *
     * @param names what the group's values, operands and scalar arguments are in place of this one's
     */
    Params with(Group group, GroupForm.Names names) {
        Params p = new Params(group.members().reversed());
        p.slots.clear();
        for (Content c : slots) {
            p.slots.add(
                    switch (c) {
                        case Content.Memory(BufferKey value) -> new Content.Memory(names.memory(value));
                        case Content.Fixed(SlotValue.ScalarArgument(int index)) ->
                            new Content.Fixed(new SlotValue.ScalarArgument(names.argument(index)));
                        case Content.Fixed f -> f;
                    });
        }
        in.forEach((key, buffer) -> p.in.put(names.memory(key), buffer));
        out.forEach((key, buffer) -> p.out.put(names.memory(key), buffer));
        p.scratch.addAll(scratch);
        p.scratchBytes = scratchBytes;
        return p;
    }

    private int add(Content c) {
        slots.add(c);
        return slots.size() - 1;
    }

    Coef number(long value) {
        return new Coef.Slot(add(new Content.Fixed(new SlotValue.Number(value))));
    }

    /** Raw bits of a constant that is no part of the code. */
    Expr constant(DType registerType, long bits) {
        return new Expr.Arg(registerType, add(new Content.Fixed(new SlotValue.Number(bits))));
    }

    Expr scalar(int argument, DType dtype) {
        return scalars.computeIfAbsent(
                argument, a -> new Expr.Arg(dtype.compute(), add(new Content.Fixed(new SlotValue.ScalarArgument(a)))));
    }

    Buf read(BufferKey key, DType dtype) {
        // A kernel that writes a value may read it back through the same buffer.
        Buf o = out.get(key);
        return o != null ? o : in.computeIfAbsent(key, k -> new Buf(add(new Content.Memory(k)), dtype, Buf.Kind.IN));
    }

    Buf write(BufferKey key, DType dtype) {
        return out.computeIfAbsent(key, k -> new Buf(add(new Content.Memory(k)), dtype, Buf.Kind.OUT));
    }

    /** Private memory of a task for {@code elements} elements, aligned to 64 bytes. */
    Buf scratch(DType dtype, long elements) {
        long offset = scratchBytes;
        scratchBytes = (scratchBytes + elements * dtype.bytes() + 63) & ~63L;
        Buf b = new Buf(add(new Content.Fixed(new SlotValue.Number(offset))), dtype, Buf.Kind.SCRATCH);
        scratch.add(b);
        return b;
    }

    /** Keeps the extreme that the first pass of an argmax has found for its second. */
    void remember(Node n, Expr value) {
        remembered.put(n, value);
    }

    Expr recall(Node n) {
        return remembered.get(n);
    }

    private final Map<Node, Expr> remembered = new java.util.IdentityHashMap<>();

    /** What the kernel computes, producers first. */
    List<Node> members() {
        return members;
    }

    long scratchBytes() {
        return scratchBytes;
    }

    List<Content> slots() {
        return slots;
    }

    List<Buf> buffers() {
        List<Buf> all = new ArrayList<>(in.values());
        all.addAll(out.values());
        all.addAll(scratch);
        return all;
    }

    Map<BufferKey, Buf> inputs() {
        return in;
    }

    Map<BufferKey, Buf> outputs() {
        return out;
    }
}
