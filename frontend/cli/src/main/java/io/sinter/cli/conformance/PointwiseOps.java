// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Functions of one and two elements. */
final class PointwiseOps {
    private PointwiseOps() {}

    private static final Map<String, UnaryOperator<Tensor>> UNARY = Map.ofEntries(
            Map.entry("abs", Tensor::abs),
            Map.entry("acos", Tensor::acos),
            Map.entry("acosh", Tensor::acosh),
            Map.entry("asin", Tensor::asin),
            Map.entry("asinh", Tensor::asinh),
            Map.entry("atan", Tensor::atan),
            Map.entry("atanh", Tensor::atanh),
            Map.entry("bitwise_not", Tensor::bitwiseNot),
            Map.entry("ceil", Tensor::ceil),
            Map.entry("cos", Tensor::cos),
            Map.entry("cosh", Tensor::cosh),
            Map.entry("deg2rad", Tensor::deg2rad),
            Map.entry("digamma", Tensor::digamma),
            Map.entry("erf", Tensor::erf),
            Map.entry("erfc", Tensor::erfc),
            Map.entry("erfinv", Tensor::erfinv),
            Map.entry("exp", Tensor::exp),
            Map.entry("exp2", Tensor::exp2),
            Map.entry("expm1", Tensor::expm1),
            Map.entry("floor", Tensor::floor),
            Map.entry("frac", Tensor::frac),
            Map.entry("isfinite", Tensor::isfinite),
            Map.entry("isinf", Tensor::isinf),
            Map.entry("isnan", Tensor::isnan),
            Map.entry("isneginf", Tensor::isneginf),
            Map.entry("isposinf", Tensor::isposinf),
            Map.entry("lgamma", Tensor::lgamma),
            Map.entry("log", Tensor::log),
            Map.entry("log10", Tensor::log10),
            Map.entry("log1p", Tensor::log1p),
            Map.entry("log2", Tensor::log2),
            Map.entry("logical_not", Tensor::logicalNot),
            Map.entry("neg", Tensor::neg),
            Map.entry("positive", Tensor::positive),
            Map.entry("rad2deg", Tensor::rad2deg),
            Map.entry("reciprocal", Tensor::reciprocal),
            Map.entry("rsqrt", Tensor::rsqrt),
            Map.entry("sgn", Tensor::sgn),
            Map.entry("sigmoid", Tensor::sigmoid),
            Map.entry("sign", Tensor::sign),
            Map.entry("signbit", Tensor::signbit),
            Map.entry("sin", Tensor::sin),
            Map.entry("sinc", Tensor::sinc),
            Map.entry("sinh", Tensor::sinh),
            Map.entry("sqrt", Tensor::sqrt),
            Map.entry("square", Tensor::square),
            Map.entry("tan", Tensor::tan),
            Map.entry("tanh", Tensor::tanh),
            Map.entry("trunc", Tensor::trunc));

    static void register(Registry r) {
        UNARY.forEach(r::unary);
        r.add("round", a -> a.x().round(a.axis(-1, "decimals", 0)));
        r.add("logit", a -> a.given(1, "eps") ? a.x().logit(a.number(1, "eps")) : a.x().logit());
        r.add("nan_to_num", a -> {
            double max =
                    switch (a.x().dtype()) {
                        case F64 -> Double.MAX_VALUE;
                        case F16 -> 65504;
                        default -> Float.MAX_VALUE;
                    };
            return a.x().nanToNum(a.number(1, "nan", 0), a.number(2, "posinf", max), a.number(3, "neginf", -max));
        });
        arithmetic(r);
        comparisons(r);
        bounds(r);
    }

    private static void arithmetic(Registry r) {
        r.add("add", a -> switch (a.value(1, "other")) {
            case Double d -> a.x().add(d * a.number(-1, "alpha", 1));
            case Long l -> a.x().add(l * a.integer(-1, "alpha", 1));
            default ->
                a.given(-1, "alpha")
                        ? a.x().add(a.tensor(1, "other"), a.number(-1, "alpha", 1))
                        : a.x().add(a.tensor(1, "other"));
        });
        r.add("sub", a -> switch (a.value(1, "other")) {
            case Double d -> a.x().sub(d * a.number(-1, "alpha", 1));
            case Long l -> a.x().sub(l * a.integer(-1, "alpha", 1));
            default ->
                a.given(-1, "alpha")
                        ? a.x().sub(a.tensor(1, "other"), a.number(-1, "alpha", 1))
                        : a.x().sub(a.tensor(1, "other"));
        });
        r.add("rsub", a -> switch (a.value(1, "other")) {
            case Double d when !a.given(-1, "alpha") -> a.x().rsub(d);
            case Long l when !a.given(-1, "alpha") -> a.x().rsub(l);
            default ->
                a.given(-1, "alpha")
                        ? a.tensor(1, "other").sub(a.x(), a.number(-1, "alpha", 1))
                        : a.x().rsub(a.tensor(1, "other"));
        });
        r.binary("mul", Tensor::mul, Tensor::mul, Tensor::mul);
        r.add("div", a -> {
            String mode = a.text(-1, "rounding_mode", null);
            if (mode != null) return a.x().div(a.tensor(1, "other"), mode);
            return switch (a.value(1, "other")) {
                case Double d -> a.x().div(d);
                case Long l -> a.x().div(l);
                default -> a.x().div(a.tensor(1, "other"));
            };
        });
        r.binary("true_divide", Tensor::trueDivide);
        r.binary("floor_divide", Tensor::floorDivide, Tensor::floorDivide, Tensor::floorDivide);
        r.binary("remainder", Tensor::remainder, Tensor::remainder, Tensor::remainder);
        r.binary("fmod", Tensor::fmod, Tensor::fmod, Tensor::fmod);
        r.add("pow", a -> switch (a.value(1, "exponent")) {
            case Double d -> a.x().pow(d);
            case Long l -> a.x().pow(l);
            default -> a.x().pow(a.tensor(1, "exponent"));
        });
        r.add("float_power", a -> a.x().floatPower(a.tensor(1, "exponent")));
        r.binary("atan2", Tensor::atan2);
        r.binary("copysign", Tensor::copysign);
        r.add("heaviside", a -> a.x().heaviside(a.tensor(1, "values")));
        r.binary("ldexp", Tensor::ldexp);
        r.binary("hypot", Tensor::hypot);
        r.binary("logaddexp", Tensor::logaddexp);
        r.binary("logaddexp2", Tensor::logaddexp2);
        r.binary("xlogy", Tensor::xlogy);
        r.add("addcmul", a -> a.x().addcmul(a.tensor(1, "tensor1"), a.tensor(2, "tensor2"), a.number(-1, "value", 1)));
        r.add("addcdiv", a -> a.x().addcdiv(a.tensor(1, "tensor1"), a.tensor(2, "tensor2"), a.number(-1, "value", 1)));
        r.add(
                "lerp",
                a -> a.isTensor(2, "weight")
                        ? a.x().lerp(a.tensor(1, "end"), a.tensor(2, "weight"))
                        : a.x().lerp(a.tensor(1, "end"), a.number(2, "weight")));
    }

    private static void comparisons(Registry r) {
        r.binary("eq", Tensor::eq, Tensor::eq, Tensor::eq);
        r.binary("ne", Tensor::ne, Tensor::ne, Tensor::ne);
        r.binary("lt", Tensor::lt, Tensor::lt, Tensor::lt);
        r.binary("le", Tensor::le, Tensor::le, Tensor::le);
        r.binary("gt", Tensor::gt, Tensor::gt, Tensor::gt);
        r.binary("ge", Tensor::ge, Tensor::ge, Tensor::ge);
        r.binary("logical_and", Tensor::logicalAnd);
        r.binary("logical_or", Tensor::logicalOr);
        r.binary("logical_xor", Tensor::logicalXor);
        r.binary("bitwise_and", Tensor::bitwiseAnd);
        r.binary("bitwise_or", Tensor::bitwiseOr);
        r.binary("bitwise_xor", Tensor::bitwiseXor);
        r.binary("bitwise_left_shift", Tensor::bitwiseLeftShift);
        r.binary("bitwise_right_shift", Tensor::bitwiseRightShift);
        r.add("isclose", a -> a.x().isclose(
                        a.tensor(1, "other"),
                        a.number(2, "rtol", 1e-5),
                        a.number(3, "atol", 1e-8),
                        a.flag(4, "equal_nan", false)));
        r.add("allclose", a -> {
            if (a.flag(4, "equal_nan", false))
                return a.x().isclose(a.tensor(1, "other"), a.number(2, "rtol", 1e-5), a.number(3, "atol", 1e-8), true)
                        .all()
                        .itemBoolean();
            return a.x().allclose(a.tensor(1, "other"), a.number(2, "rtol", 1e-5), a.number(3, "atol", 1e-8));
        });
    }

    private static void bounds(Registry r) {
        r.binary("maximum", Tensor::maximum);
        r.binary("minimum", Tensor::minimum);
        r.binary("fmax", Tensor::fmax);
        r.binary("fmin", Tensor::fmin);
        r.add("clamp", a -> {
            Tensor x = a.x();
            if (a.given(1, "min")) x = min(a, x, 1, "min");
            return a.given(2, "max") ? max(a, x, 2, "max") : x;
        });
        r.add("clamp_min", a -> min(a, a.x(), 1, "min"));
        r.add("clamp_max", a -> max(a, a.x(), 1, "max"));
    }

    private static Tensor min(Args a, Tensor x, int position, String name) {
        return a.value(position, name) instanceof Double d ? x.clampMin(d) : x.clampMin(a.tensor(position, name));
    }

    private static Tensor max(Args a, Tensor x, int position, String name) {
        return a.value(position, name) instanceof Double d ? x.clampMax(d) : x.clampMax(a.tensor(position, name));
    }
}
