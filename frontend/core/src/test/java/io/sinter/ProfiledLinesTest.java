// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Identity;
import io.sinter.nn.Net;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.KernelTime;
import io.sinter.runtime.profile.Profile;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a profile needs to know of lines and parts of networks, and how seldom it is looked for: that takes longer than small kernels. */
class ProfiledLinesTest {
    /** A network that notes the lines of what it traces, and how often its parts are looked at. */
    private static final class Looked extends Net {
        private transient int looks;
        private final transient List<SourceLine> lines = new ArrayList<>();
        private final Identity first = new Identity();
        private final List<Net> parts = new AbstractList<>() {
            @Override
            public Net get(int index) {
                looks++;
                return first;
            }

            @Override
            public int size() {
                return 1;
            }
        };

        @Override
        public Tensor forward(Tensor x) {
            Tensor y = first.call(x).exp();
            lines.add(y.value().line);
            return y;
        }
    }

    private final Tensor x = Tensor.ones(3);

    private void call(Net net) {
        try (var _ = Sinter.noGrad()) {
            net.call(x);
        }
        Sinter.flush();
    }

    private static void profiled(Profile into, Runnable work) {
        Session session = Session.current();
        session.profileInto(into);
        try {
            work.run();
        } finally {
            session.profileInto(null);
        }
    }

    @Test
    void aStackIsWalkedOnceHoweverOftenProfilesBegin() {
        Looked net = new Looked();
        call(net);
        for (int i = 0; i < 2; i++) {
            profiled(new Profile(true), () -> call(net));
            call(net);
        }
        SourceLine profiled = net.lines.get(1);
        assertEquals("Looked", profiled.net());
        assertNotSame(net.lines.get(0), profiled, "nobody wanted to know the part of the network");
        for (SourceLine l : net.lines.subList(2, 5)) assertSame(profiled, l);
    }

    @Test
    void namesOfPartsAreFoundOnceForAProfile() {
        Looked one = new Looked();
        Looked two = new Looked();
        List<Integer> looks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            profiled(new Profile(false), () -> {
                for (int k = 0; k < 3; k++) {
                    call(one);
                    call(two);
                    looks.add(one.looks);
                    assertEquals(one.looks, two.looks);
                }
            });
        }
        int once = looks.getFirst();
        assertTrue(once > 0);
        assertEquals(List.of(once, once, once, 2 * once, 2 * once, 2 * once), looks);
        call(one);
        assertEquals(2 * once, one.looks, "nobody wants to know");
    }

    /** Operators that check indices note their stacks at every step, for their errors; frames are looked for once. */
    @Test
    void linesOfOperatorsThatCheckIndicesAreThoseOfTheStepBefore() {
        Tensor rows = Tensor.of(new long[] {0, 2});
        List<SourceLine> lines = new ArrayList<>();
        Sinter.flush(); // the first trace, too, is that of one round
        Profile profile = new Profile(false);
        profiled(profile, () -> {
            for (int i = 0; i < 3; i++) {
                Tensor y = Tensor.ones(3, 2).exp().take(rows);
                lines.add(y.value().line);
                y.toDoubles();
                Sinter.flush();
            }
        });
        assertEquals(
                List.of(false, true, true),
                lines.stream().map(SourceLine::isAgain).toList());
        assertNotSame(lines.get(1), lines.get(2));
        assertEquals(lines.get(0), lines.get(2), "when somebody asks after all");
        assertEquals(1, profile.kernels().size());
        KernelTime take = profile.kernels().getFirst();
        assertEquals(3, take.calls());
        assertEquals(List.of(lines.get(0).source()), take.sources());
    }
}
