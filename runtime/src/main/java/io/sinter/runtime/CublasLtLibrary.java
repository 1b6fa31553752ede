// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.runtime.MatmulProblem.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;

/**
 * cublasLt 12 or 13 through the foreign-function API: the same calls in both; a bias, ReLU and GELU in the epilogue. Column-major, as
 * {@link JcublasLibrary}. The algorithm of a product is the first that the library's heuristic gives, asked once for each product.
 */
final class CublasLtLibrary implements MatmulLibrary {
    private static final long WORKSPACE = 32L << 20;

    // cublasLt.h
    private static final int DESC_TRANSA = 3;
    private static final int DESC_TRANSB = 4;
    private static final int DESC_EPILOGUE = 7;
    private static final int DESC_BIAS_POINTER = 8;
    private static final int DESC_AUX_POINTER = 11;
    private static final int DESC_AUX_LD = 12;
    private static final int LAYOUT_BATCH_COUNT = 5;
    private static final int LAYOUT_STRIDED_BATCH_OFFSET = 6;
    private static final int PREFERENCE_MAX_WORKSPACE_BYTES = 1;
    private static final int EPILOGUE_NONE = 1;
    private static final int EPILOGUE_RELU = 2;
    /** The approximation by tanh. */
    private static final int EPILOGUE_GELU = 32;
    /** The same, and what it is applied to is stored, too. */
    private static final int EPILOGUE_GELU_AUX = 160;
    /** Added to one of the others: first the bias. */
    private static final int EPILOGUE_BIAS = 4;

    /** What leading dimensions of a result that is stored beside the first are multiples of. */
    private static final int AUX_LD_STEP = 8;

    private static final int NOT_SUPPORTED = 15;
    private static final int HEURISTIC_RESULT_BYTES = 96;
    private static final int ALGORITHM_BYTES = 64;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** A product ready to be queued: handles, and the algorithm, null if there is none. */
    private record Ready(long description, long a, long b, long c, MemorySegment algorithm) {}

    private final GpuDriver driver;
    private final SymbolLookup symbols;
    private final long stream;
    private final String name;
    private final long handle;
    private final long workspace;
    private final Arena arena = Arena.ofShared();
    private final Map<MatmulProblem, Ready> ready = new HashMap<>();
    private final MethodHandle setAttribute;
    private final MethodHandle setLayoutAttribute;
    private final MethodHandle matmul;
    private final MemorySegment cell = arena.allocate(16, 8);
    private final MemorySegment ones = arena.allocate(16, 8);
    private final MemorySegment zeros = arena.allocate(16, 8);

    /** The calling thread has the driver's context. */
    CublasLtLibrary(GpuDriver driver, CudaHandles.Stream stream, CublasFiles files) {
        this.driver = driver;
        this.symbols = files.lt();
        this.stream = stream.handle();
        setAttribute = function("cublasLtMatmulDescSetAttribute", LONG, INT, LONG, LONG);
        setLayoutAttribute = function("cublasLtMatrixLayoutSetAttribute", LONG, INT, LONG, LONG);
        matmul = function(
                "cublasLtMatmul",
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG,
                LONG);
        check("cublasLtCreate", function("cublasLtCreate", LONG), cell.address());
        handle = cell.get(LONG, 0);
        workspace = driver.allocate(WORKSPACE);
        long version = 0;
        try {
            version = (long) Linker.nativeLinker()
                    .downcallHandle(symbols.findOrThrow("cublasLtGetVersion"), FunctionDescriptor.of(LONG))
                    .invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException("cublasLtGetVersion failed", e);
        }
        name = "cublasLt " + version / 10_000 + "." + version / 100 % 100;
    }

    private MethodHandle function(String function, ValueLayout... parameters) {
        return Linker.nativeLinker()
                .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(INT, parameters));
    }

    private static int call(String call, MethodHandle function, Object... args) {
        try {
            return (int) function.invokeWithArguments(args);
        } catch (Throwable e) {
            throw new IllegalStateException(call + " failed", e);
        }
    }

    private static void check(String call, MethodHandle function, Object... args) {
        int status = call(call, function, args);
        if (status != 0) throw new GpuFaultException(call + ": status " + status);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean takes(MatmulProblem p) {
        boolean wide = p.dtype() == DType.F32 || p.dtype() == DType.F64;
        if (p.activation() == Activation.NONE && p.bias() && !wide) return false;
        if (p.activation() != Activation.NONE && p.dtype() == DType.F64) return false;
        if (p.activation() == Activation.KEPT_GELU && (p.batch() > 1 || p.ldc() % AUX_LD_STEP != 0)) return false;
        // Which of the epilogues there are depends on the library's version.
        return p.activation() == Activation.NONE && !p.bias() || ready(p).algorithm != null;
    }

    private synchronized Ready ready(MatmulProblem p) {
        return ready.computeIfAbsent(p, this::prepare);
    }

    private static int epilogue(MatmulProblem p) {
        int activation =
                switch (p.activation()) {
                    case NONE -> p.bias() ? 0 : EPILOGUE_NONE;
                    case RELU -> EPILOGUE_RELU;
                    case GELU -> EPILOGUE_GELU;
                    case KEPT_GELU -> EPILOGUE_GELU_AUX;
                };
        return activation + (p.bias() ? EPILOGUE_BIAS : 0);
    }

    @Override
    public synchronized void multiply(MatmulProblem p, long a, long b, long c, long bias, long kept) {
        Ready r = ready(p);
        if (r.algorithm == null) throw new GpuFaultException("cublasLt knows no way to do " + p);
        if (p.bias()) attribute(r.description, DESC_BIAS_POINTER, bias);
        if (p.activation() == Activation.KEPT_GELU) attribute(r.description, DESC_AUX_POINTER, kept);
        boolean f64 = p.dtype() == DType.F64;
        if (f64) ones.set(ValueLayout.JAVA_DOUBLE, 0, 1);
        else ones.set(ValueLayout.JAVA_FLOAT, 0, 1);
        int status;
        try {
            status = (int) matmul.invokeExact(
                    handle,
                    r.description,
                    ones.address(),
                    b,
                    r.b,
                    a,
                    r.a,
                    zeros.address(),
                    c,
                    r.c,
                    c,
                    r.c,
                    r.algorithm.address(),
                    workspace,
                    workspace == 0 ? 0L : WORKSPACE,
                    stream);
        } catch (Throwable e) {
            throw new IllegalStateException("cublasLtMatmul failed", e);
        }
        if (status != 0) throw new GpuFaultException("cublasLtMatmul: status " + status + " of " + p);
    }

    private void attribute(long description, int which, long value) {
        cell.set(LONG, 0, value);
        long bytes = which >= DESC_BIAS_POINTER ? 8 : 4;
        check("cublasLtMatmulDescSetAttribute", setAttribute, description, which, cell.address(), bytes);
    }

    private Ready prepare(MatmulProblem p) {
        int type = JcublasLibrary.type(p.dtype());
        int scale = JcublasLibrary.type(p.dtype() == DType.F64 ? DType.F64 : DType.F32);
        check(
                "cublasLtMatmulDescCreate",
                function("cublasLtMatmulDescCreate", LONG, INT, INT),
                cell.address(),
                JcublasLibrary.compute(p),
                scale);
        long description = cell.get(LONG, 0);
        attribute(description, DESC_TRANSA, p.transposedB() ? 1 : 0);
        attribute(description, DESC_TRANSB, p.transposedA() ? 1 : 0);
        attribute(description, DESC_EPILOGUE, epilogue(p));
        if (p.activation() == Activation.KEPT_GELU) attribute(description, DESC_AUX_LD, p.ldc());
        long b =
                layout(type, p.transposedB() ? p.k() : p.n(), p.transposedB() ? p.n() : p.k(), p.ldb(), p, p.strideB());
        long a =
                layout(type, p.transposedA() ? p.m() : p.k(), p.transposedA() ? p.k() : p.m(), p.lda(), p, p.strideA());
        long c = layout(type, p.n(), p.m(), p.ldc(), p, p.strideC());
        return new Ready(description, a, b, c, algorithm(p, description, a, b, c));
    }

    private long layout(int type, long rows, long columns, long ld, MatmulProblem p, long stride) {
        check(
                "cublasLtMatrixLayoutCreate",
                function("cublasLtMatrixLayoutCreate", LONG, INT, LONG, LONG, LONG),
                cell.address(),
                type,
                rows,
                columns,
                ld);
        long layout = cell.get(LONG, 0);
        if (p.batch() == 1) return layout;
        cell.set(INT, 0, Math.toIntExact(p.batch()));
        check("cublasLtMatrixLayoutSetAttribute", setLayoutAttribute, layout, LAYOUT_BATCH_COUNT, cell.address(), 4L);
        cell.set(LONG, 0, stride);
        check(
                "cublasLtMatrixLayoutSetAttribute",
                setLayoutAttribute,
                layout,
                LAYOUT_STRIDED_BATCH_OFFSET,
                cell.address(),
                8L);
        return layout;
    }

    private MemorySegment algorithm(MatmulProblem p, long description, long a, long b, long c) {
        check("cublasLtMatmulPreferenceCreate", function("cublasLtMatmulPreferenceCreate", LONG), cell.address());
        long preference = cell.get(LONG, 0);
        cell.set(LONG, 0, workspace == 0 ? 0 : WORKSPACE);
        check(
                "cublasLtMatmulPreferenceSetAttribute",
                function("cublasLtMatmulPreferenceSetAttribute", LONG, INT, LONG, LONG),
                preference,
                PREFERENCE_MAX_WORKSPACE_BYTES,
                cell.address(),
                8L);
        MemorySegment result = arena.allocate(HEURISTIC_RESULT_BYTES, 8);
        cell.set(INT, 0, 0);
        int status = call(
                "cublasLtMatmulAlgoGetHeuristic",
                function("cublasLtMatmulAlgoGetHeuristic", LONG, LONG, LONG, LONG, LONG, LONG, LONG, INT, LONG, LONG),
                handle,
                description,
                b,
                a,
                c,
                c,
                preference,
                1,
                result.address(),
                cell.address());
        int found = cell.get(INT, 0);
        check("cublasLtMatmulPreferenceDestroy", function("cublasLtMatmulPreferenceDestroy", LONG), preference);
        if (status != 0 && status != NOT_SUPPORTED)
            throw new GpuFaultException("cublasLtMatmulAlgoGetHeuristic: status " + status + " of " + p);
        if (found == 0) return null;
        return result.asSlice(0, ALGORITHM_BYTES);
    }

    @Override
    public synchronized void close() {
        for (Ready r : ready.values()) {
            check("cublasLtMatmulDescDestroy", function("cublasLtMatmulDescDestroy", LONG), r.description);
            for (long layout : new long[] {r.a, r.b, r.c})
                check("cublasLtMatrixLayoutDestroy", function("cublasLtMatrixLayoutDestroy", LONG), layout);
        }
        check("cublasLtDestroy", function("cublasLtDestroy", LONG), handle);
        if (workspace != 0) driver.free(workspace);
        arena.close();
    }
}
