// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Faults that make no difference to what a kernel does, each with the proof: {@code ptx-equivalents.json}. */
final class Equivalents {
    /**
     * @param instruction what the fault has changed
     * @param readsTheSame whether it holds only of mutants that {@linkplain Mutants.Mutant#readsTheSame read the same number} elsewhere
     */
    private record Entry(Pattern mutants, Pattern instruction, boolean readsTheSame, String proof) {
        boolean holds(Mutants.Mutant m) {
            return mutants.matcher(m.key()).matches()
                    && instruction.matcher(m.instruction()).matches()
                    && (m.readsTheSame() || !readsTheSame);
        }
    }

    private final List<Entry> entries = new ArrayList<>();

    private Equivalents() {}

    static Equivalents load() {
        Equivalents all = new Equivalents();
        try (InputStream in = Equivalents.class.getResourceAsStream("ptx-equivalents.json")) {
            for (JsonNode e : new ObjectMapper().readTree(in))
                all.entries.add(new Entry(
                        Pattern.compile(e.required("mutants").asText()),
                        Pattern.compile(e.path("instruction").asText(".*")),
                        e.path("readsTheSame").asBoolean(),
                        e.required("proof").asText()));
        } catch (IOException e) {
            throw new UncheckedIOException("ptx-equivalents.json cannot be read", e);
        }
        return all;
    }

    /** Why a mutant is equivalent; null if nobody says that it is. */
    String proof(Mutants.Mutant mutant) {
        for (Entry e : entries) if (e.holds(mutant)) return e.proof;
        return null;
    }
}
