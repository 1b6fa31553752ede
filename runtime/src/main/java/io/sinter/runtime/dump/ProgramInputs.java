// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The arguments that a dumped program was run with first: {@code inputs/arg-000.npy}, {@code arg-001.npy}, … in the folder of the program, in NumPy's
 * format (version 1.0), which {@code numpy.load} reads and {@code numpy.save} writes. bf16 is stored as the f32 of the same value. {@code inputs.txt}
 * beside them lists them, and says which were left out because they are too large.
 */
public final class ProgramInputs {
    /** Bytes of a program's arguments that are stored unless a session is told otherwise. */
    public static final long DEFAULT_BYTES = 64L << 20;

    /** In a program's folder. */
    static final String FOLDER = "inputs";

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final Pattern HEADER =
            Pattern.compile("\\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \\(([0-9, ]*)\\),? ?}");

    private ProgramInputs() {}

    /**
     * Writes them.
     *
     * @param program the folder of the program
     * @param limit bytes of all files together; arguments that exceed it are left out
     */
    public static void write(Path program, Graph graph, List<RefArray> arguments, long limit) throws IOException {
        Path folder = Files.createDirectories(program.resolve(FOLDER));
        StringBuilder list = new StringBuilder();
        long left = limit;
        for (int i = 0; i < arguments.size(); i++) {
            Node n = graph.inputs().get(i);
            String name = name(i);
            Files.deleteIfExists(folder.resolve(name));
            list.append(name).append("  %").append(i).append(": ").append(n.type());
            if (n.type().bytes() > left) {
                list.append("  left out: ").append(n.type().bytes()).append(" bytes, ");
                list.append(left).append(" of ").append(limit).append(" are left");
            } else {
                left -= n.type().bytes();
                Files.write(folder.resolve(name), bytes(arguments.get(i)));
            }
            list.append('\n');
        }
        Files.writeString(folder.resolve("inputs.txt"), list, StandardCharsets.UTF_8);
    }

    private static String name(int argument) {
        return String.format(Locale.ROOT, "arg-%03d.npy", argument);
    }

    /** Whether a program's folder has arguments. */
    public static boolean areIn(Path program) {
        return Files.isRegularFile(program.resolve(FOLDER).resolve("inputs.txt"));
    }

    /**
     * The arguments of a graph; null for each that was left out.
     *
     * @throws IOException if a file cannot be read, or is no array of the argument's type
     */
    public static List<RefArray> read(Path program, Graph graph) throws IOException {
        List<RefArray> all = new ArrayList<>();
        for (int i = 0; i < graph.inputs().size(); i++) {
            Path file = program.resolve(FOLDER).resolve(name(i));
            Type type = graph.inputs().get(i).type();
            all.add(Files.exists(file) ? parse(file, Files.readAllBytes(file), type) : null);
        }
        return all;
    }

    // ---- NumPy's format

    private static String descr(DType t) {
        return switch (t) {
            case F64 -> "<f8";
            case F32, BF16 -> "<f4";
            case F16 -> "<f2";
            case I64 -> "<i8";
            case I32 -> "<i4";
            case I16 -> "<i2";
            case I8 -> "|i1";
            case U8 -> "|u1";
            case BOOL -> "|b1";
        };
    }

    private static int width(DType t) {
        return descr(t).charAt(2) - '0';
    }

    private static byte[] bytes(RefArray a) {
        StringJoiner shape = new StringJoiner(", ", "(", a.shape().rank() == 1 ? ",)" : ")");
        for (long d : a.shape().toArray()) shape.add(Long.toString(d));
        StringBuilder header = new StringBuilder(
                "{'descr': '" + descr(a.dtype()) + "', 'fortran_order': False, 'shape': " + shape + ", }");
        while ((MAGIC.length + 2 + header.length() + 1) % 64 != 0) header.append(' ');
        header.append('\n');
        int width = width(a.dtype());
        ByteBuffer b = ByteBuffer.allocate(MAGIC.length + 2 + header.length() + a.size() * width)
                .order(ByteOrder.LITTLE_ENDIAN);
        b.put(MAGIC).putShort((short) header.length());
        b.put(header.toString().getBytes(StandardCharsets.ISO_8859_1));
        for (int i = 0; i < a.size(); i++) {
            switch (a.dtype()) {
                case F64 -> b.putDouble(a.getDouble(i));
                case F32, BF16 -> b.putFloat((float) a.getDouble(i));
                case F16 -> b.putShort(Float.floatToFloat16((float) a.getDouble(i)));
                case I64 -> b.putLong(a.getLong(i));
                case I32 -> b.putInt((int) a.getLong(i));
                case I16 -> b.putShort((short) a.getLong(i));
                case I8, U8, BOOL -> b.put((byte) a.getLong(i));
            }
        }
        return b.array();
    }

    private static RefArray parse(Path file, byte[] bytes, Type type) throws IOException {
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < MAGIC.length + 2 || !b.slice(0, MAGIC.length).equals(ByteBuffer.wrap(MAGIC)))
            throw new IOException(file + " is no array of NumPy's format, version 1.0");
        int start = MAGIC.length + 2 + Short.toUnsignedInt(b.getShort(MAGIC.length));
        if (start > bytes.length) throw new IOException(file + " ends in its header");
        String header = new String(bytes, MAGIC.length + 2, start - MAGIC.length - 2, StandardCharsets.ISO_8859_1);
        Matcher m = HEADER.matcher(header.strip());
        if (!m.matches()) throw new IOException(file + " has a header that is not understood: " + header.strip());
        List<Long> dims = new ArrayList<>();
        for (String d : m.group(3).split("[, ]+")) if (!d.isEmpty()) dims.add(Long.parseLong(d));
        Shape shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
        boolean fits = m.group(1).equals(descr(type.dtype())) && m.group(2).equals("False");
        int width = width(type.dtype());
        if (!fits || !shape.equals(type.shape()) || bytes.length - start != type.numel() * width) {
            throw new IOException(file + " is '" + m.group(1) + "' " + shape + " of " + (bytes.length - start)
                    + " bytes, but the program takes " + type + ": '" + descr(type.dtype()) + "' " + type.shape()
                    + " in row-major order");
        }
        ByteBuffer data = b.slice(start, bytes.length - start).order(ByteOrder.LITTLE_ENDIAN);
        return switch (type.dtype()) {
            case F64 -> RefArray.of(type, i -> data.getDouble(i * width));
            case F32, BF16 -> RefArray.of(type, i -> data.getFloat(i * width));
            case F16 -> RefArray.of(type, i -> Float.float16ToFloat(data.getShort(i * width)));
            case I64 -> RefArray.ofLongs(type, i -> data.getLong(i * width));
            case I32 -> RefArray.ofLongs(type, i -> data.getInt(i * width));
            case I16 -> RefArray.ofLongs(type, i -> data.getShort(i * width));
            case I8, U8, BOOL -> RefArray.ofLongs(type, i -> data.get(i));
        };
    }
}
