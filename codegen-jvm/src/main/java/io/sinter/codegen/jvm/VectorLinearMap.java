// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.bytecode.Code.add;
import static io.sinter.codegen.jvm.bytecode.Code.constant;
import static io.sinter.codegen.jvm.bytecode.Code.mul;

import io.sinter.codegen.jvm.bytecode.Block;
import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.codegen.jvm.bytecode.MethodBuilder;
import io.sinter.ir.DType;
import java.util.List;
import org.objectweb.asm.Type;

/** Generates a {@link LinearMap} of f32 in the Vector API. */
final class VectorLinearMap {
    private final float[][] matrix;
    private final Species species;
    private final ClassBuilder cls;

    private VectorLinearMap(String className, WinogradMatrix matrix, int bits) {
        this.matrix = matrix.coefficients();
        this.species = new Species(DType.F32, bits / 32);
        this.cls = new ClassBuilder(className, "io/sinter/codegen/jvm/LinearMap", null);
    }

    /** The class file of a subclass of {@link LinearMap}. */
    static byte[] generate(String className, WinogradMatrix matrix, int bits) {
        return new VectorLinearMap(className, matrix, bits).generate();
    }

    private byte[] generate() {
        MethodBuilder m = cls.method("apply", Type.VOID_TYPE);
        LocalVar from = m.parameter("from", Type.LONG_TYPE);
        LocalVar fromStep = m.parameter("fromStep", Type.LONG_TYPE);
        LocalVar fromNext = m.parameter("fromNext", Type.LONG_TYPE);
        LocalVar to = m.parameter("to", Type.LONG_TYPE);
        LocalVar toStep = m.parameter("toStep", Type.LONG_TYPE);
        LocalVar toNext = m.parameter("toNext", Type.LONG_TYPE);
        LocalVar runs = m.parameter("runs", Type.INT_TYPE);
        LocalVar vectors = m.parameter("vectors", Type.INT_TYPE);
        MethodBuilder run = run();
        LocalVar r = m.local("r", Type.INT_TYPE);
        Block step = new Block()
                .add(run.call(List.of(from, fromStep, to, toStep, vectors)))
                .add(from.set(add(from, fromNext)), to.set(add(to, toNext)));
        m.body().forLoop(r, constant(0), runs, 1, step);
        return cls.toBytes();
    }

    private MethodBuilder run() {
        MethodBuilder m = cls.staticMethod("run", Type.VOID_TYPE);
        LocalVar from = m.parameter("from", Type.LONG_TYPE);
        LocalVar fromStep = m.parameter("fromStep", Type.LONG_TYPE);
        LocalVar to = m.parameter("to", Type.LONG_TYPE);
        LocalVar toStep = m.parameter("toStep", Type.LONG_TYPE);
        LocalVar vectors = m.parameter("vectors", Type.INT_TYPE);
        int columns = matrix[0].length;
        Block body = new Block();
        LocalVar[] x = new LocalVar[columns];
        for (int j = 0; j < columns; j++) {
            LocalVar start = m.local("from" + j, Type.LONG_TYPE);
            m.body().add(start.set(add(from, mul(constant((long) j), fromStep))));
            x[j] = m.local("x" + j, species.vectorType());
            body.add(x[j].set(Vec.load(species, start, null).code()));
            body.add(start.set(add(start, constant((long) species.bits() / 8))));
        }
        for (int i = 0; i < matrix.length; i++) {
            LocalVar start = m.local("to" + i, Type.LONG_TYPE);
            m.body().add(start.set(add(to, mul(constant((long) i), toStep))));
            body.add(combine(matrix[i], x).store(start, null));
            body.add(start.set(add(start, constant((long) species.bits() / 8))));
        }
        LocalVar v = m.local("v", Type.INT_TYPE);
        m.body().forLoop(v, constant(0), vectors, 1, body);
        return m;
    }

    private Vec combine(float[] row, LocalVar[] x) {
        Vec sum = null;
        for (int j : WinogradMatrix.terms(row)) {
            Vec term = new Vec(species, x[j]);
            Vec factor = Vec.broadcast(species, Code.constant(row[j]));
            if (sum == null) sum = row[j] == 1 ? term : factor.mul(term);
            else if (row[j] == 1) sum = sum.add(term);
            else if (row[j] == -1) sum = sum.sub(term);
            else sum = factor.fma(term, sum);
        }
        return sum;
    }
}
