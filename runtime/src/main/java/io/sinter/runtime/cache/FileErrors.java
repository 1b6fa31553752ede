// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** What went wrong with a file, in words: of some exceptions the message is the name of the file alone. */
public final class FileErrors {
    private FileErrors() {}

    /** One line that names the file and the trouble. */
    public static String describe(IOException e) {
        return switch (e) {
            case NoSuchFileException f -> f.getFile() + ": no such file or folder";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case NotDirectoryException f -> f.getFile() + ": not a folder";
            case FileSystemException f when f.getReason() == null -> f.getFile() + ": " + words(f);
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }

    /** {@code FileAlreadyExistsException} says what is wrong by its name: file already exists. */
    private static String words(FileSystemException e) {
        String name = e.getClass().getSimpleName().replace("Exception", "");
        return name.replaceAll("(?<=.)(?=[A-Z])", " ").toLowerCase(java.util.Locale.ROOT);
    }
}
