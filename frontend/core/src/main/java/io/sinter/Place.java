// SPDX-License-Identifier: Apache-2.0
package io.sinter;

/** Elements of a tensor, to be written in place: what {@code x.at(…)} gives. */
public final class Place {
    private final Tensor tensor;
    private final IndexPath path;

    Place(Tensor tensor, IndexPath path) {
        this.tensor = tensor;
        this.path = path;
    }

    /** Writes {@code value}, broadcast and converted. Returns the tensor that was indexed. */
    public Tensor set(Tensor value) {
        path.write(value, false);
        return tensor;
    }

    public Tensor set(double value) {
        return set(Operators.number(tensor, value).to(tensor.dtype()));
    }

    public Tensor set(long value) {
        return set(Operators.number(tensor, value).to(tensor.dtype()));
    }

    public Tensor set(boolean value) {
        return set(value ? 1L : 0L);
    }

    /**
     * Adds {@code value}, broadcast; positions that occur several times add up ({@code index_put_} with
     * accumulate).
     */
    public Tensor add(Tensor value) {
        path.write(value, true);
        return tensor;
    }
}
