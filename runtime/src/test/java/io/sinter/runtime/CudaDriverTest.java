// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.codegen.ptx.TensorBox;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;
import io.sinter.runtime.MatmulProblem.Activation;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The driver of real GPUs, through JCuda's own native library, on a stand-in for NVIDIA's ({@code fake_cuda.c}): every call's arguments arrive as
 * they should. Kernels' code is not run here; the simulator does that.
 */
class CudaDriverTest {
    private static final String PTX =
            ".version 8.0\n.visible .entry increment(.param .u64 p)\n.visible .entry fault(.param .u64 p)\n";

    private static final GpuDriver.Grid GRID = new GpuDriver.Grid(1, 2, 3, 4, 0);

    @TempDir
    private static Path folder;

    private static CudaLibrary library;
    private static CudaDriver driver;
    private static GpuDriver.Stream stream;
    private static GpuTransfers transfers;

    @BeforeAll
    static void open() throws IOException, InterruptedException {
        assumeTrue(CudaLibrary.here().symbols() == null, "a real driver is here");
        Path source = folder.resolve("fake_cuda.c");
        try (var in = CudaDriverTest.class.getResourceAsStream("fake_cuda.c")) {
            Files.copy(in, source);
        }
        Path made = folder.resolve("libcuda.so.1");
        assumeTrue(compiles(source, made), "a C compiler (cc) is needed to build the stand-in for CUDA's driver");
        library = CudaLibrary.find(made.toString());
        assumeTrue(!library.problem().contains("class path"), library.problem());
        assertEquals("", library.problem());
        driver = CudaDriver.open(library, 0);
        stream = driver.createStream();
        transfers = new GpuTransfers(driver, stream, 16_384, 4096);
    }

    private static boolean compiles(Path source, Path made, String... more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-O1"));
        command.add("-Wl,-soname," + made.getFileName());
        command.addAll(List.of(more));
        command.addAll(List.of("-o", made.toString(), source.toString(), "-lm"));
        try {
            Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(p.getInputStream().readAllBytes());
            assertEquals(0, p.waitFor(), output);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    @AfterAll
    static void close() {
        if (driver != null) driver.close();
    }

    private static int read(long address) {
        MemorySegment host = driver.allocatePinned(4);
        driver.copyOut(stream, address, host);
        driver.synchronize(stream);
        int value = host.get(ValueLayout.JAVA_INT, 0);
        driver.freePinned(host);
        return value;
    }

    @Test
    void saysWhatTheDeviceIs() {
        assertEquals(new GpuDriver.Properties("Fake GPU", 9, 0, 7, 1 << 20, 200_000, "CUDA 12.4"), driver.properties());
        assertEquals(1, library.devices());
    }

    @Test
    void copiesMemory() {
        long a = driver.allocate(64);
        long b = driver.allocate(64);
        assertEquals(0, a % 256);
        MemorySegment host = driver.allocatePinned(64);
        for (int i = 0; i < 16; i++) host.setAtIndex(ValueLayout.JAVA_INT, i, 100 + i);
        driver.copyIn(stream, a, host);
        driver.fill(stream, b, (byte) 1, 64);
        driver.copy(stream, a + 8, b + 4, 8);
        assertEquals(0x01010101, read(b));
        assertEquals(102, read(b + 4));
        assertEquals(103, read(b + 8));
        assertEquals(0x01010101, read(b + 12));
        driver.freePinned(host);
        driver.free(a);
        driver.free(b);
    }

    @Test
    void thereIsNotSoMuchMemory() {
        assertEquals(0, driver.allocate((1 << 20) + 1));
    }

    /** Transfers of any size, and of other threads, whose current context is none at first. */
    @Test
    void transfersAnything() throws InterruptedException {
        byte[] bytes = new byte[100_000];
        new java.util.Random(1).nextBytes(bytes);
        byte[] got = new byte[bytes.length];
        long device = driver.allocate(bytes.length);
        Thread other = new Thread(() -> {
            GpuTransfers t = new GpuTransfers(driver, stream, 16_384, 4096);
            t.write(device, MemorySegment.ofArray(bytes));
            t.read(device, MemorySegment.ofArray(got));
            t.close();
        });
        other.start();
        other.join();
        assertArrayEquals(bytes, got);
        driver.free(device);
    }

    @Test
    void launchesPassTheirParameters() {
        GpuDriver.Function f = driver.load(PTX).function("increment");
        assertEquals("increment", f.name());
        long cell = driver.allocate(4);
        driver.fill(stream, cell, (byte) 0, 4);
        driver.launch(stream, f, GRID, cell, 5, 7);
        driver.launch(stream, f, new GpuDriver.Grid(1, 2, 3, 4, 100_000), cell, 6);
        assertEquals(11, read(cell));
        GpuFaultException wrong = assertThrows(
                GpuFaultException.class, () -> driver.launch(stream, f, new GpuDriver.Grid(2, 2, 3, 4, 0), cell, 5));
        assertTrue(wrong.getMessage().contains("CUDA_ERROR_INVALID_VALUE (1)"), wrong.getMessage());
        assertTrue(wrong.getMessage().contains("increment"), wrong.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> driver.launch(stream, f, new GpuDriver.Grid(1, 100_000, 3, 4, 0), cell, 5));
    }

    /** Pooling over two axes has 18 parameters. */
    @Test
    void launchesWithManyParameters() {
        GpuDriver.Function f = driver.load(PTX).function("increment");
        long a = driver.allocate(4);
        driver.fill(stream, a, (byte) 0, 4);
        long[] parameters = new long[GpuDriver.PARAMETER_BYTES / 8];
        parameters[0] = a;
        parameters[1] = 7;
        driver.launch(stream, f, GRID, parameters);
        assertEquals(7, read(a));
        long[] more = new long[parameters.length + 1];
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> driver.launch(stream, f, GRID, more));
        assertTrue(e.getMessage().contains("increment: ") && e.getMessage().contains("4104 bytes"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> GpuDriver.check(f, GRID, 504, 1));
        driver.free(a);
    }

    @Test
    void launchesHaveMapsOfTensors() {
        GpuDriver.Function f = driver.load(PTX.replace("increment", "mapped")).function("mapped");
        GpuDriver.Function plain = driver.load(PTX).function("increment");
        long cell = driver.allocate(4);
        assertTrue(driver.hasTensorMaps());
        TensorBox box = new TensorBox(PtxType.BF16, 0x1010, List.of(100L, 7L), List.of(208L), List.of(64, 5));
        driver.launch(stream, f, GRID, List.of(box), cell, 0);
        assertEquals(31 * (100 + 64) + 7 + 5 + 208 + 9 + 0x10, read(cell));
        TensorBox crooked = new TensorBox(PtxType.F16, 0x1008, List.of(100L), List.of(), List.of(64));
        GpuFaultException wrong =
                assertThrows(GpuFaultException.class, () -> driver.launch(stream, f, GRID, List.of(crooked), cell, 0));
        assertTrue(wrong.getMessage().contains("cuTensorMapEncodeTiled"), wrong.getMessage());
        // Later launches have their own parameters there.
        driver.fill(stream, cell, (byte) 0, 4);
        driver.launch(stream, plain, GRID, cell, 5, 7, 8);
        assertEquals(5, read(cell));
    }

    @Test
    void graphsAreReplayed() {
        GpuDriver.Function f = driver.load(PTX).function("increment");
        long cell = driver.allocate(4);
        driver.fill(stream, cell, (byte) 0, 4);
        driver.beginCapture(stream);
        driver.launch(stream, f, GRID, cell, 2);
        driver.launch(stream, f, GRID, cell, 3);
        GpuDriver.Graph graph = driver.endCapture(stream);
        assertEquals(0, read(cell));
        driver.launch(stream, graph);
        driver.launch(stream, graph);
        assertEquals(10, read(cell));
        driver.destroy(graph);
    }

    /** The driver refuses to wait for all of a context while a stream of it is captured, whoever asks. */
    @Test
    void memoryIsGivenBackWhenNothingIsCaptured() throws InterruptedException {
        long memory = driver.allocate(4);
        List<Throwable> problems = Collections.synchronizedList(new ArrayList<>());
        Thread other = new Thread(() -> driver.free(memory));
        other.setUncaughtExceptionHandler((_, e) -> problems.add(e));
        driver.beginCapture(stream);
        try {
            other.start();
            while (other.isAlive() && other.getState() != Thread.State.WAITING) Thread.onSpinWait();
        } finally {
            driver.destroy(driver.endCapture(stream));
        }
        other.join();
        assertEquals(List.of(), problems);
    }

    @Test
    void eventsAreTimed() {
        GpuDriver.Event a = driver.createEvent();
        GpuDriver.Event b = driver.createEvent();
        assertTrue(driver.isDone(a));
        driver.record(a, stream);
        driver.record(b, stream);
        driver.await(stream, a);
        driver.synchronize(b);
        assertTrue(driver.isDone(b));
        assertEquals(1_000_000, driver.nanosBetween(a, b));
        driver.destroy(a);
        driver.destroy(b);
    }

    @Test
    void refusedPtxComesWithTheAssemblersMessage() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> driver.load("nonsense"));
        assertTrue(e.getMessage().contains("CUDA_ERROR_INVALID_PTX (218)"), e.getMessage());
        assertTrue(e.getMessage().contains("Missing .version directive"), e.getMessage());
        GpuDriver.LoadedModule m = driver.load(PTX);
        GpuFaultException missing = assertThrows(GpuFaultException.class, () -> m.function("other"));
        assertTrue(missing.getMessage().contains("CUDA_ERROR_NOT_FOUND"), missing.getMessage());
    }

    /** What was assembled outlives the linker, and is loaded as its text would be; what is refused comes with the message. */
    @Test
    void cubinsAreLoadedLikeTheirText() throws Throwable {
        byte[] cubin = driver.assemble(PTX);
        assertEquals("\177ELF" + PTX + "\0", new String(cubin, StandardCharsets.US_ASCII));
        GpuDriver.Function f = driver.load(cubin).function("increment");
        long cell = driver.allocate(4);
        driver.fill(stream, cell, (byte) 0, 4);
        driver.launch(stream, f, GRID, cell, 5);
        assertEquals(5, read(cell));
        IllegalArgumentException text = assertThrows(IllegalArgumentException.class, () -> driver.assemble("nonsense"));
        assertTrue(text.getMessage().contains("refuses PTX: CUDA_ERROR_INVALID_PTX (218)"), text.getMessage());
        assertTrue(text.getMessage().contains("Missing .version directive"), text.getMessage());
        cubin[6] = 'x';
        IllegalArgumentException damaged = assertThrows(IllegalArgumentException.class, () -> driver.load(cubin));
        assertTrue(damaged.getMessage().contains("refuses a cubin: CUDA_ERROR_INVALID_PTX"), damaged.getMessage());
        int open = (int) Linker.nativeLinker()
                .downcallHandle(
                        library.symbols().findOrThrow("fake_links"), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                .invokeExact();
        assertEquals(0, open);
        driver.free(cell);
    }

    /** A kernel's fault is thrown by whoever waits, with the driver's name for it. */
    @Test
    void faultsHaveNames() throws Throwable {
        driver.launch(stream, driver.load(PTX).function("fault"), GRID, 0, 0);
        GpuFaultException e = assertThrows(GpuFaultException.class, () -> driver.synchronize(stream));
        assertTrue(e.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), e.getMessage());
        Linker.nativeLinker()
                .downcallHandle(library.symbols().findOrThrow("fake_heal"), FunctionDescriptor.ofVoid())
                .invokeExact();
    }

    /** JCublas and cublasLt are told of row-major products what gives their column-major transposes. */
    @Test
    void librariesMultiply() throws IOException, InterruptedException {
        Path source = folder.resolve("fake_cublas.c");
        try (var in = CudaDriverTest.class.getResourceAsStream("fake_cublas.c")) {
            Files.copy(in, source);
        }
        Path place = Files.createDirectory(folder.resolve("cublas"));
        for (String name : new String[] {"libcublasLt.so.12", "libcublas.so.12"}) {
            // JCublas' native library asks for the symbols of this version.
            Path versions = Files.writeString(folder.resolve(name + ".map"), name + " { global: *; };\n");
            assertTrue(compiles(source, place.resolve(name), "-Wl,--version-script=" + versions));
        }
        CublasFiles files = CublasFiles.find(place.toString());
        assertEquals(12, files.major(), files.where());
        try (MatmulLibrary jcublas = driver.openMatmul(files, stream)) {
            assertEquals("cuBLAS 12.4 through JCublas", jcublas.name());
            assertFalse(jcublas.takes(problem(false, false, 1, true, Activation.NONE)));
            assertFalse(jcublas.takes(problem(false, false, 1, false, Activation.GELU)));
            multiply(jcublas, false);
        }
        try (MatmulLibrary lt = new CublasLtLibrary(driver, (CudaHandles.Stream) stream, files)) {
            assertEquals("cublasLt 13.0", lt.name());
            multiply(lt, true);
            // A batch of this many: the fake knows no way.
            assertFalse(lt.takes(problem(false, false, 99, true, Activation.RELU)));
        }
    }

    /** 5 × 7 by 7 × 3, lying as they may. */
    private static MatmulProblem problem(boolean ta, boolean tb, long batch, boolean bias, Activation activation) {
        return new MatmulProblem(
                DType.F32,
                MatmulPrecision.HIGHEST,
                batch,
                5,
                3,
                7,
                ta,
                tb,
                ta ? 5 : 7,
                tb ? 7 : 3,
                8,
                35,
                21,
                40,
                bias,
                activation);
    }

    private static void multiply(MatmulLibrary library, boolean biased) {
        for (int variant = 0; variant < 16 * Activation.values().length; variant++) {
            boolean ta = (variant & 1) != 0;
            boolean tb = (variant & 2) != 0;
            int batch = (variant & 4) != 0 ? 3 : 1;
            boolean withBias = (variant & 8) != 0;
            Activation activation = Activation.values()[variant / 16];
            MatmulProblem p = problem(ta, tb, batch, withBias, activation);
            if ((withBias || activation != Activation.NONE) && !biased) continue;
            boolean keeps = activation == Activation.KEPT_GELU;
            assertEquals(!keeps || batch == 1, library.takes(p));
            if (!library.takes(p)) continue;
            float[] a = random(35 * batch);
            float[] b = random(21 * batch);
            float[] v = random(3);
            float[] c = new float[40 * batch];
            float[] kept = new float[40 * batch];
            long da = upload(a);
            long db = upload(b);
            long dv = upload(v);
            long dc = upload(c);
            long dk = upload(kept);
            library.multiply(p, da, db, dc, withBias ? dv : 0, keeps ? dk : 0);
            transfers.read(dc, MemorySegment.ofArray(c));
            transfers.read(dk, MemorySegment.ofArray(kept));
            for (int x = 0; x < batch; x++)
                for (int i = 0; i < 5; i++)
                    for (int j = 0; j < 3; j++) {
                        double sum = withBias ? v[j] : 0;
                        for (int k = 0; k < 7; k++)
                            sum += (double) a[35 * x + (ta ? 5 * k + i : 7 * i + k)]
                                    * b[21 * x + (tb ? 7 * j + k : 3 * k + j)];
                        if (keeps) assertEquals(sum, kept[8 * i + j], 1e-5, library.name() + ": " + p);
                        sum = switch (activation) {
                            case NONE -> sum;
                            case RELU -> Math.max(sum, 0);
                            case GELU, KEPT_GELU ->
                                sum / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (sum + 0.044715 * Math.pow(sum, 3))));
                        };
                        assertEquals(sum, c[40 * x + 8 * i + j], 1e-5, library.name() + ": " + p);
                    }
        }
    }

    private static float[] random(int n) {
        java.util.Random random = new java.util.Random(n);
        float[] r = new float[n];
        for (int i = 0; i < n; i++) r[i] = random.nextFloat() - 0.5f;
        return r;
    }

    private static long upload(float[] values) {
        long address = driver.allocate(4L * values.length);
        transfers.write(address, MemorySegment.ofArray(values));
        return address;
    }

    /** The library is unpacked to the byte, and what somebody put in its place is replaced. */
    @Test
    void nativesAreUnpackedAfresh() throws IOException {
        Path own = Files.createDirectory(
                folder.resolve("natives"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        String name = "libJCublas2-12.6.0-linux-x86_64.so";
        CudaNatives.unpack(name, own);
        byte[] right = Files.readAllBytes(own.resolve(name));
        assertTrue(right.length > 1000);
        Files.write(own.resolve(name), new byte[] {1});
        CudaNatives.unpack(name, own);
        assertArrayEquals(right, Files.readAllBytes(own.resolve(name)));
        try (var files = Files.list(own)) {
            assertEquals(1, files.count());
        }
    }

    /** Without a driver the message says what was looked for, and what to do. */
    @Test
    void aMissingLibraryIsExplained() {
        CudaLibrary none = CudaLibrary.find("/nonexistent/libcuda.so.1");
        assertEquals(0, none.devices());
        assertTrue(none.problem().contains("/nonexistent/libcuda.so.1"), none.problem());
        assertTrue(none.problem().contains("Install NVIDIA's driver"), none.problem());
        assertThrows(IllegalStateException.class, () -> CudaDriver.open(none, 0));
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Device.parse("cuda"));
        assertTrue(e.getMessage().contains("libcuda.so.1"), e.getMessage());
        assertTrue(e.getMessage().contains("Available: jvm, ptx-sim"), e.getMessage());
        assertFalse(Device.available().stream().anyMatch(d -> d.kind() == Device.Kind.CUDA));
        assertEquals(Device.JVM, Device.best());
    }
}
