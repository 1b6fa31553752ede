// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/** Why something could not be read or written, in words: of many of the JDK's exceptions the message is a file's name and no more. */
public final class Reason {
    private Reason() {}

    /** What went wrong, with the file's name if the exception has one. */
    public static String of(IOException e) {
        return switch (e) {
            case NoSuchFileException f -> f.getFile() + ": there is no such file or folder";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case FileAlreadyExistsException f -> f.getFile() + ": there is another file of that name";
            case CharacterCodingException _ -> "it is no text in UTF-8";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
