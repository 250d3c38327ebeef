"""ONNX's NonMaxSuppression in MIL: the boxes that remain, of every class, in as many rows as there are.

MIL suppresses a batch of one class each; ONNX chooses pairs of class and box. So the classes become the batch. What
remains is counted while the model runs, which Core ML does on the processor.
"""

from __future__ import annotations

import numpy as np

from devices.models.coreml_node import Node, Rule, Value, fixed_shape

_NO_LIMIT = -60000.0  # within float16


def _suppressed(node: Node) -> Value:
    mil = node.mil
    batch, classes, count = fixed_shape(node, node.inputs[1])
    if batch != 1:
        raise node.refusal("suppression of more than one picture at once is not supported")
    most = int(min(_number(node, 2, 0), count))
    boxes = node.x if node.attribute("center_point_box", 0) else _centred(node)
    boxes = mil.tile(x=boxes, reps=(classes, 1, 1))
    scores = mil.reshape(x=node.inputs[1], shape=(classes, count, 1))
    find = _found if node.since_ios17 else _found_before_ios17
    chosen, is_there = find(node, boxes, scores, most)
    at = mil.non_zero(x=mil.cast(x=is_there, dtype="int32"))  # (n, 2): class, place; in ONNX's order
    boxes_of = mil.expand_dims(x=mil.gather_nd(x=chosen, indices=at), axes=[1])
    class_of = mil.slice_by_index(x=at, begin=[0, 0], end=[0, 1], end_mask=[True, False])
    return mil.concat(values=[mil.mul(x=class_of, y=np.int32(0)), class_of, boxes_of], axis=1)


def _found(node: Node, boxes: Value, scores: Value, most: int) -> tuple[Value, Value]:
    """Of every class the boxes that remain, int32 (classes, most), and which of them are really there.

    A box of a low score takes no other away, so those may be left out afterwards.
    """
    mil = node.mil
    _, scores_of, chosen = mil.non_maximum_suppression(
        boxes=mil.transpose(x=boxes, perm=(0, 2, 1)),
        scores=mil.transpose(x=scores, perm=(0, 2, 1)),
        iou_threshold=np.float32(_number(node, 3, 0.0)),
        max_boxes=most,
    )
    is_sure = mil.greater(x=mil.squeeze(x=scores_of, axes=[1]), y=np.float32(_number(node, 4, _NO_LIMIT)))
    return chosen, mil.logical_and(x=mil.greater_equal(x=chosen, y=np.int32(0)), y=is_sure)


def _found_before_ios17(node: Node, boxes: Value, scores: Value, most: int) -> tuple[Value, Value]:
    """The same, of the operation as it was: it takes the least score itself and counts what remains."""
    mil = node.mil
    _, _, chosen, counts = mil.non_maximum_suppression(
        boxes=boxes,
        scores=scores,
        iou_threshold=np.float32(_number(node, 3, 0.0)),
        score_threshold=np.float32(_number(node, 4, _NO_LIMIT)),
        max_boxes=most,
    )
    place = np.broadcast_to(np.arange(most, dtype=np.int32), (int(chosen.shape[0]), most)).copy()
    return chosen, mil.less(x=mil.const(val=place), y=mil.expand_dims(x=counts, axes=[1]))


def _number(node: Node, index: int, usual: float) -> float:
    if node.input(index) is None:
        return usual
    return float(np.ravel(node.constant(index, "limits"))[0])


def _centred(node: Node) -> Value:
    """Boxes (1, n, 4) of two opposite corners y1 x1 y2 x2 as centre x y, width, height."""
    mil = node.mil
    one = mil.gather(x=node.x, indices=np.array([1, 0], np.int32), axis=2)
    other = mil.gather(x=node.x, indices=np.array([3, 2], np.int32), axis=2)
    centre = mil.mul(x=mil.add(x=one, y=other), y=np.float32(0.5))
    return mil.concat(values=[centre, mil.abs(x=mil.sub(x=other, y=one))], axis=2)


RULES: dict[str, Rule] = {"NonMaxSuppression": _suppressed}
