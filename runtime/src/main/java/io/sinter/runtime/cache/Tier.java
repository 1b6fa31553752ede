// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A folder of entries.
 *
 * <pre>
 * plan/ab/ab12…   class/… …  entries, by the digest of their key; the time of a file is that of its last use
 * tmp/                      entries being written
 * locks/                    see {@link Locks}
 * aside/                    entries that could not be used
 * misses                    see {@link MissLog}
 * uses                      see {@link Uses}
 * </pre>
 */
public final class Tier {
    static final System.Logger LOG = System.getLogger("io.sinter.cache");

    /** What is kept of entries that could not be used. */
    private static final int MAX_ASIDE = 64;
    /** A file being written is abandoned if it is older than this. */
    private static final long ABANDONED_MILLIS = 3_600_000;

    /** A file of the tier. */
    public record Stored(Path file, CacheKey.Kind kind, String digest, long bytes, FileTime used) {
        /** When it was put here, or last used where the file system does not know that. */
        public FileTime made() throws IOException {
            return Files.readAttributes(file, BasicFileAttributes.class).creationTime();
        }

        /** @throws FormatException if the file, which holds these bytes, cannot be used */
        Entry entry(byte[] contents) {
            Entry entry = Entry.read(contents);
            if (entry.key().kind() != kind || !entry.key().digest().equals(digest)) {
                throw new FormatException("an entry of another key");
            }
            return entry;
        }
    }

    private final Path folder;
    /** Of each kind of entry. */
    private final EnumMap<CacheKey.Kind, Path> folders = new EnumMap<>(CacheKey.Kind.class);

    private final boolean writable;
    private final Locks locks;
    /** Whose entries are believed without a signature; null if this tier is ours. */
    private final Manifest manifest;

    private Tier(Path folder, boolean writable, Manifest manifest) {
        this.folder = folder;
        this.writable = writable;
        this.manifest = manifest;
        for (CacheKey.Kind k : CacheKey.Kind.values()) folders.put(k, folder.resolve(k.folder()));
        locks = new Locks(folder.resolve("locks"));
    }

    /**
     * A user's own tier; the folder is made if it is not there, for this user alone.
     *
     * @throws IOException if it cannot be made, or is a folder that others may write to
     */
    public static Tier own(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            // A folder that is not there has a parent: the root is there.
            Path parent = Files.createDirectories(folder.toAbsolutePath().getParent());
            try {
                // With its mode from the first moment: nobody can put anything into it before it is closed.
                if (Owner.isPosix(parent)) Files.createDirectory(folder, Owner.USER_ONLY);
                else Files.createDirectory(folder);
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(folder)) throw new IOException(folder + " is a file, not a folder", e);
            }
        }
        if (!Owner.isOurs(folder)) {
            throw new IOException(folder + " belongs to another user, or others may write to it ("
                    + (Owner.isPosix(folder)
                            ? PosixFilePermissions.toString(Files.getPosixFilePermissions(folder))
                            : "no permissions")
                    + "): cached entries are code; use a folder of your own (chmod 700)");
        }
        return new Tier(folder, true, null);
    }

    /**
     * A tier that is only read. One that this user does not own, or that others may write to, needs a manifest with a trusted signature.
     *
     * @param trust whose signatures are believed
     * @throws IOException if it is not there or may not be believed
     */
    public static Tier shared(Path folder, Trust trust) throws IOException {
        if (!Files.isDirectory(folder)) throw new IOException("no folder " + folder);
        if (Owner.isOurs(folder) || trust.foreign()) return new Tier(folder, false, null);
        Manifest manifest = Manifest.load(folder);
        if (manifest == null) {
            throw new IOException(
                    folder + " belongs to another user, or others may write to it, and has no signed manifest"
                            + " (sinter cache sign): its entries are code and are not run");
        }
        manifest.demandTrusted(trust, folder.toString());
        return new Tier(folder, false, manifest);
    }

    public Path folder() {
        return folder;
    }

    boolean isWritable() {
        return writable;
    }

    Locks.Held lock(CacheKey key, String digest) {
        return locks.take(key.kind(), digest);
    }

    private Path file(CacheKey.Kind kind, String digest) {
        return folders.get(kind).resolve(digest.substring(0, 2)).resolve(digest);
    }

    boolean has(CacheKey.Kind kind, String digest) {
        return Files.exists(file(kind, digest));
    }

    /**
     * The entry of a key, or null if there is none.
     *
     * @throws FormatException if there is one that cannot be believed
     */
    Entry read(CacheKey key, String digest) throws IOException {
        Path file = file(key.kind(), digest);
        byte[] bytes = bytes(file);
        if (bytes == null) return null;
        if (manifest != null) manifest.demand(key.kind(), digest, bytes);
        Entry entry = Entry.read(bytes);
        if (!entry.key().equals(key)) throw new FormatException("an entry of another key");
        if (writable) touch(file);
        return entry;
    }

    /** The contents of a file of ours, or null if it is not there. */
    private static byte[] bytes(Path file) throws IOException {
        try (FileChannel in = FileChannel.open(file)) {
            long size = in.size();
            if (size > Entry.MAX_BYTES) throw new FormatException("too large: " + size + " bytes");
            ByteBuffer all = ByteBuffer.allocate((int) size);
            while (all.hasRemaining() && in.read(all) >= 0) {}
            if (all.hasRemaining()) throw new FormatException("ends too early");
            return all.array();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "cannot mark as used: " + file, e);
        }
    }

    /** Any entry, by its file. */
    public static Entry read(Stored stored) throws IOException {
        byte[] bytes = bytes(stored.file);
        if (bytes == null) throw new NoSuchFileException(stored.file.toString());
        return stored.entry(bytes);
    }

    /** Writes an entry so that it is there whole or not at all, whatever happens meanwhile. */
    void write(Entry entry, String digest) throws IOException {
        write(entry.key().kind(), digest, entry.toBytes());
    }

    void write(CacheKey.Kind kind, String digest, byte[] bytes) throws IOException {
        Path temporary = folder.resolve("tmp");
        Owner.createFolders(temporary);
        Path file = temporary.resolve(digest + "." + ProcessHandle.current().pid() + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong()));
        try {
            try (FileChannel out = Owner.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                ByteBuffer rest = ByteBuffer.wrap(bytes);
                while (rest.hasRemaining()) out.write(rest);
                out.force(true);
            }
            Path place = file(kind, digest);
            Owner.createFolders(place.getParent());
            Files.move(file, place, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Takes an entry that cannot be used out of the way, for somebody to look at. */
    void setAside(CacheKey.Kind kind, String digest, String why) {
        Path file = file(kind, digest);
        LOG.log(System.Logger.Level.WARNING, "the cached {0} {1} is not used: {2}", kind.folder(), file, why);
        if (!writable) return;
        try {
            Path aside = folder.resolve("aside");
            Owner.createFolders(aside);
            try (Stream<Path> there = Files.list(aside)) {
                if (there.count() >= MAX_ASIDE) {
                    Files.deleteIfExists(file);
                    return;
                }
            }
            Files.move(file, aside.resolve(kind.folder() + "-" + digest), StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
            LOG.log(System.Logger.Level.DEBUG, "another process was faster", e);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot set aside " + file, e);
        }
    }

    /** All entries, the longest unused first; entries used at the same time by name. */
    public List<Stored> list() throws IOException {
        return list(folder);
    }

    static List<Stored> list(Path folder) throws IOException {
        List<Stored> all = new ArrayList<>();
        for (CacheKey.Kind kind : CacheKey.Kind.values()) {
            Path root = folder.resolve(kind.folder());
            if (!Files.isDirectory(root)) continue;
            try (Stream<Path> files = Files.walk(root, 2)) {
                for (Path p : (Iterable<Path>) files::iterator) {
                    String digest = p.getFileName().toString();
                    if (!Sha256.isHex(digest)) continue;
                    try {
                        BasicFileAttributes a = Files.readAttributes(p, BasicFileAttributes.class);
                        if (a.isRegularFile()) all.add(new Stored(p, kind, digest, a.size(), a.lastModifiedTime()));
                    } catch (NoSuchFileException e) {
                        LOG.log(System.Logger.Level.TRACE, "evicted meanwhile", e);
                    }
                }
            }
        }
        all.sort(Comparator.comparing(Stored::used).thenComparing(Stored::digest));
        return all;
    }

    /**
     * Removes entries, those first that were longest not used, until the rest takes at most so many bytes; and what killed processes left behind.
     *
     * @return bytes removed
     */
    public long prune(long maxBytes) throws IOException {
        removeAbandoned();
        List<Stored> all = list();
        long bytes = all.stream().mapToLong(Stored::bytes).sum();
        long removed = 0;
        for (Stored s : all) {
            if (bytes - removed <= maxBytes) break;
            if (Files.deleteIfExists(s.file)) removed += s.bytes;
        }
        Uses.shorten(folder);
        return removed;
    }

    private void removeAbandoned() throws IOException {
        Path temporary = folder.resolve("tmp");
        if (!Files.isDirectory(temporary)) return;
        long now = System.currentTimeMillis();
        try (Stream<Path> files = Files.list(temporary)) {
            for (Path p : (Iterable<Path>) files::iterator) {
                try {
                    if (now - Files.getLastModifiedTime(p).toMillis() > ABANDONED_MILLIS) Files.deleteIfExists(p);
                } catch (NoSuchFileException e) {
                    LOG.log(System.Logger.Level.TRACE, "written meanwhile", e);
                }
            }
        }
    }

    /** Removes everything but locks. */
    public void clear() throws IOException {
        for (Stored s : list()) Files.deleteIfExists(s.file);
        for (String rest : new String[] {"aside", "tmp"}) {
            Path place = folder.resolve(rest);
            if (!Files.isDirectory(place)) continue;
            try (Stream<Path> files = Files.list(place)) {
                for (Path p : (Iterable<Path>) files::iterator) Files.deleteIfExists(p);
            }
        }
        Files.deleteIfExists(folder.resolve(MissLog.FILE));
        Files.deleteIfExists(folder.resolve(Uses.FILE));
    }

    /** Removes a folder with all that is in it. */
    public static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path p : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(p);
        }
    }

    /** The short form of a digest in listings. */
    public static String shorten(String digest) {
        return digest.substring(0, 12);
    }
}
