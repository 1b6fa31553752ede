// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;

/** JCuda's objects for pointers and handles, which keep their numbers to their subclasses. */
final class CudaHandles {
    private CudaHandles() {}

    /** Memory of the device. */
    static final class DeviceMemory extends CUdeviceptr {
        long address() {
            return getNativePointer() + getByteOffset();
        }

        static CUdeviceptr at(long address) {
            return new CUdeviceptr().withByteOffset(address);
        }
    }

    /** Memory of the host. */
    static final class HostMemory extends Pointer {
        HostMemory() {}

        private HostMemory(long address) {
            super(address);
        }

        long address() {
            return getNativePointer();
        }

        static Pointer at(long address) {
            return new HostMemory(address);
        }
    }

    static final class Stream extends CUstream implements GpuDriver.Stream {
        long handle() {
            return getNativePointer();
        }
    }

    static final class Function extends CUfunction implements GpuDriver.Function {
        private final String name;
        /** Dynamic shared memory that it has been allowed: what needs no permission depends on how much it has besides. */
        int sharedBytes;

        Function(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        long handle() {
            return getNativePointer();
        }
    }

    static final class Event extends jcuda.driver.CUevent implements GpuDriver.Event {}

    static final class Graph extends jcuda.driver.CUgraphExec implements GpuDriver.Graph {}
}
