// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** Matrix products that somebody else has written for a GPU. */
interface MatmulLibrary extends AutoCloseable {
    /** Its name and version. */
    String name();

    /** Whether it can do this product. */
    boolean takes(MatmulProblem problem);

    /**
     * Queues a product on the stream that the library was opened for. Addresses are the device's.
     *
     * @param bias address of the vector that is added; 0 if there is none
     * @param kept address of what the activation is applied to; 0 if that is no result
     */
    void multiply(MatmulProblem problem, long a, long b, long c, long bias, long kept);

    @Override
    void close();
}
