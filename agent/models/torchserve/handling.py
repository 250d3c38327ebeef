"""Runs in TorchServe, in the server's Python: pictures in, detections out, by the agent's own steps.

It is carried there in a zip, and all that it imports of ours with it; sitewatch itself need not be installed. The
server's Python needs NumPy, OpenCV, Pillow and ONNX Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from agent.detect.canvas import Canvas
from agent.detect.decoders.decoder import Decoder, Limits
from agent.detect.letterbox import Fit
from agent.errors import DetectionError
from agent.models.bundle.stills import stills
from agent.models.torchserve.recipe import made_of
from agent.serve.picture import SentPicture, read_picture
from agent.serve.refusal import Code, RefusedRequestError
from devices.models.serving.onnx_session import OnnxSession
from trackers import Detections

# Of TorchServe's, and what JSON holds.
TorchServeObject: TypeAlias = Any
Json: TypeAlias = Any


class DetectionHandler:
    """What TorchServe calls, from one thread: `initialize` once, `handle` for every batch."""

    def initialize(self, context: TorchServeObject) -> None:
        """Read the model and how it is fed and read."""
        folder = Path(context.system_properties.get("model_dir"))
        self._plan: Json = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        plan = self._plan
        self._session = OnnxSession(folder / plan["model"], plan["threads"])
        self._canvas = Canvas(plan["batch"], tuple(plan["size_px"]), Fit(plan["fit"]), plan["pad_value"])
        limits = Limits(
            np.full(len(plan["labels"]), plan["score_threshold"], np.float32),
            plan["iou_threshold"],
            plan["max_detections"],
        )
        self._decoder: Decoder = made_of(plan["decoder"])(limits)

    def handle(self, data: Sequence[Mapping[str, Any]], context: TorchServeObject) -> list[Json]:
        """An answer a request; a picture that is refused does not touch the others."""
        read = [_read(request, self._plan["max_pixels"]) for request in data]
        good = [picture for picture in read if isinstance(picture, SentPicture)]
        try:
            found = iter(self._detect(good))
        except DetectionError as error:
            failure = RefusedRequestError(Code.INFERENCE_FAILED, str(error))
            read = [failure if isinstance(each, SentPicture) else each for each in read]
        return [
            self._told(each, next(found)) if isinstance(each, SentPicture) else _refused(context, number, each)
            for number, each in enumerate(read)
        ]

    def _detect(self, pictures: Sequence[SentPicture]) -> list[Detections]:
        found: list[Detections] = []
        for start in range(0, len(pictures), self._canvas.batch):
            part = pictures[start : start + self._canvas.batch]
            letterboxes = self._canvas.paint(stills([picture.pixels for picture in part]))
            rows = self._canvas.batch if self._plan["is_batch_fixed"] else len(part)
            found += self._decoder.decode(self._session.infer(self._tensors(rows)), letterboxes)
        return found

    def _tensors(self, rows: int) -> dict[str, Any]:
        tensors: dict[str, Any] = {self._plan["pictures"]: self._canvas.pixels[:rows]}
        size = self._plan["size_input"]
        if size is not None:
            tensors[size["name"]] = np.tile(np.array(self._plan["size_px"], size["dtype"]), (rows, 1))
        return tensors

    def _told(self, picture: SentPicture, found: Detections) -> Json:
        height_px, width_px = picture.pixels.shape[:2]
        rows = zip(found.class_ids.tolist(), found.scores, found.boxes, strict=True)
        return {
            "image": {"width_px": width_px, "height_px": height_px, "format": picture.format},
            "detections": [
                {"label": self._plan["labels"][class_id], "class_id": class_id, "score": _short(score),
                 "box": [_short(edge) for edge in box]}
                for class_id, score, box in rows
            ],
        }  # fmt: skip


def _sent(request: Mapping[str, Any]) -> bytes:
    """The body, or the part of a form that is called `data`."""
    content = request.get("body") or request.get("data")
    if not isinstance(content, (bytes, bytearray)):
        raise RefusedRequestError(Code.NO_IMAGE, "send the picture as the body, or as `data` in a form")
    return bytes(content)


def _read(request: Mapping[str, Any], max_pixels: int) -> SentPicture | RefusedRequestError:
    try:
        return read_picture(_sent(request), max_pixels)
    except RefusedRequestError as error:
        return error


def _refused(context: TorchServeObject, number: int, error: RefusedRequestError) -> Json:
    context.set_response_status(code=int(error.status), phrase=error.status.phrase, idx=number)
    return {"status": int(error.status), "code": error.code.value, "detail": str(error)}


def _short(number: np.floating[Any]) -> float:
    """As the shortest decimal number that is the same in its precision."""
    return float(str(number))
