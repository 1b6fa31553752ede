// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Modules as PTX text. */
public final class PtxPrinter {
    private final StringBuilder out = new StringBuilder();

    private PtxPrinter() {}

    /** The text of a module, which {@link PtxParser} reads back to an equal one. */
    public static String print(PtxModule m) {
        PtxPrinter p = new PtxPrinter();
        p.module(m);
        return p.out.toString();
    }

    /** The declaration of a variable without its semicolon. */
    static String print(Variable v) {
        StringBuilder s = new StringBuilder();
        if (v.linkage() != Variable.Linkage.NONE) {
            s.append('.').append(v.linkage().name().toLowerCase(Locale.ROOT)).append(' ');
        }
        s.append('.').append(v.space()).append(' ');
        if (v.pointer() == null && v.align() != 0)
            s.append(".align ").append(v.align()).append(' ');
        s.append('.').append(v.type()).append(' ');
        if (v.pointer() != null) {
            s.append(".ptr ");
            if (v.pointer().space() != Space.GENERIC)
                s.append('.').append(v.pointer().space()).append(' ');
            if (v.pointer().align() != 0)
                s.append(".align ").append(v.pointer().align()).append(' ');
        }
        s.append(v.name());
        if (v.array()) s.append('[').append(v.count() < 0 ? "" : v.count()).append(']');
        if (!v.initial().isEmpty()) {
            String values = v.initial().stream().map(Object::toString).collect(Collectors.joining(", "));
            s.append(" = ").append(v.array() ? "{" + values + "}" : values);
        }
        return s.toString();
    }

    private void module(PtxModule m) {
        line(".version " + m.version());
        line(".target " + m.target());
        line(".address_size 64");
        m.files().forEach((n, name) -> line(".file " + n + " \"" + name + "\""));
        for (Variable v : m.variables()) line(print(v) + ";");
        for (Kernel k : m.kernels()) {
            out.append('\n');
            kernel(k);
        }
    }

    private void kernel(Kernel k) {
        String parameters = k.parameters().stream().map(v -> "    " + print(v)).collect(Collectors.joining(",\n"));
        line((k.visible() ? ".visible " : "") + ".entry " + k.name() + "("
                + (parameters.isEmpty() ? "" : "\n" + parameters + "\n") + ")");
        Kernel.Limits l = k.limits();
        list(".maxntid", l.maxThreads());
        list(".reqntid", l.exactThreads());
        if (l.minCtas() > 0) line(".minnctapersm " + l.minCtas());
        if (l.maxRegisters() > 0) line(".maxnreg " + l.maxRegisters());
        list(".reqnctapercluster", l.cluster());
        line("{");
        body(k.body(), "    ");
        line("}");
    }

    private void list(String directive, List<Integer> values) {
        if (values.isEmpty()) return;
        line(directive + " " + values.stream().map(Object::toString).collect(Collectors.joining(", ")));
    }

    private void body(List<Statement> statements, String indent) {
        for (Statement s : statements) {
            if (s instanceof Statement.Block b) {
                line(indent + "{");
                body(b.statements(), indent + "    ");
                line(indent + "}");
            } else {
                line((s instanceof Statement.Label ? "" : indent) + s);
            }
        }
    }

    private void line(String text) {
        out.append(text).append('\n');
    }
}
