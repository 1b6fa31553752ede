// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;

/** Why something could not be read or written, in words: of many of the JDK's exceptions the message is a file's name and no more. */
public final class Reason {
    private Reason() {}

    /** What went wrong, with the file's name if the exception has one. */
    public static String of(IOException e) {
        return switch (e) {
            case NoSuchFileException f -> f.getFile() + ": no such file or folder";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case NotDirectoryException f -> f.getFile() + ": not a folder";
            case FileSystemException f when f.getReason() == null -> f.getFile() + ": " + words(f);
            case CharacterCodingException _ -> "it is no text in UTF-8";
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }

    /** {@code FileAlreadyExistsException} says what is wrong by its name: file already exists. */
    private static String words(FileSystemException e) {
        String name = e.getClass().getSimpleName().replace("Exception", "");
        return name.replaceAll("(?<=.)(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }
}
