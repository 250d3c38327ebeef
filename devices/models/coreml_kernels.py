"""What the operations of a Core ML program compute, in NumPy, after the words of coremltools' reference.

A kernel gets its inputs by name, floats as float32, and gives an array or a tuple of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array; of which type depends on the program."""
Given: TypeAlias = Mapping[str, Any]
Kernel = Callable[[Given], Any]

_DTYPES = {"fp16": np.float16, "fp32": np.float32, "bool": np.bool_}


def _one(compute: Callable[[Array], Array]) -> Kernel:
    return lambda given: compute(given["x"])


def _two(compute: Callable[[Array, Array], Array]) -> Kernel:
    return lambda given: compute(given["x"], given["y"])


def _reduced(compute: Callable[..., Array]) -> Kernel:
    def kernel(given: Given) -> Array:
        axes = given.get("axes")
        return compute(given["x"], axis=None if axes is None else tuple(axes), keepdims=bool(given["keep_dims"]))

    return kernel


def _best_index(compute: Callable[..., Array]) -> Kernel:
    return lambda given: compute(given["x"], axis=int(given["axis"]), keepdims=bool(given["keep_dims"]))


def _running_sum(given: Given) -> Array:
    x, axis = given["x"], int(given["axis"])
    x = np.flip(x, axis) if given["reverse"] else x
    result = np.cumsum(x, axis=axis)
    result = result - x if given["exclusive"] else result
    return np.flip(result, axis) if given["reverse"] else result


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.logaddexp(x, np.float32(0))


def error_function(x: Array) -> Array:
    """erf, value by value."""
    return np.vectorize(math.erf, otypes=[np.float32])(x)


def _gelu(given: Given) -> Array:
    x = given["x"]
    if str(given["mode"]).upper() == "TANH_APPROXIMATION":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + error_function(x / math.sqrt(2)))


def _elu(given: Given) -> Array:
    x = given["x"]
    return np.where(x > 0, x, float(given["alpha"]) * np.expm1(np.minimum(x, 0)))


def _prelu(given: Given) -> Array:
    x, alpha = given["x"], given["alpha"]
    return np.where(x > 0, x, x * alpha.reshape(-1, *(1,) * (x.ndim - 2)))


def _hard_sigmoid(given: Given) -> Array:
    return np.clip(given["x"] * float(given["alpha"]) + float(given["beta"]), 0, 1)


def _softmax(given: Given) -> Array:
    x, axis = given["x"], int(given["axis"])
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _cast(given: Given) -> Array:
    name = str(given["dtype"])
    return np.asarray(given["x"]).astype(_DTYPES.get(name) or np.dtype(name))


def _product(given: Given) -> Array:
    one, other = given["x"], given["y"]
    one = np.swapaxes(one, -1, -2) if given["transpose_x"] else one
    return np.matmul(one, np.swapaxes(other, -1, -2) if given["transpose_y"] else other)


def _linear(given: Given) -> Array:
    return given["x"] @ given["weight"].T + given["bias"]


def _layer_norm(given: Given) -> Array:
    x, axes = given["x"], tuple(int(axis) for axis in given["axes"])
    centred = x - x.mean(axis=axes, keepdims=True)
    result = centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + float(given["epsilon"]))
    result = result if given.get("gamma") is None else result * given["gamma"]
    return np.asarray(result if given.get("beta") is None else result + given["beta"])


def _of_channels(x: Array, values: Array) -> Array:
    return values.reshape(-1, *(1,) * (x.ndim - 2))


def _batch_norm(given: Given) -> Array:
    x = given["x"]
    deviation = np.sqrt(_of_channels(x, given["variance"]) + float(given["epsilon"]))
    result = (x - _of_channels(x, given["mean"])) / deviation
    return _of_channels(x, given["gamma"]) * result + _of_channels(x, given["beta"])


def _instance_norm(given: Given) -> Array:
    x = given["x"]
    axes = tuple(range(2, x.ndim))
    result = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + float(given["epsilon"]))
    return _of_channels(x, given["gamma"]) * result + _of_channels(x, given["beta"])


def _cut(given: Given) -> Array:
    x, begin, end = given["x"], given["begin"], given["end"]
    masks = {name: given.get(name) for name in ("begin_mask", "end_mask", "squeeze_mask")}
    stride = given.get("stride")
    parts: list[Any] = []
    for axis in range(x.ndim):
        is_set = {name: mask is not None and bool(mask[axis]) for name, mask in masks.items()}
        step = 1 if stride is None else int(stride[axis])
        if is_set["squeeze_mask"]:
            parts.append(int(begin[axis]))
            continue
        first = None if is_set["begin_mask"] else int(begin[axis])
        parts.append(slice(first, None if is_set["end_mask"] else int(end[axis]), step))
    return np.asarray(x[tuple(parts)])


def _pad(given: Given) -> Array:
    x, pads = given["x"], [int(each) for each in given["pad"]]
    around = list(zip(pads[::2], pads[1::2], strict=True))
    around = [(0, 0)] * (x.ndim - len(around)) + around
    modes: dict[str, Any] = {"reflect": "reflect", "replicate": "edge"}
    if str(given["mode"]) in modes:
        return np.pad(x, around, mode=modes[str(given["mode"])])
    return np.pad(x, around, constant_values=float(given["constant_val"]))


def _best(given: Given) -> tuple[Array, Array]:
    x, axis, count = given["x"], int(given["axis"]), int(given["k"])
    order = np.argsort(x if given["ascending"] else -x, axis=axis, kind="stable")
    chosen = np.take(order, np.arange(count), axis=axis)
    return np.take_along_axis(x, chosen, axis=axis), chosen.astype(np.int32)


def _joined(given: Given) -> Array:
    """One after the other, or in turn: the first of each, then the second of each."""
    values, axis = given["values"], int(given["axis"])
    if not given["interleave"]:
        return np.concatenate(values, axis=axis)
    axis %= values[0].ndim
    shape = list(values[0].shape)
    shape[axis] *= len(values)
    return np.stack(values, axis=axis + 1).reshape(shape)


def _expanded(given: Given) -> Array:
    return np.expand_dims(given["x"], tuple(int(axis) for axis in given["axes"]))


def _squeezed(given: Given) -> Array:
    axes = given.get("axes")
    return np.squeeze(given["x"], None if axes is None else tuple(int(axis) for axis in axes))


def _split(given: Given) -> tuple[Array, ...]:
    at = np.cumsum(given["split_sizes"])[:-1]
    return tuple(np.split(given["x"], at, axis=int(given["axis"])))


def _taken_along(given: Given) -> Array:
    return np.take_along_axis(given["x"], given["indices"].astype(np.int64), axis=int(given["axis"]))


def _taken_at(given: Given) -> Array:
    return np.asarray(given["x"][tuple(np.moveaxis(given["indices"].astype(np.int64), -1, 0))])


def _pixel_shuffle(given: Given) -> Array:
    x, size = given["x"], int(given["upscale_factor"])
    count, channels, height, width = x.shape
    apart = x.reshape(count, channels // size**2, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    return np.asarray(apart.reshape(count, -1, height * size, width * size))


def _depth_to_space(given: Given) -> Array:
    x, size = given["x"], int(given["block_size"])
    count, channels, height, width = x.shape
    apart = x.reshape(count, size, size, channels // size**2, height, width).transpose(0, 3, 4, 1, 5, 2)
    return np.asarray(apart.reshape(count, -1, height * size, width * size))


def _space_to_depth(given: Given) -> Array:
    x, size = given["x"], int(given["block_size"])
    count, channels, height, width = x.shape
    apart = x.reshape(count, channels, height // size, size, width // size, size).transpose(0, 3, 5, 1, 2, 4)
    return np.asarray(apart.reshape(count, -1, height // size, width // size))


KERNELS: dict[str, Kernel] = {
    "abs": _one(np.abs),
    "add": _two(np.add),
    "batch_norm": _batch_norm,
    "cast": _cast,
    "ceil": _one(np.ceil),
    "clip": lambda given: np.clip(given["x"], given["alpha"], given["beta"]),
    "concat": _joined,
    "cos": _one(np.cos),
    "cumsum": _running_sum,
    "depth_to_space": _depth_to_space,
    "elu": _elu,
    "equal": _two(np.equal),
    "erf": _one(error_function),
    "exp": _one(np.exp),
    "expand_dims": _expanded,
    "floor": _one(np.floor),
    "floor_div": _two(np.floor_divide),
    "gather": lambda given: np.take(given["x"], np.asarray(given["indices"]), axis=int(given["axis"])),
    "gather_along_axis": _taken_along,
    "gather_nd": _taken_at,
    "gelu": _gelu,
    "greater": _two(np.greater),
    "greater_equal": _two(np.greater_equal),
    "identity": lambda given: given["x"],
    "instance_norm": _instance_norm,
    "inverse": lambda given: 1 / (given["x"] + float(given["epsilon"])),
    "layer_norm": _layer_norm,
    "leaky_relu": lambda given: np.where(given["x"] > 0, given["x"], given["x"] * float(given["alpha"])),
    "less": _two(np.less),
    "less_equal": _two(np.less_equal),
    "linear": _linear,
    "log": lambda given: np.log(given["x"] + float(given["epsilon"])),
    "logical_and": _two(np.logical_and),
    "logical_not": _one(np.logical_not),
    "logical_or": _two(np.logical_or),
    "logical_xor": _two(np.logical_xor),
    "matmul": _product,
    "maximum": _two(np.maximum),
    "minimum": _two(np.minimum),
    "mod": _two(np.mod),
    "mul": _two(np.multiply),
    "non_zero": lambda given: np.argwhere(given["x"]),
    "not_equal": _two(np.not_equal),
    "pad": _pad,
    "pixel_shuffle": _pixel_shuffle,
    "pow": _two(np.power),
    "prelu": _prelu,
    "real_div": _two(np.divide),
    "reduce_argmax": _best_index(np.argmax),
    "reduce_argmin": _best_index(np.argmin),
    "reduce_max": _reduced(np.max),
    "reduce_mean": _reduced(np.mean),
    "reduce_min": _reduced(np.min),
    "reduce_prod": _reduced(np.prod),
    "reduce_sum": _reduced(np.sum),
    "relu": lambda given: np.maximum(given["x"], 0),
    "relu6": lambda given: np.clip(given["x"], 0, 6),
    "reshape": lambda given: np.reshape(given["x"], tuple(int(size) for size in given["shape"])),
    "round": _one(np.round),
    "select": lambda given: np.where(given["cond"], given["a"], given["b"]),
    "shape": lambda given: np.array(given["x"].shape, np.int32),
    "sigmoid": _one(sigmoid),
    "sigmoid_hard": _hard_sigmoid,
    "sign": _one(np.sign),
    "silu": lambda given: given["x"] * sigmoid(given["x"]),
    "sin": _one(np.sin),
    "slice_by_index": _cut,
    "softmax": _softmax,
    "softplus": _one(softplus),
    "space_to_depth": _space_to_depth,
    "split": _split,
    "sqrt": _one(np.sqrt),
    "square": _one(np.square),
    "squeeze": _squeezed,
    "sub": _two(np.subtract),
    "tanh": _one(np.tanh),
    "tile": lambda given: np.tile(given["x"], tuple(int(each) for each in given["reps"])),
    "topk": _best,
    "transpose": lambda given: np.transpose(given["x"], tuple(int(axis) for axis in given["perm"])),
}
