// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.Site;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * What Sinter tells the Flight Recorder. The first event of a process makes the JVM set the recorder up, which takes a tenth of a second: nobody makes
 * one before {@link FlightRecorder#isInitialized}.
 */
final class Events {
    private Events() {}

    /** The code of a kernel: an event, and one more in {@code counter}. */
    static <T> T generated(String kernel, LongAdder counter, Supplier<T> generate) {
        Generate event = FlightRecorder.isInitialized() ? new Generate() : null;
        if (event != null) event.begin();
        T code = generate.get();
        if (event != null) {
            event.kernel = kernel;
            event.commit();
        }
        counter.increment();
        return code;
    }

    @Name("io.sinter.Compile")
    @Label("Program Compiled")
    @Description("A traced graph became an executable program")
    @Category("Sinter")
    @StackTrace(false)
    static final class Compile extends Event {
        @Label("Backend")
        String backend;

        @Label("Operators")
        int operators;

        @Label("Kernels")
        int kernels;

        @Label("Differs From the Nearest Program")
        @Description("The first difference; known only with -Dsinter.log=recompiles")
        String reason;
    }

    @Name("io.sinter.Load")
    @Label("Program Loaded")
    @Description(
            "A program was found on disk: its plan was read and checked, its kernels were read, verified and defined, and it was linked")
    @Category("Sinter")
    @StackTrace(false)
    static final class Load extends Event {
        @Label("Kernels")
        int kernels;

        @Label("Plan")
        @DataAmount
        long bytes;

        @Label("Time to Read the Plan")
        @Timespan(Timespan.NANOSECONDS)
        long read;
    }

    @Name("io.sinter.Verify")
    @Label("Class Verified")
    @Description("A stored class was compared with the list of what generated classes call")
    @Category("Sinter")
    @StackTrace(false)
    static final class Verify extends Event {
        @Label("Class")
        String name;
    }

    @Name("io.sinter.Define")
    @Label("Class Defined")
    @Description("A stored class was defined and its kernel made")
    @Category("Sinter")
    @StackTrace(false)
    static final class Define extends Event {
        @Label("Class")
        String name;
    }

    @Name("io.sinter.Generate")
    @Label("Kernel Generated")
    @Description("Code was generated for a kernel")
    @Category("Sinter")
    @StackTrace(false)
    static final class Generate extends Event {
        @Label("Kernel")
        String kernel;
    }

    @Name("io.sinter.Launch")
    @Label("Kernel Launched")
    @Description("A kernel, library routine or copy ran, from start to end")
    @Category("Sinter")
    @StackTrace(false)
    static final class Launch extends Event {
        @Label("Kernel")
        String kernel;

        @Label("Program")
        @Description("Number of the program in its session")
        int program;

        @Label("Tasks")
        long tasks;

        @Label("Memory Traffic")
        @Description("Bytes that the kernel has to read and write")
        @DataAmount
        long bytes;

        @Label("Floating-Point Operations")
        long flops;

        @Label("Line")
        @Description("The first of the user's lines that the kernel computes")
        String line;

        @Label("Part of the Network")
        String module;

        /** What is known of a site, and where its first node comes from. */
        void describe(Site site, Sources sources) {
            kernel = site.name();
            program = site.program().number();
            bytes = site.work().bytes();
            flops = site.work().flops();
            Sources.Source source = site.firstOrigin() < 0 ? null : sources.at(site.firstOrigin());
            if (source == null) return;
            line = source.line();
            module = source.module();
        }
    }

    @Name("io.sinter.Run")
    @Label("Program Ran")
    @Description("A run of a compiled program: all of its launches")
    @Category("Sinter")
    @StackTrace(false)
    static final class Run extends Event {
        @Label("Program")
        @Description("Number of the program in its session")
        int program;

        @Label("Kernels")
        int kernels;
    }

    @Name("io.sinter.Range")
    @Label("Range")
    @Description("A range of time that the user has named")
    @Category("Sinter")
    @StackTrace(false)
    static final class Ranged extends Event {
        @Label("Name")
        String name;
    }

    @Name("io.sinter.Allocation")
    @Label("Memory Allocated")
    @Description("A buffer was allocated")
    @Category("Sinter")
    @StackTrace(false)
    static final class Allocation extends Event {
        @Label("Device")
        String device;

        @Label("Size")
        @DataAmount
        long bytes;

        @Label("Live")
        @DataAmount
        long liveBytes;

        @Label("From the Cache")
        boolean cached;
    }
}
