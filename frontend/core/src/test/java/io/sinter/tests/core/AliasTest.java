// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static io.sinter.Index.ALL;
import static io.sinter.Index.END;
import static io.sinter.Index.slice;
import static io.sinter.Sinter.noGrad;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.Autograd;
import io.sinter.Tensor;
import org.junit.jupiter.api.Test;

/** Views and in-place writes alias as in PyTorch. */
class AliasTest {
    private static void values(Tensor x, double... expected) {
        assertArrayEquals(expected, x.toDoubles());
    }

    @Test
    void writingToAViewChangesItsBase() {
        Tensor x = Tensor.zeros(2, 3);
        Tensor y = x.get(0);
        y.add_(1);
        values(x, 1, 1, 1, 0, 0, 0);
        x.get(ALL, 2).fill_(7);
        values(y, 1, 1, 7);
        values(x, 1, 1, 7, 0, 0, 7);
    }

    @Test
    void writingToTheBaseChangesViewsOfViews() {
        Tensor x = Tensor.arange(6).reshape(2, 3);
        Tensor y = x.transpose(0, 1).get(slice(1, END)).reshape(-1);
        values(y, 1, 4, 2, 5);
        x.mul_(10);
        values(y, 10, 40, 20, 50);
        y.get(0).zero_();
        values(x, 0, 0, 20, 30, 40, 50);
    }

    @Test
    void slicesWithStepsAreWrittenThrough() {
        Tensor x = Tensor.zeros(6);
        x.get("1::2").copy_(Tensor.of(1.0, 2.0, 3.0));
        x.get("::-1").get("0").add_(10);
        values(x, 0, 1, 0, 2, 0, 13);
    }

    @Test
    void theDiagonalIsAView() {
        Tensor x = Tensor.zeros(3, 4);
        x.diagonal().fill_(1);
        x.diagonal(-1, 0, 1).fill_(2);
        values(x, 1, 0, 0, 0, 2, 1, 0, 0, 0, 2, 1, 0);
    }

    @Test
    void masksAndIndexTensorsAreWrittenInPlaceButReadAsCopies() {
        Tensor x = Tensor.arange(6).reshape(2, 3);
        Tensor copy = x.get(new int[] {1, 0});
        x.at(x.gt(3)).set(-1);
        values(x, 0, 1, 2, 3, -1, -1);
        values(copy, 3, 4, 5, 0, 1, 2);
        x.at(new int[] {0, 1}, new int[] {2, 0}).set(Tensor.of(8, 9));
        values(x, 0, 1, 8, 9, -1, -1);
        x.at(ALL, new int[] {0, 0}).add(Tensor.of(1, 1));
        values(x, 2, 1, 8, 11, -1, -1);
    }

    @Test
    void aCloneIsIndependentBothWays() {
        Tensor x = Tensor.of(1.0, 2.0);
        Tensor y = x.clone();
        y.add_(1);
        values(x, 1, 2);
        x.mul_(5);
        values(y, 2, 3);
        values(x, 5, 10);
    }

    @Test
    void detachSharesElements() {
        Tensor x = Tensor.of(1.0, 2.0);
        Tensor d = x.detach();
        d.add_(1);
        values(x, 2, 3);
        x.get(0).fill_(9);
        values(d, 9, 3);
    }

    @Test
    void expandedTensorsAreNotWritten() {
        Tensor x = Tensor.zeros(3, 1).expand(3, 4);
        String message =
                assertThrows(IllegalStateException.class, () -> x.add_(1)).getMessage();
        assertTrue(message.contains("clone()"), message);
    }

    @Test
    void aSliceOfASliceKeepsItsOffset() {
        Tensor x = Tensor.arange(10);
        values(x.get("2:9").get("1:").get("::2"), 3, 5, 7);
        x.narrow(0, 4, 3).narrow(0, 1, 1).fill_(0);
        values(x, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9);
    }

    @Test
    void gradientsFlowThroughWritesToViews() {
        Tensor w = Tensor.of(1.0, 2.0, 3.0, 4.0).requiresGrad_();
        Tensor x = w.mul(2);
        Tensor view = x.get("1:3");
        view.mul_(10);
        values(view.detach(), 40, 60);
        x.sum().backward();
        values(w.grad(), 2, 20, 20, 2);
    }

    @Test
    void aViewFollowsTheHistoryOfItsBase() {
        Tensor w = Tensor.of(3.0).requiresGrad_();
        Tensor x = Tensor.of(1.0, 2.0);
        Tensor view = x.get(1);
        x.mul_(w);
        assertTrue(view.requiresGrad());
        view.backward();
        values(w.grad(), 2);
    }

    @Test
    void overwrittenValuesGetNoGradient() {
        Tensor w = Tensor.of(1.0, 2.0, 3.0).requiresGrad_();
        Tensor x = w.mul(2);
        x.at(1).set(Tensor.of(5.0).reshape(new long[0]));
        x.sum().backward();
        values(w.grad(), 2, 0, 2);
    }

    @Test
    void leavesThatRequireGradientsAreWrittenOnlyWithoutTape() {
        Tensor w = Tensor.of(1.0).requiresGrad_();
        assertThrows(IllegalStateException.class, () -> w.add_(1));
        assertThrows(IllegalStateException.class, () -> w.get(0).add_(1));
        try (Autograd.Scope _ = noGrad()) {
            w.add_(1);
        }
        values(w, 2);
        assertTrue(w.isLeaf() && w.requiresGrad());
    }

    @Test
    void shapeAndDtypeMustFitInPlace() {
        Tensor x = Tensor.of(1, 2);
        assertThrows(IllegalArgumentException.class, () -> x.add_(0.5));
        assertThrows(IllegalArgumentException.class, () -> x.add_(Tensor.zeros(new long[] {3, 2}, x.dtype())));
        x.copy_(Tensor.of(7.9, 8.1));
        values(x, 7, 8);
        assertEquals("i64", x.dtype().toString());
    }
}
