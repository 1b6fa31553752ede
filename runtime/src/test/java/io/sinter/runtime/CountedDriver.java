// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;

/** A driver that counts calls by name, and can be told to fail. */
final class CountedDriver {
    final GpuDriver driver;
    private final Map<String, Integer> calls = new TreeMap<>();
    private String failing = "";

    CountedDriver(GpuDriver of) {
        driver = (GpuDriver) Proxy.newProxyInstance(
                GpuDriver.class.getClassLoader(), new Class<?>[] {GpuDriver.class}, (_, method, args) -> {
                    String name = name(method);
                    calls.merge(name, 1, Integer::sum);
                    if (name.equals(failing)) throw new GpuFaultException("CUDA_ERROR_ILLEGAL_ADDRESS (700)");
                    try {
                        return method.invoke(of, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static String name(Method m) {
        boolean graph = m.getName().equals("launch") && m.getParameterTypes()[1] == GpuDriver.Graph.class;
        return graph ? "launchGraph" : m.getName();
    }

    /** How often a method was called since the last {@link #reset}. */
    int calls(String name) {
        return calls.getOrDefault(name, 0);
    }

    void reset() {
        calls.clear();
    }

    /** From now on this method throws. */
    void fail(String name) {
        failing = name;
    }
}
