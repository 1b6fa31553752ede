// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * A call to a GPU's driver failed, or a kernel did; the message gives the driver's name of the error. Kernels run on their own time: their
 * faults are thrown by whatever waits for them. With {@code -Dsinter.gpu.wait=true} each kernel is waited for, and a fault names it and the source
 * lines whose results it works on.
 */
public final class GpuFaultException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GpuFaultException(String message) {
        super(message);
    }

    GpuFaultException(String message, GpuFaultException cause) {
        super(message, cause);
    }
}
