// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import java.util.List;

/** Makes exceptions whose messages end with the user's source line. */
final class Errors {
    private Errors() {}

    /** Bad arguments of a call: {@code name(operand types): problem; what to do}. */
    static TensorException argument(String name, List<Type> operands, String problem) {
        return new TensorException(
                withLine(OpException.of(name, operands, problem).getMessage()), null);
    }

    static TensorException argument(String name, Tensor operand, String problem) {
        return argument(name, List.of(operand.type()), problem);
    }

    static TensorException argument(String name, Tensor a, Tensor b, String problem) {
        return argument(name, List.of(a.type(), b.type()), problem);
    }

    /** Bad arguments of a call that has no tensor operands. */
    static TensorException argument(String message) {
        return new TensorException(withLine(message), null);
    }

    static TensorException wrap(OpException e) {
        return new TensorException(withLine(e.getMessage()), e);
    }

    /** A call that the state of its tensors forbids. */
    static IllegalStateException state(String message) {
        return new IllegalStateException(withLine(message));
    }

    private static String withLine(String message) {
        return message + "\n    at " + SourceLine.ofCaller();
    }
}
