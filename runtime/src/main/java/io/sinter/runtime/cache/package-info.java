// SPDX-License-Identifier: Apache-2.0

/**
 * Compiled programs on disk: what a program is stored under ({@link io.sinter.runtime.cache.CacheKey}), the file format
 * ({@link io.sinter.runtime.cache.Entry}), folders of entries ({@link io.sinter.runtime.cache.Tier}), the two of them that a session looks in
 * ({@link io.sinter.runtime.cache.DiskCache}), and bundles for other machines ({@link io.sinter.runtime.cache.Bundle}).
 */
package io.sinter.runtime.cache;
