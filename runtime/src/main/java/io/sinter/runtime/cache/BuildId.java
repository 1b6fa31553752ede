// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.ByteWriter;
import io.sinter.ir.store.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Which compiler this is: a hash over names, sizes and CRC-32s of the class files of the modules that make plans and code. A version number would
 * not do, because it stays the same while somebody works on the compiler. A jar's directory holds the checksums already.
 */
public final class BuildId {
    private static final ConcurrentHashMap<Class<?>, String> KNOWN = new ConcurrentHashMap<>();
    private static final int DIGITS = 16;

    private BuildId() {}

    /** The build of the modules that these classes are of: 16 hexadecimal digits for each. */
    public static String of(Class<?>... members) {
        List<String> ids = new ArrayList<>();
        for (Class<?> c : members) ids.add(KNOWN.computeIfAbsent(c, BuildId::compute));
        return String.join("-", ids);
    }

    private static String compute(Class<?> member) {
        CodeSource source = member.getProtectionDomain().getCodeSource();
        if (source == null) throw new IllegalStateException("cannot tell where " + member + " was loaded from");
        try {
            return of(source.getLocation());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read Sinter's own classes at " + source.getLocation(), e);
        }
    }

    static String of(URL location) throws IOException {
        Path place;
        try {
            place = Path.of(location.toURI());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
        TreeMap<String, ByteWriter> files = Files.isDirectory(place) ? folder(place) : jar(place);
        ByteWriter all = new ByteWriter();
        files.forEach((name, rest) -> all.text(name).raw(rest.toBytes()));
        return Sha256.hex(all.toBytes()).substring(0, DIGITS);
    }

    private static TreeMap<String, ByteWriter> jar(Path file) throws IOException {
        TreeMap<String, ByteWriter> files = new TreeMap<>();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (Enumeration<? extends ZipEntry> e = zip.entries(); e.hasMoreElements(); ) {
                ZipEntry entry = e.nextElement();
                if (counts(entry.getName())) {
                    files.put(
                            entry.getName(),
                            new ByteWriter().number(entry.getSize()).number(entry.getCrc()));
                }
            }
        }
        return files;
    }

    private static TreeMap<String, ByteWriter> folder(Path root) throws IOException {
        TreeMap<String, ByteWriter> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path p : (Iterable<Path>) paths::iterator) {
                String name = root.relativize(p).toString().replace('\\', '/');
                if (!counts(name)) continue;
                byte[] bytes = Files.readAllBytes(p);
                CRC32 crc = new CRC32();
                crc.update(bytes);
                files.put(name, new ByteWriter().number(bytes.length).number(crc.getValue()));
            }
        }
        return files;
    }

    /** A module's descriptor is written twice by some builds, and says nothing about code. */
    private static boolean counts(String name) {
        return name.endsWith(".class") && !name.endsWith("module-info.class");
    }
}
