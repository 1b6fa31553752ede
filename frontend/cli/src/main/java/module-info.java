// SPDX-License-Identifier: Apache-2.0

/** The commands behind the launcher. */
module io.sinter.cli {
    requires io.sinter;
    requires io.sinter.codegen.ptx;
    requires com.fasterxml.jackson.databind;
    requires info.picocli;
    requires java.logging;
    requires java.management;
    requires jdk.management;
    requires me.tongfei.progressbar;

    opens io.sinter.cli to
            info.picocli;
    opens io.sinter.cli.conformance to
            info.picocli;
    opens io.sinter.cli.dump to
            info.picocli;
    opens io.sinter.cli.bench to
            info.picocli,
            io.sinter;
}
