// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.sinter.ir.op.Op;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** The operator table, by several processes at once; what is wrong is reported as it is found. */
final class OperatorTally {
    /** Seconds for an operator's samples. */
    private static final long MOST_SECONDS = 90;
    /** Faults after which no kernel is looked for any more. */
    private static final int MOST_SEARCHES = 5;

    private final GpuCheckReport report;
    private final Queue<Op> rest;
    private final int samples;

    // Guarded by this.
    private int right;
    private long checked;
    private int searches;

    /** @param samples of an operator that are taken at most */
    OperatorTally(GpuCheckReport report, List<Op> operators, int samples) {
        this.report = report;
        rest = new ConcurrentLinkedQueue<>(operators);
        this.samples = samples;
    }

    synchronized int right() {
        return right;
    }

    synchronized long checked() {
        return checked;
    }

    /**
     * Checks all.
     *
     * @param processes at once
     * @param worker makes one, with such flags of the JVM
     * @param hasTime whether another operator may be begun
     */
    void run(int processes, Function<String[], GpuCheckProcess> worker, BooleanSupplier hasTime) {
        Thread[] threads = new Thread[processes];
        for (int i = 0; i < processes; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                try (GpuCheckProcess p = worker.apply(new String[0])) {
                    for (Op op = rest.poll(); op != null; op = rest.poll()) {
                        if (hasTime.getAsBoolean()) check(op, p, worker);
                        else failure(op, "not checked: out of time");
                    }
                }
            });
        }
        try {
            for (Thread t : threads) t.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void check(Op op, GpuCheckProcess process, Function<String[], GpuCheckProcess> worker) {
        boolean fault = false;
        String wrong;
        try {
            JsonNode answer = process.ask(task(op), MOST_SECONDS);
            wrong = wrong(answer);
            fault = answer.path("fault").asBoolean();
            synchronized (this) {
                checked += answer.path("checked").asLong();
                if (wrong.isEmpty()) right++;
            }
        } catch (IllegalStateException e) {
            wrong = e.getMessage();
            fault = true;
        }
        if (wrong.isEmpty()) return;
        if (fault && search()) wrong += "; kernel by kernel: " + slowly(op, worker);
        failure(op, wrong);
    }

    private synchronized boolean search() {
        return searches++ < MOST_SEARCHES;
    }

    /** What is wrong when each kernel is waited for. */
    private String slowly(Op op, Function<String[], GpuCheckProcess> worker) {
        try (GpuCheckProcess p = worker.apply(new String[] {"-Dsinter.gpu.wait=true"})) {
            String wrong = wrong(p.ask(task(op), MOST_SECONDS));
            return wrong.isEmpty() ? "all right" : wrong;
        } catch (IllegalStateException e) {
            return e.getMessage();
        }
    }

    private Map<String, ?> task(Op op) {
        return Map.of("task", "operator", "name", op.name(), "samples", samples);
    }

    private static String wrong(JsonNode answer) {
        if (answer.has("error")) return answer.path("error").asText();
        JsonNode problems = answer.path("problems");
        if (problems.isEmpty()) return "";
        return problems.size() + " wrong, first: " + problems.get(0).asText();
    }

    private synchronized void failure(Op op, String what) {
        report.failure("operator " + op.name() + ": " + what);
    }
}
