// SPDX-License-Identifier: Apache-2.0
package io.sinter.tensorboard;

import java.util.Objects;

/**
 * How a {@link SummaryWriter} writes.
 *
 * @param purgeStep a run that goes on from a checkpoint: what earlier files of the folder say of this step and later ones is void; null: nothing is
 * @param filenameSuffix end of the files' names
 * @param flushSeconds events reach the file after so many seconds at most, if others follow; {@link SummaryWriter#flush} sends them at once
 */
public record WriterOptions(Long purgeStep, String filenameSuffix, long flushSeconds) {
    /** A run from the beginning, flushed every two minutes. */
    public static final WriterOptions DEFAULT = new WriterOptions(null, "", 120);

    public WriterOptions {
        Objects.requireNonNull(filenameSuffix, "filenameSuffix");
        if (purgeStep != null && purgeStep < 0)
            throw new IllegalArgumentException("purgeStep must not be negative: " + purgeStep);
        if (flushSeconds < 0) throw new IllegalArgumentException("flushSeconds must not be negative: " + flushSeconds);
    }

    /** For a run that goes on at {@code step}. */
    public WriterOptions withPurgeStep(long step) {
        return new WriterOptions(step, filenameSuffix, flushSeconds);
    }

    /** With another end of the files' names. */
    public WriterOptions withFilenameSuffix(String suffix) {
        return new WriterOptions(purgeStep, suffix, flushSeconds);
    }

    /** With another time after which events are in the file. */
    public WriterOptions withFlushSeconds(long seconds) {
        return new WriterOptions(purgeStep, filenameSuffix, seconds);
    }
}
