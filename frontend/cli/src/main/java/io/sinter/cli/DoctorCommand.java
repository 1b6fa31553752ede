// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import io.sinter.runtime.Device;
import io.sinter.runtime.JvmFeatures;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sinter doctor}: says what Sinter finds on this machine, and what to do about what is not as it should be. */
@Command(name = "doctor", description = "Show what Sinter finds on this machine, and how to fix what is wrong.")
final class DoctorCommand implements Runnable {
    /** JDK-8377811: earlier builds of JDK 25 have a fault in G1. */
    private static final Runtime.Version FIRST_SOUND = Runtime.Version.parse("25.0.3");

    private static final double GIB = 1L << 30;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        List<String> hints = new ArrayList<>();
        Runtime.Version jdk = Runtime.version();
        line(out, "Sinter", Version.text());
        line(out, "JDK", jdk + ", " + System.getProperty("java.home"));
        if (jdk.compareToIgnoreOptional(FIRST_SOUND) < 0) {
            hints.add("JDK " + jdk + " has a fault in its garbage collector (JDK-8377811): install 25.0.3 or later.");
        }
        line(out, "System", System.getProperty("os.name") + ", " + System.getProperty("os.arch"));
        line(out, "Processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        int bits = JvmFeatures.vectorBits();
        line(
                out,
                "Vector API",
                bits > 0 ? "present, vectors of " + bits + " bits" : "absent: scalar code, many times slower");
        if (bits == 0) {
            hints.add("give the JVM these flags: " + JvmFeatures.flags());
        }
        line(out, "Java heap", gib(Runtime.getRuntime().maxMemory()) + " at most (tensors live outside it)");
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            line(
                    out,
                    "Memory",
                    gib(system.getTotalMemorySize()) + ", of which " + gib(system.getFreeMemorySize()) + " free");
        }
        line(out, "Devices", Device.available().stream().map(Device::toString).collect(Collectors.joining(", ")));
        List<Device> gpus = Device.available().stream()
                .filter(d -> d.kind() == Device.Kind.CUDA)
                .toList();
        if (gpus.isEmpty()) line(out, "GPU", "none: " + Device.cudaProblem());
        else line(out, "cuBLAS", Device.cublas());
        for (Device gpu : gpus) {
            try {
                line(out, gpu.toString(), gpu.describe());
            } catch (RuntimeException e) {
                line(out, gpu.toString(), "cannot be used: " + e.getMessage());
                hints.add("see what nvidia-smi says of " + gpu + "; until then choose another device with --device.");
            }
        }
        out.println();
        if (hints.isEmpty()) {
            out.println("All is well.");
        }
        hints.forEach(hint -> out.println("To fix: " + hint));
        out.flush();
    }

    private static void line(PrintWriter out, String what, String found) {
        out.printf(Locale.ROOT, "%-12s %s%n", what, found);
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / GIB);
    }
}
