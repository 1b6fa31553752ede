// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;

/**
 * A project of somebody who uses the library, in a folder of its own, with a local Maven repository of its own where the library of
 * this tree is installed. Everything else comes from the repository that this build used, so nothing is downloaded that the build did
 * not need itself.
 */
final class UserProject {
    /** The poms that {@code ./sinter install} installs, by artifact; those with classes have a jar. */
    private static final Map<String, String> LIBRARY = Map.of(
            "sinter-parent", "",
            "sinter-ir", "ir",
            "sinter-codegen-jvm", "codegen-jvm",
            "sinter-codegen-ptx", "codegen-ptx",
            "sinter-runtime", "runtime",
            "sinter-frontend", "frontend",
            "sinter", "frontend/core");

    /** How a process ended, and what it printed. */
    record Result(int status, String text) {}

    private final Path folder;
    private final Path repository;
    private final Path settings;

    /** Makes an empty project in {@code folder} and installs the library beside it. */
    UserProject(Path folder, Path repository) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.repository = repository;
        this.settings = repository.resolveSibling("settings.xml");
        String version = version();
        for (Map.Entry<String, String> artifact : LIBRARY.entrySet()) {
            Path module = House.root().resolve(artifact.getValue());
            install(
                    artifact.getKey(),
                    version,
                    Files.readString(module.resolve("pom.xml")),
                    module.resolve("target/classes"));
        }
        String near = "<id>near</id><url>"
                + Path.of(property("sinter.maven.repository")).toUri() + "</url>"
                + "<releases><checksumPolicy>ignore</checksumPolicy></releases>"
                + "<snapshots><enabled>false</enabled></snapshots>";
        Files.writeString(settings, """
                <settings>
                  <profiles>
                    <profile>
                      <id>near</id>
                      <repositories><repository>%1$s</repository></repositories>
                      <pluginRepositories><pluginRepository>%1$s</pluginRepository></pluginRepositories>
                    </profile>
                  </profiles>
                  <activeProfiles><activeProfile>near</activeProfile></activeProfiles>
                </settings>
                """.formatted(near));
    }

    /** The version that this tree builds. */
    static String version() throws IOException {
        Matcher version = Pattern.compile("<artifactId>sinter-parent</artifactId>\\s*<version>([^<]+)</version>")
                .matcher(Files.readString(House.root().resolve("pom.xml")));
        if (!version.find()) {
            throw new IllegalStateException("the parent pom has no version");
        }
        return version.group(1);
    }

    Path folder() {
        return folder;
    }

    /** Writes a file of the project. */
    void write(String file, String text) throws IOException {
        Path path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    /** Installs an artifact of group io.sinter: its pom, and a jar of {@code classes} where that folder is. */
    void install(String artifact, String version, String pom, Path classes) throws IOException {
        Path there = Files.createDirectories(
                repository.resolve("io/sinter").resolve(artifact).resolve(version));
        String name = artifact + "-" + version;
        Files.writeString(there.resolve(name + ".pom"), pom);
        if (Files.isDirectory(classes)) {
            StringWriter said = new StringWriter();
            PrintWriter out = new PrintWriter(said);
            String jar = there.resolve(name + ".jar").toString();
            ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
            if (tool.run(out, out, "--create", "--file", jar, "-C", classes.toString(), ".") != 0) {
                throw new IOException("cannot make " + jar + ": " + said);
            }
        }
    }

    /** Runs Maven in the project as its user would. */
    Result maven(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(property("sinter.maven.home"), "bin", "mvn").toString()));
        addArguments(command, arguments);
        return run(command);
    }

    /** Runs Maven in the project as a user of another operating system would; see {@link MavenElsewhere}. */
    Result mavenOn(String osName, String osArch, String... arguments) throws IOException, InterruptedException {
        String home = property("sinter.maven.home");
        String tests = Path.of(MavenElsewhere.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath())
                .toString();
        List<String> command = new ArrayList<>(List.of(
                java(),
                "-Dmaven.home=" + home,
                "-Dmaven.multiModuleProjectDirectory=" + folder,
                "-cp",
                String.join(File.pathSeparator, home + "/lib/*", home + "/boot/*", tests),
                MavenElsewhere.class.getName(),
                osName,
                osArch));
        addArguments(command, arguments);
        return run(command);
    }

    private void addArguments(List<String> command, String... arguments) {
        command.addAll(List.of("-B", "-s", settings.toString(), "-Dmaven.repo.local=" + repository));
        command.addAll(List.of(arguments));
    }

    /** The {@code java} command of the JDK that runs this test. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Runs a command in the project's folder. */
    Result run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("MAVEN_") || name.startsWith("JAVA_"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), text);
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("-D" + name + " is not set: Maven sets it (see tests/pom.xml)");
        }
        return value;
    }
}
