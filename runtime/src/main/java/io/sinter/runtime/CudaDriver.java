// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.TensorBox;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * An NVIDIA GPU, through JCuda. Launches, of which there are many, go to the driver by the foreign-function API: through JCuda one takes microseconds,
 * this way tens of nanoseconds. Works in the device's primary context, as CUDA's runtime library (and so cuBLAS) does.
 */
final class CudaDriver implements GpuDriver {
    /** Parameters that a kernel may have. */
    private static final int MAX_PARAMETERS = PARAMETER_BYTES / 8;

    private static final int MAX_MAPS = PARAMETER_BYTES / TensorBox.MAP_BYTES;
    /** Where Linux tells the driver's version. */
    private static final Path DRIVER_VERSION = Path.of("/proc/driver/nvidia/version");

    private static final int PER_THREAD_CAPTURE = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;

    /** The driver whose context is a thread's current one. */
    private static final ThreadLocal<CudaDriver> CURRENT = new ThreadLocal<>();

    private record Module(CudaDriver driver, CUmodule module) implements LoadedModule {
        @Override
        public GpuDriver.Function function(String entry) {
            driver.bind();
            CudaHandles.Function f = new CudaHandles.Function(entry);
            driver.check("cuModuleGetFunction", JCudaDriver.cuModuleGetFunction(f, module, entry));
            return f;
        }
    }

    private final CudaLibrary library;
    private final CudaAssembler assembler;
    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final Properties properties;
    private final MethodHandle launchKernel;

    // Guarded by this.
    private final Arena arena = Arena.ofShared();
    private final MemorySegment values = arena.allocate(8L * MAX_PARAMETERS, 8);
    private final MemorySegment pointers = arena.allocate(8L * MAX_PARAMETERS, 8);
    private final MemorySegment maps = arena.allocate((long) TensorBox.MAP_BYTES * MAX_MAPS, TensorBox.MAP_ALIGNMENT);
    /** Null if the driver has none. */
    private final CudaTensorMaps tensorMaps;

    private final List<CUmodule> modules = new ArrayList<>();
    private boolean closed;

    /** Held while a stream is captured: no thread may wait for the whole context then, as giving memory back does. */
    private final ReentrantLock contextWide = new ReentrantLock();

    /**
     * The GPU of a number.
     *
     * @throws IllegalStateException if JCuda cannot be loaded
     * @throws GpuFaultException if the driver refuses it
     */
    static CudaDriver open(CudaLibrary library, int index) {
        if (!library.problem().isEmpty()) throw new IllegalStateException(library.problem());
        CudaNatives.loadDriver();
        return new CudaDriver(library, index);
    }

    private CudaDriver(CudaLibrary library, int index) {
        this.library = library;
        assembler = new CudaAssembler(library);
        check("cuInit", JCudaDriver.cuInit(0));
        check("cuDeviceGet", JCudaDriver.cuDeviceGet(device, index));
        check("cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
        bind();
        properties = readProperties();
        tensorMaps = CudaTensorMaps.of(library, arena);
        for (int i = 0; i < MAX_PARAMETERS; i++)
            pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
        ValueLayout.OfInt n = ValueLayout.JAVA_INT;
        ValueLayout.OfLong p = ValueLayout.JAVA_LONG;
        launchKernel = Linker.nativeLinker()
                .downcallHandle(
                        library.symbols().findOrThrow("cuLaunchKernel"),
                        FunctionDescriptor.of(n, p, n, n, n, n, n, n, n, p, p, p));
    }

    private Properties readProperties() {
        byte[] name = new byte[256];
        check("cuDeviceGetName", JCudaDriver.cuDeviceGetName(name, name.length, device));
        int length = 0;
        while (length < name.length && name[length] != 0) length++;
        int[] version = new int[1];
        check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version));
        long[] free = new long[1];
        long[] total = new long[1];
        check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, total));
        return new Properties(
                new String(name, 0, length, StandardCharsets.UTF_8),
                attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                total[0],
                attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
                "CUDA " + version[0] / 1000 + "." + version[0] % 1000 / 10 + kernelDriver());
    }

    /** The version of the driver itself, which CUDA's interface does not tell: {@code ", driver 550.54.15"}; nothing where it is not known. */
    private static String kernelDriver() {
        try {
            Matcher m = Pattern.compile("\\d+\\.\\d+(\\.\\d+)?").matcher(Files.readString(DRIVER_VERSION));
            return m.find() ? ", driver " + m.group() : "";
        } catch (IOException e) {
            return ""; // not Linux, or not for us to read
        }
    }

    /**
     * Opens cuBLAS for a stream: JCublas where cuBLAS 12 is, else cublasLt.
     *
     * @return null if there is none; {@link CublasFiles} says what was looked for
     */
    MatmulLibrary openMatmul(CublasFiles files, Stream stream) {
        if (files.major() == 0) return null;
        bind();
        CudaHandles.Stream s = (CudaHandles.Stream) stream;
        return files.major() == 12 && CudaNatives.hasCublas()
                ? new JcublasLibrary(this, s)
                : new CublasLtLibrary(this, s, files);
    }

    private int attribute(int which) {
        int[] value = new int[1];
        check("cuDeviceGetAttribute", JCudaDriver.cuDeviceGetAttribute(value, which, device));
        return value[0];
    }

    /** Makes the context the calling thread's. */
    private void bind() {
        if (CURRENT.get() == this) return;
        check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
        CURRENT.set(this);
    }

    private void check(String call, int status) {
        library.check(call, status);
    }

    @Override
    public Properties properties() {
        return properties;
    }

    // ---- memory

    @Override
    public long allocate(long bytes) {
        bind();
        CudaHandles.DeviceMemory m = new CudaHandles.DeviceMemory();
        int status = JCudaDriver.cuMemAlloc(m, Math.max(bytes, 1));
        if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY) return 0;
        check("cuMemAlloc", status);
        return m.address();
    }

    @Override
    public void free(long address) {
        bind();
        synchronizeContext();
        check("cuMemFree", JCudaDriver.cuMemFree(CudaHandles.DeviceMemory.at(address)));
    }

    private void synchronizeContext() {
        contextWide.lock();
        try {
            check("cuCtxSynchronize", JCudaDriver.cuCtxSynchronize());
        } finally {
            contextWide.unlock();
        }
    }

    @Override
    public MemorySegment allocatePinned(long bytes) {
        bind();
        CudaHandles.HostMemory m = new CudaHandles.HostMemory();
        check("cuMemAllocHost", JCudaDriver.cuMemAllocHost(m, bytes));
        return MemorySegment.ofAddress(m.address()).reinterpret(bytes);
    }

    @Override
    public void freePinned(MemorySegment memory) {
        bind();
        check("cuMemFreeHost", JCudaDriver.cuMemFreeHost(CudaHandles.HostMemory.at(memory.address())));
    }

    @Override
    public void copyIn(Stream stream, long to, MemorySegment pinned) {
        if (pinned.byteSize() == 0) return;
        bind();
        check(
                "cuMemcpyHtoDAsync",
                JCudaDriver.cuMemcpyHtoDAsync(
                        CudaHandles.DeviceMemory.at(to),
                        CudaHandles.HostMemory.at(pinned.address()),
                        pinned.byteSize(),
                        (CudaHandles.Stream) stream));
    }

    @Override
    public void copyOut(Stream stream, long from, MemorySegment pinned) {
        if (pinned.byteSize() == 0) return;
        bind();
        check(
                "cuMemcpyDtoHAsync",
                JCudaDriver.cuMemcpyDtoHAsync(
                        CudaHandles.HostMemory.at(pinned.address()),
                        CudaHandles.DeviceMemory.at(from),
                        pinned.byteSize(),
                        (CudaHandles.Stream) stream));
    }

    @Override
    public void copy(Stream stream, long from, long to, long bytes) {
        if (bytes == 0) return;
        bind();
        check(
                "cuMemcpyDtoDAsync",
                JCudaDriver.cuMemcpyDtoDAsync(
                        CudaHandles.DeviceMemory.at(to), CudaHandles.DeviceMemory.at(from), bytes, (CudaHandles.Stream)
                                stream));
    }

    @Override
    public void fill(Stream stream, long address, byte value, long bytes) {
        if (bytes == 0) return;
        bind();
        check(
                "cuMemsetD8Async",
                JCudaDriver.cuMemsetD8Async(
                        CudaHandles.DeviceMemory.at(address), value, bytes, (CudaHandles.Stream) stream));
    }

    // ---- order

    @Override
    public Stream createStream() {
        bind();
        CudaHandles.Stream s = new CudaHandles.Stream();
        // Not the default: nothing shall wait for a stream of somebody else's in this process.
        check("cuStreamCreate", JCudaDriver.cuStreamCreate(s, jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING));
        return s;
    }

    @Override
    public void destroy(Stream stream) {
        bind();
        synchronize(stream);
        check("cuStreamDestroy", JCudaDriver.cuStreamDestroy((CudaHandles.Stream) stream));
    }

    @Override
    public void synchronize(Stream stream) {
        bind();
        check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize((CudaHandles.Stream) stream));
    }

    @Override
    public Event createEvent() {
        bind();
        CudaHandles.Event e = new CudaHandles.Event();
        check("cuEventCreate", JCudaDriver.cuEventCreate(e, jcuda.driver.CUevent_flags.CU_EVENT_DEFAULT));
        return e;
    }

    @Override
    public void destroy(Event event) {
        bind();
        check("cuEventDestroy", JCudaDriver.cuEventDestroy((CudaHandles.Event) event));
    }

    @Override
    public void record(Event event, Stream stream) {
        bind();
        check("cuEventRecord", JCudaDriver.cuEventRecord((CudaHandles.Event) event, (CudaHandles.Stream) stream));
    }

    @Override
    public void await(Stream stream, Event event) {
        bind();
        check(
                "cuStreamWaitEvent",
                JCudaDriver.cuStreamWaitEvent((CudaHandles.Stream) stream, (CudaHandles.Event) event, 0));
    }

    @Override
    public boolean isDone(Event event) {
        bind();
        int status = JCudaDriver.cuEventQuery((CudaHandles.Event) event);
        if (status == CUresult.CUDA_ERROR_NOT_READY) return false;
        check("cuEventQuery", status);
        return true;
    }

    @Override
    public void synchronize(Event event) {
        bind();
        check("cuEventSynchronize", JCudaDriver.cuEventSynchronize((CudaHandles.Event) event));
    }

    @Override
    public long nanosBetween(Event first, Event second) {
        bind();
        float[] millis = new float[1];
        check(
                "cuEventElapsedTime",
                JCudaDriver.cuEventElapsedTime(millis, (CudaHandles.Event) first, (CudaHandles.Event) second));
        return Math.round(millis[0] * 1e6);
    }

    // ---- code

    @Override
    public LoadedModule load(String ptx) {
        bind();
        return loaded(assembler.load(ptx));
    }

    @Override
    public boolean keepsAssembled() {
        return true;
    }

    @Override
    public byte[] assemble(String ptx) {
        bind();
        return assembler.assemble(ptx);
    }

    @Override
    public LoadedModule load(byte[] assembled) {
        bind();
        return loaded(assembler.load(assembled));
    }

    private LoadedModule loaded(CUmodule module) {
        synchronized (this) {
            modules.add(module);
        }
        return new Module(this, module);
    }

    @Override
    public boolean hasTensorMaps() {
        return tensorMaps != null;
    }

    @Override
    public synchronized void launch(
            Stream stream, Function kernel, Grid grid, List<TensorBox> tensors, long... parameters) {
        int count = parameters.length + tensors.size();
        GpuDriver.check(kernel, grid, parameters.length, tensors.size());
        bind();
        CudaHandles.Function f = (CudaHandles.Function) kernel;
        if (grid.sharedBytes() > f.sharedBytes) {
            int which = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            check("cuFuncSetAttribute", JCudaDriver.cuFuncSetAttribute(f, which, grid.sharedBytes()));
            f.sharedBytes = grid.sharedBytes();
        }
        MemorySegment.copy(parameters, 0, values, ValueLayout.JAVA_LONG, 0, parameters.length);
        for (int i = 0; i < tensors.size(); i++) {
            long at = (long) TensorBox.MAP_BYTES * i;
            tensorMaps.write(tensors.get(i), maps.asSlice(at, TensorBox.MAP_BYTES));
            pointers.setAtIndex(ValueLayout.JAVA_LONG, parameters.length + i, maps.address() + at);
        }
        int status;
        try {
            status = (int) launchKernel.invokeExact(
                    f.handle(),
                    (int) grid.ctasX(),
                    (int) grid.ctasY(),
                    1,
                    grid.threadsX(),
                    grid.threadsY(),
                    1,
                    grid.sharedBytes(),
                    ((CudaHandles.Stream) stream).handle(),
                    pointers.address(),
                    0L);
        } catch (Throwable e) {
            throw new IllegalStateException("cuLaunchKernel failed", e);
        } finally {
            for (int i = parameters.length; i < count; i++)
                pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
        }
        if (status != CUresult.CUDA_SUCCESS)
            throw new GpuFaultException(
                    "cuLaunchKernel of " + kernel.name() + " with " + grid + ": " + library.name(status));
    }

    // ---- graphs

    @Override
    public void beginCapture(Stream stream) {
        bind();
        contextWide.lock();
        int status = JCudaDriver.cuStreamBeginCapture((CudaHandles.Stream) stream, PER_THREAD_CAPTURE);
        if (status != CUresult.CUDA_SUCCESS) contextWide.unlock();
        check("cuStreamBeginCapture", status);
    }

    @Override
    public Graph endCapture(Stream stream) {
        bind();
        CUgraph captured = new CUgraph();
        int status = JCudaDriver.cuStreamEndCapture((CudaHandles.Stream) stream, captured);
        contextWide.unlock();
        check("cuStreamEndCapture", status);
        CudaHandles.Graph graph = new CudaHandles.Graph();
        status = JCudaDriver.cuGraphInstantiate(graph, captured, 0);
        check("cuGraphDestroy", JCudaDriver.cuGraphDestroy(captured));
        check("cuGraphInstantiate", status);
        return graph;
    }

    @Override
    public void launch(Stream stream, Graph graph) {
        bind();
        check("cuGraphLaunch", JCudaDriver.cuGraphLaunch((CudaHandles.Graph) graph, (CudaHandles.Stream) stream));
    }

    @Override
    public void destroy(Graph graph) {
        bind();
        synchronizeContext();
        check("cuGraphExecDestroy", JCudaDriver.cuGraphExecDestroy((CudaHandles.Graph) graph));
    }

    /** Gives the primary context back; the driver frees what is left in it when nobody else in the process holds it. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        bind();
        arena.close();
        // After a fault the driver refuses this, too; it frees everything with the context.
        for (CUmodule m : modules) JCudaDriver.cuModuleUnload(m);
        if (CURRENT.get() == this) CURRENT.remove();
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }
}
