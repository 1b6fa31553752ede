// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;

/**
 * Whose a folder is. An entry is code that runs with this user's rights, so only folders that nobody else can write to are believed without a
 * signature.
 */
final class Owner {
    private static final Set<PosixFilePermission> OTHERS_WRITE = PosixFilePermissions.fromString("----w--w-");
    /** The mode of a folder that is made for this user alone. */
    static final FileAttribute<Set<PosixFilePermission>> USER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /** Modes of what is made inside: whatever the process's umask, nobody else may write, since entries are code. Who may enter the folder may read. */
    private static final FileAttribute<?> FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));

    private static final FileAttribute<?> FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--"));

    private static final FileAttribute<?>[] NONE = {};

    private static volatile UserPrincipal user;

    private Owner() {}

    /** True if the folder is this user's and nobody else may write to it. */
    static boolean isOurs(Path folder) throws IOException {
        if (!Files.getOwner(folder).equals(user())) return false;
        if (!isPosix(folder)) return true;
        for (PosixFilePermission p : Files.getPosixFilePermissions(folder)) if (OTHERS_WRITE.contains(p)) return false;
        return true;
    }

    /** Makes a folder of a tier that nobody else may write to, and those above it that are missing. */
    static void createFolders(Path folder) throws IOException {
        Files.createDirectories(folder, attributes(folder, FOLDER));
    }

    /** Opens a file of a tier that nobody else may write to if it is made now. */
    static FileChannel open(Path file, OpenOption... options) throws IOException {
        return FileChannel.open(file, Set.of(options), attributes(file, FILE));
    }

    /** Not all systems have such modes. */
    private static FileAttribute<?>[] attributes(Path place, FileAttribute<?> mode) {
        boolean posix = place.getFileSystem().supportedFileAttributeViews().contains("posix");
        return posix ? new FileAttribute<?>[] {mode} : NONE;
    }

    static boolean isPosix(Path folder) throws IOException {
        FileStore store = Files.getFileStore(folder);
        return store.supportsFileAttributeView("posix");
    }

    /** Who this process is to the file system: names can mislead in containers, a file that we make cannot. */
    private static UserPrincipal user() throws IOException {
        UserPrincipal known = user;
        if (known == null) {
            Path self = Path.of("/proc/self"); // on Linux this is the process's own; elsewhere it is not there
            if (Files.exists(self, LinkOption.NOFOLLOW_LINKS)) {
                known = Files.getOwner(self);
            } else {
                Path probe = Files.createTempFile("sinter", ".owner");
                known = Files.getOwner(probe);
                Files.delete(probe);
            }
            user = known;
        }
        return known;
    }
}
