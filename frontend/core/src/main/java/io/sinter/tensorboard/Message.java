// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A protocol buffer, field by field. TensorBoard's messages are few and small: they are written by their field numbers, without generated classes. */
final class Message {
    private interface Field {
        void write(CodedOutputStream out) throws IOException;
    }

    private final ByteString.Output bytes = ByteString.newOutput();
    private final CodedOutputStream out = CodedOutputStream.newInstance(bytes);

    private Message add(Field field) {
        try {
            field.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory has none
        }
        return this;
    }

    Message number(int field, double value) {
        return add(o -> o.writeDouble(field, value));
    }

    Message single(int field, float value) {
        return add(o -> o.writeFloat(field, value));
    }

    Message integer(int field, long value) {
        return add(o -> o.writeInt64(field, value));
    }

    Message bool(int field, boolean value) {
        return add(o -> o.writeBool(field, value));
    }

    Message text(int field, String value) {
        return add(o -> o.writeString(field, value));
    }

    Message bytes(int field, ByteString value) {
        return add(o -> o.writeBytes(field, value));
    }

    Message message(int field, Message value) {
        return bytes(field, value.toBytes());
    }

    /** A packed list. */
    Message numbers(int field, double[] values) {
        return add(o -> {
            o.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            o.writeUInt32NoTag(8 * values.length);
            for (double v : values) o.writeDoubleNoTag(v);
        });
    }

    ByteString toBytes() {
        add(CodedOutputStream::flush);
        return bytes.toByteString();
    }
}
