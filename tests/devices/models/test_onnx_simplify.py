"""Simplifying graphs: what stays, what goes, and what is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from models.small_graphs import graph, node, weights

from devices.errors import EngineLoadError
from devices.models.onnx_simplify import simplifier_version, simplify

SCALES = {name: np.full(4, 0.5 + place, np.float32) for place, name in enumerate("sbmv")}


def normalised() -> onnx.ModelProto:
    """A convolution, a batch norm, and an input that nothing reads."""
    nodes = [node("Conv", "x w", "c"), node("BatchNormalization", "c s b m v", "y")]
    return graph(nodes, {"x": (1, 3, 8, 8), "unread": (2,)}, ["y"], {"w": weights(4, 3, 3, 3), **SCALES})


def test_a_batch_norm_goes_into_its_convolution() -> None:
    """One operator is left, and the original stays as it was."""
    proto = normalised()
    before = proto.SerializeToString()

    assert [each.op_type for each in simplify(proto).graph.node] == ["Conv"]
    assert proto.SerializeToString() == before


def test_inputs_stay() -> None:
    """An input that nothing reads is still there: whoever feeds the model gives it."""
    assert [value.name for value in simplify(normalised()).graph.input] == ["x", "unread"]


def test_notes_stay() -> None:
    """Metadata, producer and operator set are the exporter's; labels are read off them."""
    proto = normalised()
    onnx.helper.set_model_props(proto, {"names": "{0: 'person'}", "stride": "32"})
    proto.producer_name, proto.doc_string = "exporter", "for tests"
    found = simplify(proto)

    assert {each.key: each.value for each in found.metadata_props} == {"names": "{0: 'person'}", "stride": "32"}
    assert (found.producer_name, found.doc_string) == ("exporter", "for tests")
    assert found.opset_import[0].version == 17


def test_weights_among_the_inputs_are_inputs_no_more() -> None:
    """As old exporters list them; run-times fold what is constant only."""
    proto = normalised()
    proto.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, (4, 3, 3, 3)))

    assert [value.name for value in simplify(proto).graph.input] == ["x", "unread"]


def test_a_quantised_model_stays_quantised() -> None:
    """An int8 weight is not folded into floats, which would undo the quantisation and take four times the room."""
    nodes = [node("DequantizeLinear", "q s z", "w"), node("Conv", "x w", "y")]
    constants = {"q": np.ones((4, 3, 1, 1), np.int8), "s": np.array(0.1, np.float32), "z": np.array(0, np.int8)}
    proto = graph(nodes, {"x": (1, 3, 8, 8)}, ["y"], constants)

    assert [each.op_type for each in simplify(proto).graph.node] == ["DequantizeLinear", "Conv"]


def test_a_graph_it_cannot_read() -> None:
    """What the library raises becomes one sentence."""
    proto = normalised()
    proto.graph.node[0].input[1] = "nowhere"

    with pytest.raises(EngineLoadError, match="onnxslim"):
        simplify(proto)


def test_it_says_what_it_is() -> None:
    """For reports."""
    assert simplifier_version().startswith("onnxslim 0.")
