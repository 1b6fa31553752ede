// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import java.io.PrintStream;

/**
 * Runs Maven in this process as if the operating system were another one: what it resolves is then what a user of that system gets,
 * because profiles of libraries (their natives) are chosen by the system's name. Only Maven's own idea of the system is changed; the
 * JDK's would break the JVM.
 *
 * <p>Started as a program, with Maven's libraries on the class path: {@code MavenElsewhere OS_NAME OS_ARCH ARGUMENT...}.
 */
final class MavenElsewhere {
    private MavenElsewhere() {}

    /** Runs Maven with the arguments after the first two, which name the system, and ends with its exit status. */
    public static void main(String[] args) throws ReflectiveOperationException {
        String name = System.setProperty("os.name", args[0]);
        String arch = System.setProperty("os.arch", args[1]);
        // This class reads the two properties once, when it is initialised.
        Class.forName("org.codehaus.plexus.util.Os");
        System.setProperty("os.name", name);
        System.setProperty("os.arch", arch);

        String[] arguments = new String[args.length - 2];
        System.arraycopy(args, 2, arguments, 0, arguments.length);
        Class<?> cli = Class.forName("org.apache.maven.cli.MavenCli");
        Object status = cli.getMethod("doMain", String[].class, String.class, PrintStream.class, PrintStream.class)
                .invoke(
                        cli.getConstructor().newInstance(),
                        arguments,
                        System.getProperty("user.dir"),
                        System.out,
                        System.err);
        System.exit((Integer) status);
    }
}
