// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.Arrays;

/**
 * The times of what a warp's lanes do, and what each lane knows of what others did: below which time that is ordered before what the lane does next. A clock
 * vector, one for all lanes as long as they know the same. Lanes are ordered by what makes them wait for memory alone ({@code bar.warp.sync} among the lanes of its
 * mask, barriers, mbarriers), not by running in lockstep, and not by shuffles, votes or products, which promise nothing about memory.
 *
 * <p>What lanes tell others at a barrier or an mbarrier is told of the whole warp: a fault is missed where a lane tells what another one did, and none is made up.
 */
final class WarpClock {
    private final int id;
    private final int agents;
    /** What all lanes know of each agent, all of whose lanes are meant. */
    private final int[] common;
    /** Of lanes that know more: what they know of each agent, and of each lane of their own warp; null if no lane does. */
    private int[][] more;

    private int time = 1;

    /**
     * @param id the warp's number among the agents
     * @param common what is known of each agent; it is changed
     */
    WarpClock(int id, int[] common) {
        this.id = id;
        this.common = common;
        agents = common.length;
    }

    /** The time of what the lanes do next. */
    int time() {
        return time;
    }

    /** What a lane knows of an agent, of all of whose lanes that holds; lane {@link Races#SEVERAL}: what all know. */
    int known(int lane, int agent) {
        int[] m = of(lane);
        return m == null ? common[agent] : m[agent];
    }

    /** Whether a lane knows what a lane of an agent did at a time. */
    boolean knows(int lane, int agent, int other, int at) {
        if (at < common[agent] || agent == id && other == lane) return true;
        int[] m = of(lane);
        return m != null && holds(m, agent, other, at);
    }

    /** Whether what one lane knows, as a vector of agents and, behind them, of the lanes of this warp, holds what a lane of an agent did at a time. */
    boolean holds(int[] known, int agent, int other, int at) {
        return at < known[agent] || agent == id && other < Warp.LANES && at < known[agents + other];
    }

    /** What a lane knows, and did itself, for somebody who goes on from there; what the lanes do next is in another time. */
    int[] handOver(int lane) {
        time++;
        int[] c = copy(lane);
        c[agents + lane] = time;
        return c;
    }

    /** What one lane knows, as a vector of agents, and, behind them, of the lanes of its own warp. */
    private int[] copy(int lane) {
        int[] m = of(lane);
        if (m != null) return m.clone();
        int[] c = new int[agents + Warp.LANES];
        System.arraycopy(common, 0, c, 0, agents);
        Arrays.fill(c, agents, c.length, common[id]);
        return c;
    }

    private int[] of(int lane) {
        return more == null || lane == Races.SEVERAL ? null : more[lane];
    }

    private int[] own(int lane) {
        int[] c = copy(lane);
        if (more == null) more = new int[Warp.LANES][];
        return more[lane] = c;
    }

    /** Adds what lanes know, and what the warp did, to a clock vector. */
    void release(int lanes, int[] clocks) {
        time++;
        raise(clocks, common);
        for (int m = more == null ? 0 : lanes; m != 0; m &= m - 1) {
            int[] x = more[Integer.numberOfTrailingZeros(m)];
            if (x != null) raise(clocks, x);
        }
        clocks[id] = Math.max(clocks[id], time);
    }

    /** Lanes learn what a clock vector holds. */
    void acquire(int lanes, int live, int[] clocks) {
        if ((lanes & live) != live) {
            for (int m = lanes; m != 0; m &= m - 1) raise(own(Integer.numberOfTrailingZeros(m)), clocks);
            return;
        }
        raise(common, clocks);
        if (more == null) return;
        boolean any = false;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            int[] m = more[lane];
            if (m == null) continue;
            raise(m, clocks);
            if ((live >>> lane & 1) == 0 || isCommon(m)) more[lane] = null;
            else any = true;
        }
        if (!any) more = null;
    }

    /** A lane learns what an agent did before a time. */
    void learn(int lane, int live, int agent, int clock) {
        int[] c = new int[agents];
        c[agent] = clock;
        acquire(1 << lane, live, c);
    }

    /** Lanes wait for each other: each learns what the others know and did. */
    void meet(int lanes, int live) {
        time++;
        if ((lanes & live) == live) {
            for (int lane = 0; more != null && lane < Warp.LANES; lane++)
                if (more[lane] != null && (live >>> lane & 1) != 0) raise(common, more[lane]);
            more = null;
            common[id] = time;
            return;
        }
        int[] all = copy(Races.SEVERAL);
        for (int m = lanes; m != 0; m &= m - 1) {
            int[] x = of(Integer.numberOfTrailingZeros(m));
            if (x != null) for (int i = 0; i < all.length; i++) all[i] = Math.max(all[i], x[i]);
        }
        for (int m = lanes; m != 0; m &= m - 1) all[agents + Integer.numberOfTrailingZeros(m)] = time;
        for (int m = lanes; m != 0; m &= m - 1)
            System.arraycopy(all, 0, own(Integer.numberOfTrailingZeros(m)), 0, all.length);
    }

    private boolean isCommon(int[] m) {
        for (int i = 0; i < agents; i++) if (m[i] > common[i]) return false;
        for (int i = agents; i < m.length; i++) if (m[i] > common[id]) return false;
        return true;
    }

    /** Adds what another vector holds of agents. */
    private void raise(int[] known, int[] by) {
        for (int i = 0; i < agents; i++) if (by[i] > known[i]) known[i] = by[i];
    }
}
