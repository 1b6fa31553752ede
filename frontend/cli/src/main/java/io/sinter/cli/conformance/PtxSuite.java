// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.codegen.ptx.lang.PtxException;
import io.sinter.codegen.ptx.sim.Dim3;
import io.sinter.codegen.ptx.sim.SimDevice;
import io.sinter.codegen.ptx.sim.SimFault;
import io.sinter.codegen.ptx.sim.SimModule;
import io.sinter.codegen.ptx.sim.SimOptions;
import io.sinter.runtime.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A folder of PTX programs with inputs and expected outputs: {@code cases.json} and the files that it names. */
final class PtxSuite {
    /** One launch. */
    record Case(
            String file,
            String kernel,
            Dim3 grid,
            Dim3 block,
            int shared,
            List<Argument> arguments,
            List<byte[]> expected) {
        @Override
        public String toString() {
            return file + " " + kernel + " grid " + grid + " block " + block;
        }
    }

    /** A buffer with contents, a buffer of zeros that is compared afterwards, or a value. */
    sealed interface Argument {
        record In(byte[] bytes) implements Argument {}

        record Out(int bytes) implements Argument {}

        record Scalar(byte[] bytes) implements Argument {}
    }

    /**
     * What became of a case.
     *
     * @param message what differed or went wrong; empty if it passed
     * @param note a fault that changed no result, or empty
     */
    record Outcome(TorchOps.Verdict verdict, String message, String note) {}

    private final Path folder;
    private final List<Case> cases;

    /**
     * Reads the list of cases.
     *
     * @throws UncheckedIOException if there is none, or it is malformed
     */
    PtxSuite(Path folder) {
        this.folder = folder;
        Path file = folder.resolve("cases.json");
        try {
            cases = new ArrayList<>();
            for (JsonNode n : new ObjectMapper().readTree(file.toFile())) cases.add(parse(n));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + Reason.of(e), e);
        } catch (IllegalArgumentException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), new IOException(e));
        }
    }

    List<Case> cases() {
        return cases;
    }

    private static Case parse(JsonNode n) {
        List<Argument> arguments = new ArrayList<>();
        for (JsonNode a : n.path("args")) {
            if (a.has("in")) arguments.add(new Argument.In(hex(a.get("in"))));
            else if (a.has("out")) arguments.add(new Argument.Out(a.get("out").asInt()));
            else if (a.has("scalar")) arguments.add(new Argument.Scalar(hex(a.get("scalar"))));
            else throw new IllegalArgumentException("an argument is in, out or scalar: " + a);
        }
        List<byte[]> expected = new ArrayList<>();
        for (JsonNode e : n.path("expect")) expected.add(hex(e));
        return new Case(
                n.path("file").asText(),
                n.path("kernel").asText(),
                extents(n.path("grid")),
                extents(n.path("block")),
                n.path("shared").asInt(0),
                arguments,
                expected);
    }

    private static byte[] hex(JsonNode n) {
        return HexFormat.of().parseHex(n.asText().strip());
    }

    private static Dim3 extents(JsonNode n) {
        return new Dim3(n.path(0).asInt(1), n.path(1).asInt(1), n.path(2).asInt(1));
    }

    /** Runs a case with all checks; if only a check of order or initialisation complains, the results decide. */
    Outcome run(Case c, long seed) {
        SimOptions checked = SimOptions.DEFAULT.withSeed(seed);
        try {
            return compare(c, launch(c, checked), "");
        } catch (SimFault f) {
            boolean advisory = f.kind() == SimFault.Kind.RACE
                    || f.kind() == SimFault.Kind.UNINITIALIZED_MEMORY
                    || f.kind() == SimFault.Kind.UNINITIALIZED_REGISTER;
            if (!advisory) return new Outcome(TorchOps.Verdict.FAILED, f.getMessage(), "");
            try {
                SimOptions unchecked = new SimOptions(seed, false, false, checked.maxInstructions());
                return compare(c, launch(c, unchecked), f.getMessage());
            } catch (SimFault g) {
                return new Outcome(TorchOps.Verdict.FAILED, g.getMessage(), f.getMessage());
            }
        } catch (PtxException e) {
            TorchOps.Verdict v = e.unsupported() ? TorchOps.Verdict.UNSUPPORTED : TorchOps.Verdict.FAILED;
            return new Outcome(v, e.getMessage(), "");
        } catch (UncheckedIOException | IllegalArgumentException e) {
            return new Outcome(TorchOps.Verdict.FAILED, e.toString(), "");
        }
    }

    private List<byte[]> launch(Case c, SimOptions options) {
        SimDevice device = new SimDevice(options);
        SimModule module = device.load(text(c));
        SimModule.Entry kernel = module.kernel(c.kernel);
        if (kernel.parameterCount() != c.arguments.size()) {
            throw new IllegalArgumentException(
                    c.arguments.size() + " arguments for " + kernel.parameterCount() + " parameters");
        }
        ByteBuffer block = ByteBuffer.allocate(kernel.parameterBytes()).order(ByteOrder.LITTLE_ENDIAN);
        List<Long> outs = new ArrayList<>();
        List<byte[]> results = new ArrayList<>();
        for (int i = 0; i < c.arguments.size(); i++) {
            block.position(kernel.parameterOffset(i));
            switch (c.arguments.get(i)) {
                case Argument.In in -> block.putLong(buffer(device, in.bytes));
                case Argument.Out out -> {
                    long p = buffer(device, new byte[out.bytes]);
                    outs.add(p);
                    results.add(new byte[out.bytes]);
                    block.putLong(p);
                }
                case Argument.Scalar s -> block.put(s.bytes);
            }
        }
        device.launch(kernel, c.grid, c.block, c.shared, block.array());
        for (int i = 0; i < outs.size(); i++)
            device.memory().copyOut(outs.get(i), MemorySegment.ofArray(results.get(i)));
        return results;
    }

    private String text(Case c) {
        try {
            return Files.readString(folder.resolve(c.file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + c.file + ": " + Reason.of(e), e);
        }
    }

    private static long buffer(SimDevice device, byte[] bytes) {
        long p = device.memory().allocate(bytes.length);
        device.memory().copyIn(p, MemorySegment.ofArray(bytes));
        return p;
    }

    private static Outcome compare(Case c, List<byte[]> results, String note) {
        if (results.size() != c.expected.size()) {
            return new Outcome(
                    TorchOps.Verdict.FAILED,
                    c.expected.size() + " expected results for " + results.size() + " out arguments",
                    note);
        }
        for (int i = 0; i < results.size(); i++) {
            String d = difference(c.expected.get(i), results.get(i));
            if (d != null) return new Outcome(TorchOps.Verdict.FAILED, "out " + i + ": " + d, note);
        }
        return new Outcome(TorchOps.Verdict.PASSED, "", note);
    }

    /** Where and how results differ; null if they do not. */
    private static String difference(byte[] want, byte[] got) {
        if (want.length != got.length) return got.length + " bytes, expected " + want.length;
        int first = java.util.Arrays.mismatch(want, got);
        if (first < 0) return null;
        int wrong = 0;
        for (int i = 0; i < want.length; i++) if (want[i] != got[i]) wrong++;
        int from = first / 4 * 4;
        int to = Math.min(from + 4, want.length);
        HexFormat hex = HexFormat.of();
        String s = wrong + " of " + want.length + " bytes differ, the first at " + first + ": got "
                + hex.formatHex(got, from, to) + ", expected " + hex.formatHex(want, from, to);
        if (to - from < 4) return s;
        float g = ByteBuffer.wrap(got).order(ByteOrder.LITTLE_ENDIAN).getFloat(from);
        float w = ByteBuffer.wrap(want).order(ByteOrder.LITTLE_ENDIAN).getFloat(from);
        return s + " (as f32: " + g + ", expected " + w + ")";
    }
}
