// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.store.ByteReader;
import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.FormatException;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel's code as text, not yet loaded: what a cache holds.
 *
 * @param text a PTX module
 * @param entries what is to be launched of it, one after the other, with the same parameters
 */
public record GeneratedPtx(String text, List<Entry> entries) {
    /**
     * An entry of the module.
     *
     * @param rule how it is to be launched
     * @param tensors of which maps are parameters, see {@link PtxKernel}
     */
    public record Entry(String name, LaunchRule rule, List<TensorRule> tensors) {
        public Entry {
            tensors = List.copyOf(tensors);
        }
    }

    public GeneratedPtx {
        entries = List.copyOf(entries);
    }

    /** The code of a kernel for launches that ask for a form; parameters as of {@link PtxCodegen#generate(Kernel, Schedule, String, int)}. */
    public static GeneratedPtx of(Kernel kernel, Schedule schedule, String entry, Target target) {
        PtxKernel code = PtxCodegen.generate(kernel, schedule, entry, 1);
        List<Entry> entries = new ArrayList<>();
        for (PtxKernel k = code; k != null; k = k.next()) entries.add(new Entry(k.name(), k.rule(), k.tensors()));
        return new GeneratedPtx(PtxCodegen.module(target, List.of(code)).toString(), entries);
    }

    public byte[] toBytes() {
        ByteWriter out = new ByteWriter().text(text).number(entries.size());
        LaunchRuleWriter rules = new LaunchRuleWriter(out);
        for (Entry e : entries) {
            out.text(e.name);
            rules.rule(e.rule);
            out.number(e.tensors.size());
            e.tensors.forEach(rules::tensor);
        }
        return out.toBytes();
    }

    /**
     * Reads what {@link #toBytes} wrote. The text is not looked at: whoever assembles it does that.
     *
     * @param kernel whose code it is
     * @throws FormatException if the bytes are something else, or launches would read parameters that the kernel does not have
     */
    public static GeneratedPtx read(byte[] bytes, Kernel kernel) {
        ByteReader in = new ByteReader(bytes);
        String text = in.text();
        LaunchRuleReader rules = new LaunchRuleReader(in, kernel.slots());
        List<Entry> entries = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            String name = in.text();
            LaunchRule rule = rules.rule();
            List<TensorRule> tensors = new ArrayList<>();
            for (int t = in.count(); t > 0; t--) tensors.add(rules.tensor());
            entries.add(new Entry(name, rule, tensors));
        }
        if (entries.isEmpty()) throw new FormatException("a module without entries");
        in.end();
        return new GeneratedPtx(text, entries);
    }

    /** A form in bytes: equal forms give equal bytes, others give others. */
    public static byte[] bytes(Schedule schedule) {
        ByteWriter out = new ByteWriter();
        switch (schedule) {
            case Schedule.Only() -> out.u8(0);
            case GemmSchedule g -> {
                out.u8(1);
                new LaunchRuleWriter(out).form(g);
            }
            case ScanSchedule(int parts) -> out.u8(2).number(parts);
            case Schedule.AnyOrder() -> out.u8(3);
            case Schedule.ByPlace(boolean whole) -> out.u8(6).bool(whole);
            case RowSchedule(int threads, int steps, boolean whole) ->
                out.u8(5).number(threads).number(steps).bool(whole);
            case AttentionSchedule(GemmSchedule.Math math, boolean async, int features, int elements) ->
                out.u8(4).constant(math).bool(async).number(features).number(elements);
        }
        return out.toBytes();
    }
}
