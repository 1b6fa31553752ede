// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The part of {@link InstructionParser} for what threads do together: warps, barriers, asynchronous copies, matrices. */
final class CooperativeParser {
    private static final Pattern SHAPE = Pattern.compile("m(\\d+)n(\\d+)(?:k(\\d+))?");

    private final Modifiers m;
    private final List<Operand> o;

    CooperativeParser(Modifiers m, List<Operand> o) {
        this.m = m;
        this.o = o;
    }

    Instruction instruction() {
        return switch (m.base()) {
            case "shfl" -> {
                sync();
                arity(5);
                WarpOp.ShuffleMode mode = m.require(WarpOp.ShuffleMode.class);
                m.type();
                yield new WarpOp.Shuffle(mode, o(0), o(1), o(2), o(3), o(4));
            }
            case "vote" -> {
                sync();
                arity(3);
                WarpOp.Vote.Mode mode = m.require(WarpOp.Vote.Mode.class);
                m.type();
                yield new WarpOp.Vote(mode, o(0), o(1), o(2));
            }
            case "match" -> {
                sync();
                arity(3);
                yield new WarpOp.Match("all".equals(m.takeAny("all", "any")), m.type(), o(0), o(1), o(2));
            }
            case "redux" -> {
                sync();
                arity(3);
                yield new WarpOp.Reduce(m.require(Memory.AtomicOp.class), m.type(), o(0), o(1), o(2));
            }
            case "activemask" -> {
                arity(1);
                m.type();
                yield new WarpOp.ActiveMask(o(0));
            }
            case "elect" -> {
                sync();
                arity(2);
                yield new WarpOp.Elect(o(0), o(1));
            }
            case "bar", "barrier" -> barrier();
            case "membar", "fence" -> {
                String opcode = m.opcode();
                Synchronization.Fence.Kind kind = Synchronization.Fence.Kind.find(opcode);
                if (kind == null) throw m.unsupported("this form");
                m.takeAll("");
                arity(0);
                yield new Synchronization.Fence(kind);
            }
            case "cp" -> m.take("reduce") ? copyReduce() : copy();
            case "mbarrier" -> mbarrier();
            case "ldmatrix", "stmatrix" -> matrix();
            case "mma" -> mma();
            case "wgmma" -> wgmma();
            default -> null;
        };
    }

    private Instruction barrier() {
        boolean aligned = m.take("aligned") | m.base().equals("bar");
        if (m.take("warp")) {
            sync();
            arity(1);
            return new WarpOp.Barrier(o(0));
        }
        if (m.take("cluster")) {
            arity(0);
            boolean wait = "wait".equals(m.takeAny("wait", "arrive"));
            return new Synchronization.ClusterBarrier(wait, m.take(Memory.Order.class, Memory.Order.NONE), aligned);
        }
        m.take("cta");
        if (m.take("red")) {
            boolean count = m.take("popc");
            Bitwise.LogicOp op = count ? null : m.require(Bitwise.LogicOp.class);
            m.type();
            arity(3, 4);
            return new Synchronization.BarrierReduce(
                    op, aligned, o(0), o(1), o.size() == 4 ? o(2) : null, o(o.size() - 1));
        }
        arity(1, 2);
        return new Synchronization.Barrier(
                m.require(Synchronization.Barrier.Action.class), aligned, o(0), o.size() == 2 ? o(1) : null);
    }

    private Instruction copy() {
        if (!m.take("async")) throw m.unsupported("this form");
        if (m.take("bulk")) return bulk(null);
        if (m.take("commit_group")) return new AsyncCopy.Commit();
        if (m.take("wait_all")) return new AsyncCopy.Wait(-1);
        if (m.take("wait_group")) {
            arity(1);
            return new AsyncCopy.Wait((int) integer(0));
        }
        if (m.take("mbarrier")) {
            if (!m.take("arrive")) throw m.unsupported("this form");
            arity(1);
            shared();
            boolean noInc = m.take("noinc");
            m.type();
            return new AsyncCopy.ArriveOnCopies(noInc, address(0));
        }
        boolean global = "cg".equals(m.takeAny("cg", "ca"));
        shared();
        m.take("global");
        List<String> hints = m.takeAll("L2::");
        if (hints.contains("L2::cache_hint")) throw m.unsupported(".L2::cache_hint");
        arity(3, 4);
        if (o.size() == 4 && o(3) instanceof Operand.Reg r && r.type() == PtxType.PRED)
            throw m.unsupported("ignore-src");
        return new AsyncCopy.Copy(global, hints, address(0), address(1), (int) integer(2), o.size() == 4 ? o(3) : null);
    }

    private Instruction copyReduce() {
        m.take("async");
        if (!m.take("bulk")) throw m.unsupported("this form");
        return bulk(m.require(Memory.AtomicOp.class));
    }

    private Instruction bulk(Memory.AtomicOp reduction) {
        if (m.take("commit_group")) return new AsyncCopy.BulkCommit();
        if (m.take("wait_group")) {
            arity(1);
            return new AsyncCopy.BulkWait((int) integer(0), m.take("read"));
        }
        boolean tensor = m.take("tensor");
        boolean toShared = m.take("mbarrier::complete_tx::bytes");
        m.take("bulk_group");
        if (toShared) {
            if (m.takeAny("shared::cluster", "shared::cta") == null) throw m.unsupported("this form");
            if (!m.take("global")) throw m.unsupported("a copy from shared memory to shared memory");
        } else {
            if (!m.take("global") || !m.take("shared::cta")) throw m.unsupported("this form");
        }
        boolean multicast = m.take("multicast::cluster");
        if (!tensor) {
            if (reduction != null) throw m.unsupported("a reduction");
            arity(toShared ? multicast ? 5 : 4 : 3);
            return new AsyncCopy.Bulk(
                    toShared, address(0), address(1), o(2), toShared ? address(3) : null, multicast ? o(4) : null);
        }
        m.take("tile");
        String rank = m.takeAny("1d", "2d", "3d", "4d", "5d");
        arity(toShared ? multicast ? 4 : 3 : 2);
        Operand.TensorAddress t = tensor(toShared ? 1 : 0);
        if (rank == null || rank.charAt(0) - '0' != t.coordinates().size())
            throw malformed("rank and coordinates differ");
        return new AsyncCopy.BulkTensor(
                toShared,
                reduction,
                t,
                address(toShared ? 0 : 1),
                toShared ? address(2) : null,
                multicast ? o(3) : null);
    }

    private Instruction mbarrier() {
        boolean init = m.take("init");
        boolean invalidate = m.take("inval");
        String test = m.takeAny("test_wait", "try_wait");
        String arrive = m.takeAny("arrive", "arrive_drop");
        boolean expect = m.take("expect_tx");
        boolean complete = m.take("complete_tx");
        boolean parity = m.take("parity");
        boolean noComplete = m.take("noComplete");
        Memory.Order order = m.take(Memory.Order.class, Memory.Order.NONE);
        Memory.Scope scope = m.take(Memory.Scope.class, Memory.Scope.NONE);
        Space space = m.space();
        if (!space.isShared()) throw m.unsupported("a generic address");
        if (test == null) m.typeOrNull();
        else m.take("b64");
        if (init) {
            arity(2);
            return new Mbarrier.Init(address(0), o(1));
        }
        if (invalidate) {
            arity(1);
            return new Mbarrier.Invalidate(address(0));
        }
        if (test != null) {
            arity(3, 4);
            return new Mbarrier.Test(
                    test.equals("try_wait"),
                    parity,
                    order,
                    scope,
                    space,
                    o(0),
                    address(1),
                    o(2),
                    o.size() == 4 ? o(3) : null);
        }
        if (arrive != null) {
            boolean state = !(o(0) instanceof Operand.Address);
            int first = state ? 1 : 0;
            arity(first + 1, first + 2);
            return new Mbarrier.Arrive(
                    arrive.equals("arrive_drop"),
                    expect,
                    noComplete,
                    order,
                    scope,
                    space,
                    state ? o(0) : null,
                    address(first),
                    o.size() == first + 2 ? o(first + 1) : null);
        }
        if (!expect && !complete) return null;
        arity(2);
        return new Mbarrier.Transaction(complete, order, scope, space, address(0), o(1));
    }

    private Instruction matrix() {
        sync();
        arity(2);
        if (!m.take("m8n8")) throw m.unsupported("this shape");
        String count = m.takeAny("x1", "x2", "x4");
        if (count == null) throw malformed("how many matrices?");
        boolean transposed = m.take("trans");
        Space space = m.space();
        if (m.type() != PtxType.B16) throw m.unsupported("this type");
        int n = count.charAt(1) - '0';
        boolean load = m.base().equals("ldmatrix");
        Operand value = o(load ? 0 : 1);
        int registers = value instanceof Operand.Vector v ? v.elements().size() : 1;
        if (registers != n) throw malformed(registers + " registers for " + n + " matrices");
        return load
                ? new Matrix.LoadMatrix(n, transposed, space, o(0), address(1))
                : new Matrix.StoreMatrix(n, transposed, space, address(0), o(1));
    }

    private Instruction mma() {
        sync();
        arity(4);
        Matrix.Shape shape = shape();
        if (!m.take("row") || !m.take("col")) throw m.unsupported("a layout but .row.col");
        boolean sat = m.take("satfinite");
        return new Matrix.Mma(shape, sat, m.type(), m.type(), m.type(), m.type(), o(0), o(1), o(2), o(3));
    }

    private Instruction wgmma() {
        sync();
        if (m.take("fence")) return new Matrix.WgmmaFence();
        if (m.take("commit_group")) return new Matrix.WgmmaCommit();
        if (m.take("wait_group")) {
            arity(1);
            return new Matrix.WgmmaWait((int) integer(0));
        }
        if (!m.take("mma_async")) throw m.unsupported("this form");
        if (m.take("satfinite")) throw m.unsupported(".satfinite");
        Matrix.Shape shape = shape();
        PtxType d = m.type();
        PtxType a = m.type();
        PtxType b = m.type();
        arity(4, 6, 7, 8);
        int n = o.size();
        boolean registers = o(1) instanceof Operand.Vector;
        int transposes = n - 6;
        return new Matrix.Wgmma(
                shape,
                d,
                a,
                b,
                o(0),
                o(1),
                o(2),
                o(3),
                n > 4 ? (int) integer(4) : 1,
                n > 4 ? (int) integer(5) : 1,
                transposes > 1 && !registers && integer(6) != 0,
                transposes > 0 && integer(n - 1) != 0);
    }

    private Matrix.Shape shape() {
        for (String s : m.takeAll("m")) {
            Matcher x = SHAPE.matcher(s);
            if (x.matches() && x.group(3) != null) {
                return new Matrix.Shape(
                        Integer.parseInt(x.group(1)), Integer.parseInt(x.group(2)), Integer.parseInt(x.group(3)));
            }
        }
        throw malformed("no shape");
    }

    private void sync() {
        m.take("sync");
        m.take("aligned");
    }

    private void shared() {
        if (!m.space().isShared()) throw m.unsupported("this space");
    }

    private Operand o(int i) {
        return o.get(i);
    }

    private Operand.Address address(int i) {
        if (o.get(i) instanceof Operand.Address a) return a;
        throw malformed("operand " + (i + 1) + " is no address: " + o.get(i));
    }

    private Operand.TensorAddress tensor(int i) {
        if (o.get(i) instanceof Operand.TensorAddress a) return a;
        throw malformed("operand " + (i + 1) + " is no address in a tensor: " + o.get(i));
    }

    private long integer(int i) {
        if (o.get(i) instanceof Operand.Int n) return n.value();
        throw malformed("operand " + (i + 1) + " is no constant: " + o.get(i));
    }

    private void arity(int... allowed) {
        for (int n : allowed) if (o.size() == n) return;
        throw malformed(o.size() + " operands, not " + allowed[0]);
    }

    private PtxException malformed(String what) {
        return new PtxException(m.line(), m.opcode() + ": " + what, false);
    }
}
