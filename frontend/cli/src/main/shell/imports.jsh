// SPDX-License-Identifier: Apache-2.0
// What ./sinter shell imports.
import io.sinter.*;
import io.sinter.nn.*;
import io.sinter.optim.*;
