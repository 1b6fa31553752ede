// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * CUDA's driver library as it is on this machine, asked through the foreign-function API alone: without a driver no class of JCuda may be touched,
 * or the first use is an error of linking and every later one an error of a missing class.
 *
 * @param symbols the library; null if there is none
 * @param devices how many GPUs there are
 * @param problem why there is no GPU to use, and what to do about it; empty if there is one
 */
record CudaLibrary(SymbolLookup symbols, int devices, String problem) {
    /** Names the library instead of looking for it. */
    static final String PROPERTY = "sinter.cuda.library";

    private static final String NAME = "libcuda.so.1";

    /** Where it is on systems whose loader does not know. */
    private static final List<String> PLACES = List.of(
            "/usr/lib/x86_64-linux-gnu/" + NAME,
            "/usr/lib64/" + NAME,
            "/usr/lib/wsl/lib/" + NAME,
            "/usr/local/nvidia/lib64/" + NAME,
            "/run/opengl-driver/lib/" + NAME);

    private static final int NO_DEVICE = 100;

    /** This machine's. */
    private static final class Here {
        static final CudaLibrary FOUND = find(System.getProperty(PROPERTY));
    }

    /** What this machine has; looked for once. */
    static CudaLibrary here() {
        return Here.FOUND;
    }

    /** @param path of the library; null to look for it */
    static CudaLibrary find(String path) {
        String system = System.getProperty("os.name");
        String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        if (!system.equals("Linux") || !(processor.equals("amd64") || processor.equals("x86_64")))
            return none("CUDA is supported on Linux with an x86-64 processor, this is " + system + ", " + processor);
        List<String> tried = new ArrayList<>();
        SymbolLookup symbols = load(path, tried);
        if (symbols == null) {
            return none("CUDA's driver library was not found (looked for " + String.join(", ", tried)
                    + "). Install NVIDIA's driver, or in a container make it visible (docker run --gpus all); if the library lies elsewhere,"
                    + " name it: -D" + PROPERTY + "=PATH");
        }
        try (Arena arena = Arena.ofConfined()) {
            int status = call(symbols, "cuInit", FunctionDescriptor.of(INT, INT), 0);
            if (status == NO_DEVICE)
                return none(symbols, "NVIDIA's driver is here, but it shows no GPU (cuInit: no device)");
            if (status != 0)
                return none(
                        symbols,
                        "NVIDIA's driver does not start: cuInit gives " + name(symbols, status)
                                + ". Does nvidia-smi work? After an update of the driver, restart the machine");
            MemorySegment count = arena.allocate(INT);
            status = call(symbols, "cuDeviceGetCount", FunctionDescriptor.of(INT, ADDRESS), count);
            if (status != 0) return none(symbols, "cuDeviceGetCount gives " + name(symbols, status));
            int devices = count.get(INT, 0);
            String missing = devices == 0 ? "NVIDIA's driver shows no GPU" : CudaNatives.missing();
            return new CudaLibrary(symbols, missing.isEmpty() ? devices : 0, missing);
        }
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final java.lang.foreign.AddressLayout ADDRESS = ValueLayout.ADDRESS;

    private static CudaLibrary none(String problem) {
        return none(null, problem);
    }

    private static CudaLibrary none(SymbolLookup symbols, String problem) {
        return new CudaLibrary(symbols, 0, problem);
    }

    private static SymbolLookup load(String path, List<String> tried) {
        if (path != null) return open(path, tried);
        SymbolLookup found = open(NAME, tried);
        for (String place : PLACES) {
            if (found != null) return found;
            if (Files.exists(Path.of(place))) found = open(place, tried);
            else tried.add(place);
        }
        return found;
    }

    private static SymbolLookup open(String name, List<String> tried) {
        tried.add(name);
        try {
            return name.contains("/")
                    ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
                    : SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /** @throws GpuFaultException if a call's result is an error */
    void check(String call, int status) {
        if (status != 0) throw new GpuFaultException(call + ": " + name(status));
    }

    /** The name that the driver has for a result, and its number. */
    String name(int status) {
        return name(symbols, status);
    }

    private static String name(SymbolLookup symbols, int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ADDRESS);
            int unknown = call(symbols, "cuGetErrorName", FunctionDescriptor.of(INT, INT, ADDRESS), status, text);
            MemorySegment name = text.get(ADDRESS, 0);
            String known = unknown != 0 || name.equals(MemorySegment.NULL)
                    ? "error"
                    : name.reinterpret(256).getString(0);
            return known + " (" + status + ")";
        }
    }

    /** The result of a function of the driver that JCuda does not have, or does not call as it must be. */
    int call(String function, FunctionDescriptor type, Object... args) {
        return call(symbols, function, type, args);
    }

    private static int call(SymbolLookup symbols, String function, FunctionDescriptor type, Object... args) {
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), type);
        try {
            return (int) handle.invokeWithArguments(args);
        } catch (Throwable e) {
            throw new IllegalStateException(function + " failed", e);
        }
    }
}
