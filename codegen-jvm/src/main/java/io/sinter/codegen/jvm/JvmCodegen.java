// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.ClassBuilder;
import io.sinter.gen.SinterKernelHost;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.store.FormatException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.util.Textifier;
import org.objectweb.asm.util.TraceClassVisitor;

/**
 * The JVM code generator: kernels to class files, and class files to callable kernels.
 *
 * <p>Generated classes are hidden, so they are collected with their last kernel. With {@code
 * -Dsinter.debug.classes=true} each is defined by a class loader of its own instead, which makes it visible
 * in stack traces, with line numbers of the kernel's listing.
 */
public final class JvmCodegen {
    /** Of vector operations: see {@link #emit}. */
    private static final int LONGEST_CHAIN = 32;

    static final String PREFIX = "io/sinter/gen/SinterKernel_";
    private static final String SUPERCLASS = "io/sinter/codegen/jvm/JvmKernel";

    private JvmCodegen() {}

    /**
     * Generates the class of a kernel. The same kernel and options give the same bytes.
     *
     * @throws MethodTooLargeException if a piece of it exceeds what HotSpot compiles
     */
    public static GeneratedClass generate(Kernel kernel, Options options) {
        return generate(kernel, options, kernel.name() + ".loop");
    }

    /**
     * As {@link #generate(Kernel, Options)}.
     *
     * @param source name of the file whose lines the class's line table names: the {@linkplain
     *     io.sinter.ir.loop.KernelText#print listing} of the kernel
     */
    public static GeneratedClass generate(Kernel kernel, Options options, String source) {
        return generate(kernel, options, source, LoopFission.BUDGETS);
    }

    /** As {@link #generate(Kernel, Options)}, with other sizes of loop bodies to try. */
    static GeneratedClass generate(Kernel kernel, Options options, List<Integer> budgets) {
        return generate(kernel, options, kernel.name() + ".loop", budgets);
    }

    private static GeneratedClass generate(Kernel kernel, Options options, String source, List<Integer> budgets) {
        String name = PREFIX + kernel.name().replaceAll("[^A-Za-z0-9_]", "_");
        byte[] bytes =
                switch (kernel) {
                    case LoopKernel k -> loops(k, name, source, options, budgets);
                    case GemmKernel k ->
                        emit(options, k.epilogue(), () -> {
                            ClassBuilder c = new ClassBuilder(name, GemmEmitter.SUPERCLASS, source);
                            new GemmEmitter(k, c, options).emit();
                            return c.toBytes();
                        });
                    case AttentionKernel k ->
                        emit(options, List.of(), () -> {
                            ClassBuilder c = new ClassBuilder(name, AttentionEmitter.SUPERCLASS, source);
                            new AttentionEmitter(k, c, options).emit();
                            return c.toBytes();
                        });
                };
        return new GeneratedClass(name, bytes);
    }

    /**
     * The class file of a loop kernel, its loop bodies cut into as few pieces as HotSpot's limit on methods
     * allows, and its tasks one by one where two are too much for one.
     */
    private static byte[] loops(LoopKernel kernel, String name, String source, Options options, List<Integer> budgets) {
        for (int budget : budgets) {
            for (boolean pairs : new boolean[] {true, false}) {
                try {
                    return emit(options, kernel.body(), () -> {
                        ClassBuilder c = new ClassBuilder(name, SUPERCLASS, source);
                        new LoopEmitter(kernel, c, options, budget, pairs).emit();
                        return c.toBytes();
                    });
                } catch (MethodTooLargeException e) {
                    if (budget == budgets.getLast() && !pairs) throw e;
                }
            }
        }
        throw new AssertionError("no budgets");
    }

    /**
     * A class file with calls of intrinsics, if they are asked for and C2 is quicker with them: no method becomes too large by them (they take three times the bytecode), and few wait for
     * each other. C2 expands one of a chain in a round over the method: 20 additions take it 7 ms (24 by the Vector API), 50 take 36 (15), 150 take 1,100 (50).
     */
    private static byte[] emit(Options options, List<Stmt> body, Supplier<byte[]> code) {
        if (options.intrinsics() && DependencyChain.longest(body) <= LONGEST_CHAIN) {
            try {
                return Intrinsics.used(true, code);
            } catch (MethodTooLargeException e) {
                // The Vector API's calls may fit.
            }
        }
        return Intrinsics.used(false, code);
    }

    /**
     * Defines a generated class and makes its kernel.
     *
     * @throws IllegalStateException if the JVM rejects the class: a fault of the generator (the message holds
     *     the listing), or a damaged cache
     */
    public static JvmKernel define(GeneratedClass generated) {
        return instance(generated, JvmKernel.class);
    }

    /** As {@link #define}, of a class that extends {@code type}. */
    static <T> T instance(GeneratedClass generated, Class<T> type) {
        try {
            MethodHandles.Lookup host = SinterKernelHost.lookup();
            if (Boolean.getBoolean("sinter.debug.classes")) {
                Class<?> visible = new DebugLoader(host.lookupClass().getClassLoader()).define(generated);
                return type.cast(visible.getConstructor().newInstance());
            }
            MethodHandles.Lookup hidden = host.defineHiddenClass(generated.bytes(), true);
            return type.cast(hidden.findConstructor(hidden.lookupClass(), MethodType.methodType(void.class))
                    .invoke());
        } catch (Throwable e) {
            throw new IllegalStateException(
                    "the JVM rejects generated class " + generated.className() + ": " + e + "\n" + listing(generated),
                    e);
        }
    }

    /** Generates and defines. */
    public static JvmKernel compile(Kernel kernel, Options options) {
        return define(generate(kernel, options));
    }

    /**
     * What class files depend on besides the kernel and the generator: the release of Java (the Vector API is
     * still incubating), the width of vectors and whether intrinsics are called. How work is cut to fit caches and processors is decided when a kernel runs.
     */
    public static String target(Options options) {
        return "java" + Runtime.version().feature() + "-v" + options.vectorBits() + (options.intrinsics() ? "-i" : "");
    }

    /**
     * Whether a class file from elsewhere may be a generated kernel: see {@link ClassCheck}. The JVM verifies its code when it is defined.
     *
     * @throws FormatException if it calls what no generated kernel calls
     */
    public static void check(GeneratedClass generated) {
        ClassCheck.check(generated);
    }

    /** As {@link #check}, of a class that may also be one that kernels share: for who looks at stored classes without running them. */
    public static void checkAny(GeneratedClass generated) {
        ClassCheck.checkAny(generated);
    }

    /**
     * Makes and runs a kernel that touches no memory but its own: loads and initialises the Vector API and, if
     * the kernel has to be generated, the generator; then what plans launches, and what products of f32 share, which few networks do without. That takes 300 ms and
     * is best done on another thread while the first program is traced.
     *
     * @param compile makes the kernel, from a cache or by {@link #compile}
     */
    public static void initialise(Function<? super Kernel, ? extends JvmKernel> compile) {
        Buf out = new Buf(1, DType.F32, Buf.Kind.OUT);
        Var i = new Var("i", Coef.of(100));
        Index at = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(i))), Coef.of(0));
        Expr value = Expr.un(Prim1.EXP, new Expr.Convert(DType.F32, new Expr.IndexValue(DType.I32, at)));
        Stmt loop = new Stmt.Loop(i, Stmt.Loop.Kind.VECTOR, List.of(new Stmt.Store(out, at, value)));
        JvmKernel kernel = compile.apply(new LoopKernel("initialise", List.of(), List.of(out), 2, 0, List.of(loop)));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = arena.allocate(16, 64);
            params.setAtIndex(ValueLayout.JAVA_LONG, 1, arena.allocate(400, 64).address());
            long scratch =
                    arena.allocate(kernel.scratchBytes(params.address()), 64).address();
            kernel.run(0, params.address(), 0, kernel.tasks(0, params.address()), scratch, 0);
        }
        Planners.load();
        GemmTileSets.of(DType.F32, Options.preferred().vectorBits());
        WinogradMatrix.loadKept(Options.preferred().vectorBits());
    }

    /** The bytecode as text. */
    public static String listing(GeneratedClass generated) {
        StringWriter text = new StringWriter();
        new ClassReader(generated.bytes())
                .accept(new TraceClassVisitor(null, new Textifier(), new PrintWriter(text)), 0);
        return text.toString();
    }

    /** Makes one generated class visible to stack traces and debuggers. */
    private static final class DebugLoader extends ClassLoader {
        DebugLoader(ClassLoader parent) {
            super(parent);
        }

        Class<?> define(GeneratedClass c) {
            return defineClass(c.className().replace('/', '.'), c.bytes(), 0, c.bytes().length);
        }
    }
}
