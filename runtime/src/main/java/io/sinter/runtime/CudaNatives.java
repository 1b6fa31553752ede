// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/**
 * JCuda's native libraries. JCuda unpacks them to a fixed name in {@code java.io.tmpdir}, which on a shared machine is everybody's, and takes
 * what lies there already. So they are unpacked here first, to a folder that only the user can write, and JCuda is shown that folder while it loads.
 */
final class CudaNatives {
    private static final String VERSION = "12.6.0";
    private static final String DRIVER = "libJCudaDriver-" + VERSION + "-linux-x86_64.so";
    private static final String CUBLAS = "libJCublas2-" + VERSION + "-linux-x86_64.so";
    private static final String PTX_COMPILER = "libJNvPTXCompiler-" + VERSION + "-linux-x86_64.so";
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private CudaNatives() {}

    /** What of JCuda is not on the class path, and what to do about it; empty if all is there. */
    static String missing() {
        String add = "; add the Maven artifacts org.jcuda:jcuda:" + VERSION + " and org.jcuda:jcuda-natives:" + VERSION
                + " (classifier linux-x86_64)";
        if (resource("jcuda/driver/JCudaDriver.class") == null)
            return "a GPU is here, but JCuda is not on the class path" + add;
        if (resource("lib/" + DRIVER) == null)
            return "a GPU is here, but JCuda's native library " + DRIVER + " is not on the class path" + add;
        return "";
    }

    /** Whether JCublas and its native library are on the class path. */
    static boolean hasCublas() {
        return resource("jcuda/jcublas/JCublas2.class") != null && resource("lib/" + CUBLAS) != null;
    }

    /** Whether JNvPTXCompiler and its native library are on the class path, and are for this platform. */
    static boolean hasPtxCompiler() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64")
                && isResource("jcuda/nvptxcompiler/JNvPTXCompiler.class")
                && isResource("lib/" + PTX_COMPILER);
    }

    private static boolean isResource(String name) {
        return CudaNatives.class.getClassLoader() != null
                && CudaNatives.class.getClassLoader().getResource(name) != null;
    }

    private static InputStream resource(String name) {
        ClassLoader loader = CudaNatives.class.getClassLoader();
        return loader == null ? ClassLoader.getSystemResourceAsStream(name) : loader.getResourceAsStream(name);
    }

    /** Loads JCuda's driver. */
    static void loadDriver() {
        load(DRIVER, "jcuda.driver.JCudaDriver");
    }

    /** Loads JCublas; cuBLAS itself must be loaded already, or be where the system's loader finds it. */
    static void loadCublas() {
        load(CUBLAS, "jcuda.jcublas.JCublas2");
    }

    /** Loads JNvPTXCompiler, which needs no driver. */
    static void loadPtxCompiler() {
        load(PTX_COMPILER, "jcuda.nvptxcompiler.JNvPTXCompiler");
    }

    /** JCuda's classes load their library when they are initialised. */
    private static synchronized void load(String library, String type) {
        Path folder = unpack(library, folder());
        String before = System.getProperty("java.io.tmpdir");
        System.setProperty("java.io.tmpdir", folder.toString());
        try {
            Class.forName(type, true, CudaNatives.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            throw new IllegalStateException("JCuda cannot be loaded from " + folder + ": " + e.getMessage(), e);
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }

    /** A folder of the user's own: in their cache, or else a new one among the system's temporary files. */
    private static Path folder() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path parent =
                cache != null && !cache.isBlank() ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
        Path folder = parent.resolve("sinter").resolve("natives-" + VERSION);
        try {
            Files.createDirectories(folder.getParent());
            if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS))
                Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
            if (isOurs(folder)) return folder;
        } catch (IOException | UnsupportedOperationException _) {
            // A home that cannot be written: the folder below does.
        }
        try {
            return Files.createTempDirectory("sinter-natives", PosixFilePermissions.asFileAttribute(PRIVATE));
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for JCuda's native libraries", e);
        }
    }

    private static boolean isOurs(Path folder) throws IOException {
        Path home = Path.of(System.getProperty("user.home"));
        return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                && Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS)
                        .equals(PRIVATE)
                && Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(home))
                && Files.isWritable(folder);
    }

    /** Puts the library there unless it is there already, to the byte. Several processes may do so at once. */
    static Path unpack(String library, Path folder) {
        Path file = folder.resolve(library);
        try (InputStream in = resource("lib/" + library)) {
            if (in == null) throw new IllegalStateException(library + " is not on the class path");
            byte[] bytes = in.readAllBytes();
            if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Arrays.equals(Files.readAllBytes(file), bytes))
                return folder;
            Path part = Files.createTempFile(folder, library, ".part");
            Files.write(part, bytes);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack " + library + " to " + folder, e);
        }
    }
}
