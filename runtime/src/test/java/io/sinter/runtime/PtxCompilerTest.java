// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.codegen.ptx.lang.Target;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PtxCompilerTest {
    private static final String MODULE = """
            .version 8.0
            .target sm_80
            .address_size 64
            .visible .entry nothing()
            {
                %s
            }
            """;

    @BeforeEach
    void isThere() {
        assumeTrue(PtxCompiler.isThere(), "no natives of JCuda for this platform");
    }

    @Test
    void saysWhatAKernelUses() {
        String report = PtxCompiler.report(MODULE.formatted("ret;"), Target.SM_80);
        assertTrue(report.contains("'nothing' for 'sm_80'"), report);
        assertTrue(report.contains("registers"), report);
    }

    @Test
    void complaintsNameTheLine() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> PtxCompiler.report(MODULE.formatted("rit;"), Target.SM_80));
        assertTrue(e.getMessage().contains("line 6"), e.getMessage());
    }
}
