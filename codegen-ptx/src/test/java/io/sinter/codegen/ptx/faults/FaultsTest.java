// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.faults.Fault.Kind;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.PtxParser;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each kind of fault is found where it can be made, and changes the one statement that it names. */
class FaultsTest {
    private static final Kernel KERNEL = PtxParser.parse("""
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry k(.param .u64 p) {
                .reg .b32 %r<9>; .reg .b64 %rd<3>; .reg .f32 %f<9>; .reg .pred %p<2>;
                .shared .align 16 .b8 a[64];
                .shared .align 16 .b8 b[64];
                .loc 1 7 0
                mov.u64 %rd0, a;
                ld.param.u64 %rd1, [p];
                ld.shared.v2.f32 {%f0, %f1}, [%rd0];
                add.rn.f32 %f2, %f0, %f1;
                shfl.sync.bfly.b32 %r1, %r0, 8, 31, -1;
                cp.async.wait_group 1;
                bar.sync 0;
                setp.lt.s32 %p0, %r1, 5;
                @%p0 st.global.f32 [%rd1], %f2;
                ret;
            }
            """).module().kernels().getFirst();

    private static List<String> changes(Kind kind) {
        return Faults.of(KERNEL).stream()
                .filter(f -> f.kind() == kind)
                .map(f -> f.site() + ": " + f.change())
                .toList();
    }

    @Test
    void everyKindHasItsSites() {
        Set<Kind> found = Faults.of(KERNEL).stream().map(Fault::kind).collect(Collectors.toSet());
        assertEquals(EnumSet.allOf(Kind.class), found);
        assertEquals(List.of("line 7 bar.sync #1: left out"), changes(Kind.BARRIER));
        assertEquals(2, changes(Kind.WAIT).size());
        assertEquals(
                List.of(
                        "line 7 setp.lt.s32 #1: relation ge",
                        "line 7 setp.lt.s32 #1: relation le",
                        "line 7 st.global.f32 #1: the guard negated",
                        "line 7 st.global.f32 #1: without its guard"),
                changes(Kind.PREDICATE));
        assertEquals(List.of("line 7 ld.shared.v2.f32 #1: d 0 and 1 exchanged"), changes(Kind.FRAGMENT));
        assertEquals(4, changes(Kind.SHUFFLE).size());
        assertEquals(2, changes(Kind.ROUNDING).size());
        assertEquals(
                List.of(
                        "line 7 mov.u64 #1: b instead of a",
                        "line 7 ld.shared.v2.f32 #1: address + 32, half of its variable"),
                changes(Kind.STAGE));
    }

    @Test
    void aFaultChangesOneStatement() {
        for (Fault f : Faults.of(KERNEL)) {
            Kernel faulty = f.in(KERNEL);
            assertNotEquals(KERNEL, faulty, f.toString());
            int fewer = f.replacement() == null ? 1 : 0;
            assertEquals(KERNEL.body().size() - fewer, faulty.body().size());
            if (fewer == 1) continue;
            for (int i = 0; i < KERNEL.body().size(); i++)
                assertTrue(
                        i == f.statement()
                                || KERNEL.body().get(i).equals(faulty.body().get(i)),
                        f.toString());
        }
    }
}
