// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.Resources;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The parser against the printer, and against what nvcc writes. */
class PtxParserTest {
    private static final PtxModule LANGUAGE =
            PtxParser.parse(Resources.text("language.ptx")).module();

    @Test
    void everyFormPrintsAsItWasWritten() {
        // Comments, and the offset of an inlined function's name that is zero, are not kept.
        String written = Arrays.stream(Resources.text("language.ptx").split("\n"))
                .filter(l -> !l.startsWith("//"))
                .map(l -> l.replace("$L__info_string0+0", "$L__info_string0"))
                .collect(Collectors.joining("\n", "", "\n"));
        assertEquals(written, LANGUAGE.toString());
    }

    /** Statements of that file in any order, in blocks, under guards: what is printed is read back the same. */
    @Property(tries = 200)
    void parseInvertsPrint(@ForAll long seed) {
        Random random = new Random(seed);
        Kernel all = LANGUAGE.kernels().getFirst();
        List<Statement> head = new ArrayList<>();
        List<Statement> pool = new ArrayList<>();
        for (Statement s : all.body()) {
            (s instanceof Statement.Registers || s instanceof Statement.Declare ? head : pool).add(s);
        }
        Collections.shuffle(pool, random);
        head.addAll(wrapped(pool.subList(0, random.nextInt(pool.size())), random));
        PtxModule m = new PtxModule(
                "8." + random.nextInt(9),
                "sm_90a",
                LANGUAGE.files(),
                LANGUAGE.variables(),
                List.of(new Kernel(random.nextBoolean(), "k", all.parameters(), all.limits(), head)));
        assertEquals(m, PtxParser.parse(PtxPrinter.print(m)).module());
    }

    private static List<Statement> wrapped(List<Statement> statements, Random random) {
        List<Statement> out = new ArrayList<>();
        for (int i = 0; i < statements.size(); i++) {
            Statement s = statements.get(i);
            if (s instanceof Statement.Perform p && random.nextInt(4) == 0) {
                out.add(new Statement.Perform(
                        new Guard(new Operand.Reg("%p3", PtxType.PRED), random.nextBoolean()), p.instruction()));
            } else if (random.nextInt(20) == 0) {
                int end = Math.min(statements.size(), i + 3);
                out.add(new Statement.Block(statements.subList(i, end)));
                i = end - 1;
            } else {
                out.add(s);
            }
        }
        return out;
    }

    @ParameterizedTest
    @ValueSource(strings = {"reductions", "tiles", "integers", "halves"})
    void readsWhatNvccWrites(String file) {
        String text = Resources.text("nvcc/" + file + ".ptx");
        PtxParser.Result r = PtxParser.parse(text);
        assertTrue(r.module().kernels().size() >= 3);
        assertEquals(r.module(), PtxParser.parse(r.module().toString()).module());
        String[] lines = text.split("\n");
        r.lines().forEach((s, n) -> {
            if (s instanceof Statement.Perform p && p.guard() == null) {
                assertTrue(lines[n - 1].contains(p.instruction().opcode().split("\\.")[0]), () -> n + ": " + s);
            }
        });
    }

    @Test
    void errorsNameTheLineAndWhetherTheSubsetEnds() {
        assertError(4, false, "register %r9 is not declared", "add.s32 %r1, %r9, 1;");
        assertError(4, true, "instruction tex.1d.v4.f32.s32 is not supported", "tex.1d.v4.f32.s32 %r1, %r0;");
        assertError(4, true, ".foo of add.foo.s32 is not supported", "add.foo.s32 %r1, %r0, 1;");
        assertError(4, false, "2 operands, not 3", "add.s32 %r1, %r0;");
        assertError(4, false, "expected ';'", "add.s32 %r1, %r0, 1 }");
        assertError(4, false, "%r0 is no predicate", "@%r0 bra L;");
        assertError(4, false, "one value", "ld.global.u32 {%r0, %r1}, [%r0];");
        assertError(5, false, "no end", "ret;");
    }

    private static void assertError(int line, boolean unsupported, String message, String statement) {
        String text = ".version 8.0\n.target sm_80\n.entry k() { .reg .b32 %r<2>;\n" + statement + "\n";
        PtxException e = assertThrows(PtxException.class, () -> PtxParser.parse(text));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(line, e.line(), e.getMessage());
        assertEquals(unsupported, e.unsupported(), e.getMessage());
    }

    /** Whatever the text, the parser ends with a module or a {@link PtxException}. */
    @Property(tries = 500)
    void brokenTextIsAnError(@ForAll long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(Resources.text("language.ptx"));
        for (int i = random.nextInt(5); i >= 0; i--) {
            int at = random.nextInt(text.length());
            if (random.nextBoolean()) text.deleteCharAt(at);
            else text.setCharAt(at, "{}[]();,.<>@!|:+-_%\"0x9af \n".charAt(random.nextInt(27)));
        }
        try {
            PtxModule m = PtxParser.parse(text.toString()).module();
            assertFalse(m.version().isEmpty());
        } catch (PtxException e) {
            assertTrue(e.line() > 0);
        }
    }
}
