// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Operand.Special;
import io.sinter.codegen.ptx.sim.SimFault.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** 32 threads that run in lockstep as long as they are at the same place. */
final class Warp extends Agent {
    static final int LANES = 32;

    final Program program;
    /** Values of registers, zero-extended to 64 bits, lane by lane: special registers, then those of {@link Program#slots}. */
    final long[][] regs;
    /** Lanes in which a register holds a value. */
    final int[] written;
    /** Values of predicates, a bit for each lane. */
    final int[] preds;

    final int[] predicateWritten;
    /** Results of lanes that are computed but not all kept. */
    final long[] scratch = new long[LANES];
    /** Local memory of each lane; null if the kernel has none. */
    final Store[] local;

    /** Lanes that have not exited. */
    int live;

    final List<Split> splits = new ArrayList<>();
    /** The split that is running, and its step. */
    private Split current;

    private Step step;
    /** Whether a gathered instruction has moved other splits than the current one. */
    private boolean moved;

    final WarpClock clock;
    final Access access = new Access(this);
    final AsyncCopies copies = new AsyncCopies(this);
    final BulkGroups bulk = new BulkGroups(this);
    /** Carry flags of extended-precision arithmetic. */
    final long[] carry = new long[LANES];

    final WgmmaQueue products = new WgmmaQueue(this);
    private int undefinedRegister;
    private int undefinedLanes;
    /** Instructions executed so far. */
    long ticks;
    /** The phase of the cluster's barrier that this warp has arrived at. */
    int clusterPhase;

    Warp(Cta cta, int id, Program program, SimOptions options, int clocks) {
        super(cta, id, options, clocks);
        clock = new WarpClock(id, new int[clocks]);
        this.program = program;
        regs = new long[Names.SPECIALS + program.slots().size()][];
        written = new int[regs.length];
        Arrays.fill(written, 0, Names.SPECIALS, -1);
        for (int r = Names.SPECIALS; r < regs.length; r++) {
            long[] constant = program.slots().get(r - Names.SPECIALS).constant();
            regs[r] = constant == null ? new long[LANES] : constant;
            written[r] = constant == null ? 0 : -1;
        }
        preds = new int[program.predicates()];
        predicateWritten = new int[program.predicates()];
        long threads = cta.grid.block.size() - (long) id * LANES;
        live = threads >= LANES ? -1 : (1 << threads) - 1;
        local = new Store[program.localBytes() == 0 ? 0 : LANES];
        Arrays.setAll(local, _ -> new Store(program.localBytes()));
        specials();
        splits.add(new Split(0, live, null));
    }

    private void specials() {
        Dim3 b = cta.grid.block;
        Dim3 g = cta.grid.grid;
        Dim3 c = cta.grid.cluster;
        int rank = cta.rank;
        for (Special s : Special.values()) {
            long[] v = new long[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                long t = (long) id * LANES + lane;
                v[lane] = switch (s) {
                    case TID_X -> t % b.x();
                    case TID_Y -> t / b.x() % b.y();
                    case TID_Z -> t / ((long) b.x() * b.y()) % b.z();
                    case NTID_X -> b.x();
                    case NTID_Y -> b.y();
                    case NTID_Z -> b.z();
                    case CTAID_X -> cta.x;
                    case CTAID_Y -> cta.y;
                    case CTAID_Z -> cta.z;
                    case NCTAID_X -> g.x();
                    case NCTAID_Y -> g.y();
                    case NCTAID_Z -> g.z();
                    case LANEID -> lane;
                    case WARPID -> id;
                    case NWARPID -> 64;
                    case SMID -> cta.number % cta.grid.multiprocessors();
                    case NSMID -> cta.grid.multiprocessors();
                    case GRIDID -> 1;
                    case LANEMASK_EQ -> 1L << lane;
                    case LANEMASK_LT -> (1L << lane) - 1;
                    case LANEMASK_LE -> (2L << lane) - 1;
                    case LANEMASK_GT -> -(2L << lane) & 0xffff_ffffL;
                    case LANEMASK_GE -> -(1L << lane) & 0xffff_ffffL;
                    case DYNAMIC_SMEM_SIZE -> cta.grid.dynamicShared;
                    case TOTAL_SMEM_SIZE -> program.sharedEnd() - Window.SHARED_FIRST + cta.grid.dynamicShared;
                    case IS_EXPLICIT_CLUSTER -> c.size() > 1 ? 1 : 0;
                    case CLUSTERID_X -> cta.x / c.x();
                    case CLUSTERID_Y -> cta.y / c.y();
                    case CLUSTERID_Z -> cta.z / c.z();
                    case NCLUSTERID_X -> g.x() / c.x();
                    case NCLUSTERID_Y -> g.y() / c.y();
                    case NCLUSTERID_Z -> g.z() / c.z();
                    case CLUSTER_CTAID_X -> cta.x % c.x();
                    case CLUSTER_CTAID_Y -> cta.y % c.y();
                    case CLUSTER_CTAID_Z -> cta.z % c.z();
                    case CLUSTER_NCTAID_X -> c.x();
                    case CLUSTER_NCTAID_Y -> c.y();
                    case CLUSTER_NCTAID_Z -> c.z();
                    case CLUSTER_CTARANK -> rank;
                    case CLUSTER_NCTARANK -> c.size();
                    // Clocks are read by a step of their own.
                    case CLOCK, CLOCK_HI, CLOCK64, GLOBALTIMER -> 0;
                };
            }
            regs[s.ordinal()] = v;
        }
    }

    @Override
    int clock() {
        return clock.time();
    }

    @Override
    int known(int lane, int agent) {
        return clock.known(lane, agent);
    }

    @Override
    boolean knows(int lane, int agent, int other, int at) {
        return clock.knows(lane, agent, other, at);
    }

    /** Lanes learn what a clock vector holds. */
    void acquire(int lanes, int[] clocks) {
        clock.acquire(lanes, live, clocks);
    }

    boolean isDone() {
        return splits.isEmpty();
    }

    /** A split that can run, or null; one that polls only if {@code polling}. */
    Split runnable(boolean polling) {
        Split found = null;
        for (Split s : splits) {
            if (s.state == Split.State.RUNNING) return s;
            if (polling && s.state == Split.State.POLLING && found == null) found = s;
        }
        return found;
    }

    /** Runs a split for up to so many instructions; returns how many it ran. */
    int run(Split s, int budget) {
        current = s;
        s.state = Split.State.RUNNING;
        Step[] steps = program.steps();
        int done = 0;
        while (done < budget) {
            Step st = steps[s.pc];
            step = st;
            int mask = s.mask;
            if (st.guard >= 0) {
                check(predicateWritten[st.guard], mask, "the guard");
                mask &= st.negated ? ~preds[st.guard] : preds[st.guard];
            }
            done++;
            ticks++;
            if (mask != 0 && options.checkInitialized()) inputs(st, mask);
            if (st instanceof Step.Plain p) {
                if (mask != 0) {
                    p.run(this, mask);
                    outputs(st, mask);
                }
                s.pc++;
            } else if (!((Step.Flow) st).run(this, s, mask)) {
                break;
            }
            if (s.mask == 0) break;
            if (s.pc == s.joinPc()) {
                arrive(s);
                break;
            }
        }
        return done;
    }

    private void inputs(Step st, int mask) {
        for (int r : st.reads) if ((written[r] & mask) != mask) check(written[r], mask, program.registerName(r));
        for (int p : st.predicateReads) {
            if ((predicateWritten[p] & mask) != mask) check(predicateWritten[p], mask, program.predicateName(p));
        }
    }

    private void check(int valid, int mask, String what) {
        int missing = mask & ~valid;
        if (missing == 0 || !options.checkInitialized()) return;
        if (products.isBusy()) {
            for (int r : step.reads) {
                if (!products.holds(r)) continue;
                String name = program.registerName(r);
                throw fault(Kind.ASYNC_NOT_WAITED, 0, name + " is an accumulator of a product that was not waited for");
            }
        }
        throw fault(
                Kind.UNINITIALIZED_REGISTER,
                Integer.numberOfTrailingZeros(missing),
                what + " holds no value in `" + step.text + "`");
    }

    /** Says that what the step at work leaves in some lanes of a register is no value. */
    void undefined(int register, int lanes) {
        undefinedRegister = register;
        undefinedLanes = lanes;
    }

    /** Notes that the results of a step are there. */
    void outputs(Step st, int mask) {
        if (products.isBusy() && !(st instanceof WarpSteps.Gathered)) {
            for (int r : st.writes) {
                if (!products.holds(r)) continue;
                String name = program.registerName(r);
                throw fault(
                        Kind.ASYNC_NOT_WAITED,
                        0,
                        "writes " + name + ", an accumulator of a product that was not waited for");
            }
        }
        for (int r : st.writes) if (!products.holds(r)) written[r] |= mask;
        if (undefinedLanes != 0) {
            written[undefinedRegister] &= ~undefinedLanes;
            undefinedLanes = 0;
        }
        for (int p : st.predicateWrites) predicateWritten[p] |= mask;
    }

    /** Moves a split of which {@code taken} lanes go to {@code target}, and the others on; they meet at {@code meet}, if it is not −1. */
    void branch(Split s, int taken, int target, int meet) {
        int stay = s.mask & ~taken;
        if (taken == 0) {
            s.pc++;
            return;
        }
        if (stay == 0) {
            s.pc = target;
            return;
        }
        if (meet >= 0 && meet != s.joinPc()) s.join = new Split.Join(meet, s.mask, s.join);
        Split other = new Split(target, taken, s.join);
        s.mask = stay;
        s.pc++;
        splits.add(other);
        if (other.pc == other.joinPc()) arrive(other);
    }

    /** A split has come to where it ends. */
    private void arrive(Split s) {
        Split.Join j = s.join;
        j.arrived |= s.mask;
        splits.remove(s);
        s.mask = 0;
        if (j.arrived == j.expected) release(j);
    }

    private void release(Split.Join j) {
        Split s = new Split(j.pc, j.expected, j.parent);
        splits.add(s);
        if (s.pc == s.joinPc()) arrive(s);
    }

    /** Ends lanes of a split. */
    void exit(Split s, int mask) {
        live &= ~mask;
        s.mask &= ~mask;
        if (s.mask == 0) splits.remove(s);
        else s.pc++;
        for (Split.Join j = s.join; j != null; j = j.parent) j.expected &= ~mask;
        for (Split.Join j = s.join; j != null; j = j.parent) {
            if (j.expected == 0) continue;
            if (j.arrived == j.expected) release(j);
            break;
        }
        meetLanes();
        cta.barriers.check();
        cta.cluster.check();
    }

    /**
     * Lets a split execute an instruction for which all live lanes of {@code members} must come.
     *
     * @return the lanes that execute it now: of this split and of those that wait; 0 if others are missing and the split waits
     */
    int gather(Split s, int mask, int members) {
        int outside = mask & ~members;
        if (outside != 0) {
            throw fault(
                    Kind.DIVERGENT,
                    Integer.numberOfTrailingZeros(outside),
                    "executes `" + step.text + "` without being in its mask " + hex(members));
        }
        int need = members & live;
        if ((mask & need) == need) return mask;
        int there = mask;
        for (Split o : splits)
            if (o != s && o.state == Split.State.LANES && o.pc == s.pc && o.awaited == members) there |= o.mask;
        if ((there & need) != need) {
            s.state = Split.State.LANES;
            s.awaited = members;
            return 0;
        }
        for (Split o : splits) {
            if (o != s && o.state == Split.State.LANES && o.pc == s.pc && o.awaited == members) {
                o.state = Split.State.RUNNING;
                o.awaited = 0;
                o.pc++;
            }
        }
        moved = true;
        return there;
    }

    /** After a gathered instruction: splits that were waiting may now be where they end. */
    void settle() {
        if (!moved) return;
        moved = false;
        for (Split o : List.copyOf(splits)) {
            if (o != current && o.mask != 0 && o.state == Split.State.RUNNING && o.pc == o.joinPc()) arrive(o);
        }
    }

    /** Lanes have exited: splits that wait for them may go on, and ask again. */
    private void meetLanes() {
        for (Split o : splits) if (o.state == Split.State.LANES) o.state = Split.State.RUNNING;
    }

    /** Makes the split that waits at a barrier go on behind it. */
    void pass(Split s) {
        s.state = Split.State.RUNNING;
        s.pc++;
        if (s.pc == s.joinPc()) arrive(s);
    }

    Step step() {
        return step;
    }

    /** Names a step as the one at work, for faults of what it left to be done later. */
    void resume(Step s) {
        step = s;
    }

    /** A fault at the present step. */
    @Override
    SimFault fault(Kind kind, int lane, String message) {
        return new SimFault(
                kind,
                program.name(),
                step == null ? 0 : step.line,
                step == null ? "" : step.source,
                where(lane),
                message);
    }

    private String where(int lane) {
        Dim3 b = cta.grid.block;
        long t = (long) id * LANES + lane;
        return "block (" + cta.x + "," + cta.y + "," + cta.z + ") thread (" + t % b.x() + "," + t / b.x() % b.y() + ","
                + t / ((long) b.x() * b.y()) + ")";
    }

    /** Where the splits are, for messages about threads that cannot go on. */
    String places() {
        StringBuilder s = new StringBuilder();
        for (Split x : splits) {
            Step st = program.steps()[x.pc];
            s.append("\n  block (")
                    .append(cta.x)
                    .append(',')
                    .append(cta.y)
                    .append(',')
                    .append(cta.z)
                    .append(") warp ")
                    .append(id)
                    .append(" lanes ")
                    .append(hex(x.mask))
                    .append(" at PTX line ")
                    .append(st.line)
                    .append(" `")
                    .append(st.text)
                    .append('`');
            if (x.state == Split.State.LANES) s.append(", waiting for lanes ").append(hex(x.awaited & live & ~x.mask));
        }
        return s.toString();
    }

    static String hex(int mask) {
        return String.format("0x%08x", mask);
    }
}
