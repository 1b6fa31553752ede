// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.junit.jupiter.api.Test;

class ReasonTest {
    private static void says(String words, IOException e) {
        assertEquals(words, Reason.of(e));
    }

    @Test
    void exceptionsWithoutWordsGetSome() {
        says("a/b: no such file or folder", new NoSuchFileException("a/b"));
        says("a/b: permission denied", new AccessDeniedException("a/b"));
        says("a/b: not a folder", new NotDirectoryException("a/b"));
        says("a/b: file already exists", new FileAlreadyExistsException("a/b"));
        says("a/b: directory not empty", new DirectoryNotEmptyException("a/b"));
        says("it is no text in UTF-8", new MalformedInputException(1));
        says("java.io.EOFException", new EOFException());
    }

    @Test
    void whatAnExceptionSaysIsKept() {
        says("a/b: No space left on device", new FileSystemException("a/b", null, "No space left on device"));
        says("Stream closed", new IOException("Stream closed"));
    }
}
