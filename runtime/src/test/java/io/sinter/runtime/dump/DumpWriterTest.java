// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.jvm.JvmFlags;
import io.sinter.ir.text.GraphParser;
import io.sinter.runtime.CompileContext;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DumpWriterTest {
    private final DumpWriter writer = new DumpWriter();

    @TempDir
    private Path folder;

    @Test
    void allIsWrittenInOrder() {
        List<Integer> written = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 100; i++) {
            int number = i;
            writer.add(() -> written.add(number));
        }
        writer.await();
        assertEquals(IntStream.range(0, 100).boxed().toList(), written);
    }

    /** What goes wrong is told once, and what comes after is written all the same. */
    @Test
    void aFailureIsThrownWhereSomebodyWaits() {
        RuntimeException failure = new IllegalStateException("no space is left");
        AtomicBoolean after = new AtomicBoolean();
        Thread adding = Thread.currentThread();
        writer.add(() -> {
            awaitWaiting(adding); // or this may have failed before the next is added
            throw failure;
        });
        writer.add(() -> after.set(true));
        assertSame(failure, assertThrows(IllegalStateException.class, writer::await));
        writer.await();
        assertTrue(after.get());
    }

    /** As many programs as wait hold the graphs of all their passes. */
    @Test
    void compilersWaitForAWriterThatIsFarBehind() {
        AtomicBoolean first = new AtomicBoolean();
        Thread adding = Thread.currentThread();
        writer.add(() -> {
            awaitWaiting(adding);
            first.set(true);
        });
        for (int i = 1; i <= DumpWriter.MOST; i++) writer.add(() -> {});
        assertTrue(first.get());
        writer.await();
    }

    /** Until somebody waits for what is being written. */
    @Test
    void compilationsGoFirst() throws InterruptedException {
        writer.compiling();
        writer.compiling();
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(1);
        AtomicReference<Thread> thread = new AtomicReference<>();
        writer.add(() -> {
            thread.set(Thread.currentThread());
            begun.countDown();
            writer.awaitTurn();
            order.add("written");
            written.countDown();
        });
        begun.await();
        awaitWaiting(thread.get());
        order.add("compiled one");
        writer.compiled();
        awaitWaiting(thread.get());
        order.add("compiled both");
        writer.compiled();
        written.await();
        writer.compiling();
        writer.add(() -> {
            writer.awaitTurn();
            order.add("waited for");
        });
        writer.await();
        writer.compiled();
        assertEquals(List.of("compiled one", "compiled both", "written", "waited for"), order);
    }

    private static void awaitWaiting(Thread t) {
        while (t.getState() != Thread.State.WAITING && t.isAlive()) Thread.yield();
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamed() throws IOException {
        try (Session session = Session.open(Options.fromProperties())) {
            Path file = Files.createFile(folder.resolve("file"));
            UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> session.dumpTo(file));
            assertTrue(e.getMessage().startsWith("cannot write the dump to " + file + ": "), e::toString);
            compile(session); // as before: nothing is dumped

            Path good = folder.resolve("good");
            session.dumpTo(good);
            compile(session);
            session.dumpTo(null);
            // This one fails beside the caller's work.
            Path page = folder.resolve("bad")
                    .resolve(programs(good).getFirst().getFileName())
                    .resolve("index.html");
            Files.createDirectories(page);
            session.dumpTo(folder.resolve("bad"));
            compile(session);
            e = assertThrows(UncheckedIOException.class, session::awaitDumps);
            assertTrue(e.getMessage().startsWith("cannot write the dump to " + page.getParent()), e::toString);
        }
    }

    private static List<Path> programs(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.toList();
        }
    }

    private static void compile(Session session) {
        Executable.compile(GraphParser.parse("""
                %x: f32[4,8] = input
                %e: f32[4,8] = exp(%x)
                %t: f32[4] = sum(%e) {axes=[1]}
                return %t
                """), CompileContext.of(session));
    }

    @Test
    void aProcessThatEndsWritesWhatItHasCompiled() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(JvmFlags.all());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Exits.class.getName(), folder.toString()));
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(3, p.waitFor(), text);
        for (String last : List.of("program.json", "index.html"))
            assertTrue(Files.size(programs(folder).getFirst().resolve(last)) > 0, text);
    }

    /** The other process: it compiles, and exits without a word to the session. */
    static final class Exits {
        private Exits() {}

        public static void main(String[] args) {
            Session session = Session.open(Options.fromProperties());
            session.dumpTo(Path.of(args[0]));
            compile(session);
            System.exit(3);
        }
    }
}
