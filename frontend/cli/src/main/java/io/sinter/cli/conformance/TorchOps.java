// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.Autograd;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs samples of PyTorch's operators, values and gradients, through Sinter's public API. */
final class TorchOps {
    /** How one sample fared. */
    enum Verdict {
        PASSED,
        FAILED,
        UNSUPPORTED
    }

    /**
     * One sample's result.
     *
     * @param message what differs, or what is missing; empty if it passed
     */
    record Outcome(Suite.Case sample, Verdict verdict, String message) {}

    private final Registry registry;
    private final Suite suite;

    TorchOps(Registry registry, Suite suite) {
        this.registry = registry;
        this.suite = suite;
    }

    Outcome run(Suite.Case c) {
        Registry.Operator op = registry.operator(c.operator());
        if (op == null) return new Outcome(c, Verdict.UNSUPPORTED, "the operator is not there");
        try {
            Suite.dtype(c.dtype());
            String difference = check(c, op);
            return difference == null ? new Outcome(c, Verdict.PASSED, "") : new Outcome(c, Verdict.FAILED, difference);
        } catch (Unsupported e) {
            return new Outcome(c, Verdict.UNSUPPORTED, e.getMessage());
        } catch (RuntimeException | StackOverflowError | LinkageError | AssertionError e) {
            return new Outcome(c, Verdict.FAILED, e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private String check(Suite.Case c, Registry.Operator op) {
        List<Tensor> leaves = new ArrayList<>();
        List<Object> positional = new ArrayList<>();
        for (JsonNode n : c.args()) positional.add(suite.decode(n, leaves));
        Map<String, Object> named = new LinkedHashMap<>();
        c.kwargs().properties().forEach(e -> named.put(e.getKey(), suite.decode(e.getValue(), null)));
        c.leaves().keySet().forEach(i -> leaves.get(i).requiresGrad_());

        Args args = new Args(positional, named);
        List<Object> actual = Difference.flatten(op.call(args));
        args.checkAllUsed();
        List<Object> expected = Difference.flatten(suite.decode(c.out(), null));
        if (actual.size() != expected.size()) return actual.size() + " outputs instead of " + expected.size();
        Registry.Tolerance wider = registry.tolerance(c.operator());
        for (int i = 0; i < expected.size(); i++) {
            String name = expected.size() == 1 ? "output" : "output " + i;
            String d = Difference.between(name, actual.get(i), expected.get(i), wider);
            if (d != null && !sameElements(c, args, actual.get(i), expected.get(i))) return d;
        }
        return gradients(c, leaves, actual, registry.gradientTolerance(c.operator()));
    }

    /** Other positions, but of equal elements. */
    private boolean sameElements(Suite.Case c, Args args, Object actual, Object expected) {
        Registry.Elements elements = registry.free(c.operator());
        if (elements == null
                || !(actual instanceof Tensor a)
                || !(expected instanceof Tensor e)
                || !a.dtype().isInt()) return false;
        return a.type().equals(e.type()) && elements.at(args, a).equal(elements.at(args, e));
    }

    private String gradients(Suite.Case c, List<Tensor> leaves, List<Object> actual, Registry.Tolerance wider) {
        if (c.leaves().isEmpty()) return null;
        List<Tensor> outputs = new ArrayList<>();
        List<Tensor> cotangents = new ArrayList<>();
        for (int i = 0; i < c.gradOfOutputs().size(); i++) {
            Tensor y = (Tensor) actual.get(c.gradOfOutputs().get(i));
            if (!y.requiresGrad()) continue; // a constant: its gradient is zero
            outputs.add(y);
            cotangents.add((Tensor) suite.decode(c.gradOut().get(i), null));
        }
        List<Tensor> inputs = new ArrayList<>();
        c.leaves().keySet().forEach(i -> inputs.add(leaves.get(i)));
        List<Tensor> found = outputs.isEmpty() ? null : Autograd.grad(outputs, inputs, cotangents, false, false, true);
        int i = 0;
        for (var leaf : c.leaves().entrySet()) {
            Tensor g = found == null ? null : found.get(i);
            if (g == null) g = inputs.get(i).detach().zerosLike();
            String d =
                    Difference.between("gradient of tensor " + leaf.getKey(), g, suite.tensor(leaf.getValue()), wider);
            if (d != null) return d;
            i++;
        }
        return null;
    }
}
