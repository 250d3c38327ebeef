"""ONNX's element-by-element operators, sums and products of matrices, in MIL."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.models.coreml_node import Node, Rule, Value, fixed_shape, is_flag, is_float, shape_of

_BOOL, _FLOATS, _WHOLE = 9, (1, 10, 11, 16), (2, 3, 4, 5, 6, 7, 12, 13)
_FIRST_SOFTMAX_OF_ONE_AXIS = 13


def _of(name: str) -> Rule:
    """An operator of one input that MIL has too."""
    return lambda node: getattr(node.mil, name)(x=node.x)


def _of_two(name: str) -> Rule:
    """An operator of two inputs that MIL has too."""
    return lambda node: getattr(node.mil, name)(x=node.x, y=node.inputs[1])


def _in_turn(name: str) -> Rule:
    """An operator of any number of inputs, one after the other."""

    def rule(node: Node) -> Value:
        result = node.x
        for each in node.inputs[1:]:
            result = getattr(node.mil, name)(x=result, y=each)
        return result

    return rule


def _flags(name: str) -> Rule:
    return lambda node: getattr(node.mil, name)(x=node.x, y=node.inputs[1])


def _divided(node: Node) -> Value:
    """Whole numbers are divided as they are used here: none below nought, where MIL would round down."""
    way = node.mil.real_div if is_float(node.x) else node.mil.floor_div
    return way(x=node.x, y=node.inputs[1])


def _power(node: Node) -> Value:
    exponent = node.inputs[1]
    if isinstance(exponent, np.ndarray):
        return node.mil.pow(x=node.x, y=exponent.astype(np.float32))
    return node.mil.pow(x=node.x, y=exponent)


def _remainder(node: Node) -> Value:
    if node.attribute("fmod", 0):
        raise node.refusal("remainders with the sign of the dividend (fmod) are not in Core ML")
    return node.mil.mod(x=node.x, y=node.inputs[1])


def _clipped(node: Node) -> Value:
    low = node.attribute("min", node.input(1))
    high = node.attribute("max", node.input(2))
    result = node.x
    if low is not None:
        result = node.mil.maximum(x=result, y=_as(result, low))
    return result if high is None else node.mil.minimum(x=result, y=_as(result, high))


def _as(model: Value, value: Value) -> Value:
    """A number of the same kind as what it is compared with."""
    return np.float32(value) if is_float(model) and not hasattr(value, "op") else value


def _cast(node: Node) -> Value:
    wanted = node.attribute("to")
    if wanted == _BOOL:
        return node.mil.cast(x=node.x, dtype="bool")
    if wanted in _FLOATS:
        return node.mil.cast(x=node.x, dtype="fp32")
    if wanted in _WHOLE:
        return node.mil.cast(x=node.x, dtype="int32")
    raise node.refusal("it casts to a type that Core ML does not have")


def _chosen(node: Node) -> Value:
    condition, one, other = node.inputs
    return node.mil.select(cond=condition, a=one, b=other)


def _softmax(node: Node) -> Value:
    axis = node.attribute("axis", -1 if node.opset >= _FIRST_SOFTMAX_OF_ONE_AXIS else 1)
    shape = fixed_shape(node, node.x)
    axis %= len(shape)
    if node.opset >= _FIRST_SOFTMAX_OF_ONE_AXIS or axis == len(shape) - 1:
        return node.mil.softmax(x=node.x, axis=axis)
    flat = (int(np.prod(shape[:axis])), int(np.prod(shape[axis:])))  # older ones take all axes from there as one
    return node.mil.reshape(x=node.mil.softmax(x=node.mil.reshape(x=node.x, shape=flat), axis=-1), shape=shape)


def _reduced(name: str) -> Rule:
    def rule(node: Node) -> Value:
        axes = node.numbers("axes", 1)
        if axes is None and node.attribute("noop_with_empty_axes", 0):
            return node.x
        keep = bool(node.attribute("keepdims", 1))
        return getattr(node.mil, name)(x=node.x, axes=axes, keep_dims=keep)

    return rule


def _running_sum(node: Node) -> Value:
    axis = int(np.ravel(node.constant(1, "axis"))[0])
    is_exclusive, is_reverse = bool(node.attribute("exclusive", 0)), bool(node.attribute("reverse", 0))
    return node.mil.cumsum(x=node.x, axis=axis, exclusive=is_exclusive, reverse=is_reverse)


def _best_index(name: str) -> Rule:
    def rule(node: Node) -> Value:
        keep = bool(node.attribute("keepdims", 1))
        return getattr(node.mil, name)(x=node.x, axis=node.attribute("axis", 0), keep_dims=keep)

    return rule


def _product(node: Node) -> Value:
    one, other = node.x, node.needed(1)
    is_row, is_column = len(one.shape) == 1, len(other.shape) == 1
    result = node.mil.matmul(
        x=node.mil.expand_dims(x=one, axes=[0]) if is_row else one,
        y=node.mil.expand_dims(x=other, axes=[1]) if is_column else other,
    )
    added = [axis for axis, is_added in ((-2, is_row), (-1, is_column)) if is_added]  # MIL knows no vectors here
    return node.mil.squeeze(x=result, axes=added) if added else result


def _general_product(node: Node) -> Value:
    weight, bias = node.inputs[1], node.input(2)
    is_plain = node.attribute("alpha", 1.0) == 1.0 and node.attribute("beta", 1.0) == 1.0
    is_turned = bool(node.attribute("transB", 0))
    if is_plain and isinstance(weight, np.ndarray) and not node.attribute("transA", 0) and _is_row(bias, weight):
        turned = weight if is_turned else np.ascontiguousarray(weight.T)
        return node.mil.linear(x=node.x, weight=turned, **({} if bias is None else {"bias": np.ravel(bias)}))
    result = node.mil.matmul(x=node.x, y=weight, transpose_x=bool(node.attribute("transA", 0)), transpose_y=is_turned)
    if node.attribute("alpha", 1.0) != 1.0:
        result = node.mil.mul(x=result, y=np.float32(node.attribute("alpha")))
    if bias is None:
        return result
    if node.attribute("beta", 1.0) != 1.0:
        bias = node.mil.mul(x=bias, y=np.float32(node.attribute("beta")))
    return node.mil.add(x=result, y=bias)


def _is_row(bias: Any, weight: np.ndarray) -> bool:  # noqa: ANN401 - a variable of MIL or an array
    return bias is None or (isinstance(bias, np.ndarray) and bias.size in weight.shape and bias.ndim <= 2)


def _leaky(node: Node) -> Value:
    return node.mil.leaky_relu(x=node.x, alpha=float(node.attribute("alpha", 0.01)))


def _hard_sigmoid(node: Node) -> Value:
    alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    return node.mil.sigmoid_hard(x=node.x, alpha=float(alpha), beta=float(beta))


def _hard_swish(node: Node) -> Value:
    return node.mil.mul(x=node.x, y=node.mil.sigmoid_hard(x=node.x, alpha=1 / 6, beta=0.5))


def _mish(node: Node) -> Value:
    return node.mil.mul(x=node.x, y=node.mil.tanh(x=node.mil.softplus(x=node.x)))


def _elu(node: Node) -> Value:
    return node.mil.elu(x=node.x, alpha=float(node.attribute("alpha", 1.0)))


def _gelu(node: Node) -> Value:
    is_tanh = node.attribute("approximate", b"none") == b"tanh"
    return node.mil.gelu(x=node.x, mode="TANH_APPROXIMATION" if is_tanh else "EXACT")


def _slopes(node: Node) -> Value:
    slope = np.ravel(node.constant(1, "slope"))
    channels = shape_of(node.x)[1] or 1
    return node.mil.prelu(x=node.x, alpha=np.broadcast_to(slope, (channels,)).copy())


def _not(node: Node) -> Value:
    return node.mil.logical_not(x=node.x)


def _equal(node: Node) -> Value:
    one, other = (_countable(node, each) for each in node.inputs[:2])
    return node.mil.equal(x=one, y=other)


def _countable(node: Node, value: Value) -> Value:
    """MIL compares numbers only."""
    return node.mil.cast(x=value, dtype="int32") if is_flag(value) else value


def _unchanged(node: Node) -> Value:
    return node.x


RULES: dict[str, Rule] = {
    "Abs": _of("abs"),
    "Add": _of_two("add"),
    "And": _flags("logical_and"),
    "ArgMax": _best_index("reduce_argmax"),
    "ArgMin": _best_index("reduce_argmin"),
    "Cast": _cast,
    "Ceil": _of("ceil"),
    "Clip": _clipped,
    "Cos": _of("cos"),
    "CumSum": _running_sum,
    "Div": _divided,
    "Dropout": _unchanged,
    "Elu": _elu,
    "Equal": _equal,
    "Erf": _of("erf"),
    "Exp": _of("exp"),
    "Floor": _of("floor"),
    "Gelu": _gelu,
    "Gemm": _general_product,
    "Greater": _of_two("greater"),
    "GreaterOrEqual": _of_two("greater_equal"),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Identity": _unchanged,
    "LeakyRelu": _leaky,
    "Less": _of_two("less"),
    "LessOrEqual": _of_two("less_equal"),
    "Log": lambda node: node.mil.log(x=node.x),
    "MatMul": _product,
    "Max": _in_turn("maximum"),
    "Min": _in_turn("minimum"),
    "Mish": _mish,
    "Mod": _remainder,
    "Mul": _of_two("mul"),
    "Neg": lambda node: node.mil.mul(x=node.x, y=_as(node.x, np.int32(-1))),
    "Not": _not,
    "Or": _flags("logical_or"),
    "PRelu": _slopes,
    "Pow": _power,
    "Reciprocal": lambda node: node.mil.real_div(x=np.float32(1), y=node.x),
    "ReduceMax": _reduced("reduce_max"),
    "ReduceMean": _reduced("reduce_mean"),
    "ReduceMin": _reduced("reduce_min"),
    "ReduceProd": _reduced("reduce_prod"),
    "ReduceSum": _reduced("reduce_sum"),
    "Relu": _of("relu"),
    "Round": _of("round"),
    "Sigmoid": _of("sigmoid"),
    "Sign": _of("sign"),
    "Sin": _of("sin"),
    "Softmax": _softmax,
    "Softplus": _of("softplus"),
    "Sqrt": _of("sqrt"),
    "Sub": _of_two("sub"),
    "Sum": _in_turn("add"),
    "Tanh": _of("tanh"),
    "Where": _chosen,
    "Xor": _flags("logical_xor"),
}
