// SPDX-License-Identifier: Apache-2.0

/**
 * What runs of programs took: {@link io.sinter.runtime.profile.Profile} is filled by executables while a session has one,
 * {@link io.sinter.runtime.profile.Report} adds it up, {@link io.sinter.runtime.profile.ChromeTrace} writes it as a time line.
 */
package io.sinter.runtime.profile;
