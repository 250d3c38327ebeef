"""The model archive: a zip of the model, how it is fed and read, and the agent's own steps for that."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass

from agent.detect.detection_plan import DetectionPlan
from agent.models.torchserve.carried import EPOCH, carried_zip
from agent.models.torchserve.recipe import modules_in, recipe_of
from agent.settings.models import DetectionSettings
from devices.engines.engine import EngineRequest
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.model_file import ModelFile
from devices.inventory import Accelerator, AcceleratorKind

CPU = Accelerator(AcceleratorKind.CPU, "the processor")
HANDLING = "agent.models.torchserve.handling"
HANDLER_NAME, PARTS_NAME, MODEL_NAME, CONFIG_NAME = (
    "sitewatch_handler.py", "sitewatch_parts.zip", "model.onnx", "model-config.yaml",
)  # fmt: skip
HANDLER = f'''"""TorchServe's way into a detection model of sitewatch, which need not be installed here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "{PARTS_NAME}"))

from {HANDLING} import DetectionHandler


class SitewatchHandler(DetectionHandler):
    """The one class that TorchServe looks for."""
'''


@dataclass(frozen=True)
class Running:
    """How TorchServe runs the model.

    Attributes:
        workers: processes.
        batch: requests that one of them is given at once.
        delay_ms: how long a request waits for others.
        threads: processor threads of one inference.
        max_pixels: most that a picture may have.
    """

    workers: int = 1
    batch: int = 1
    delay_ms: int = 10
    threads: int = 1
    max_pixels: int = 25_000_000


def model_archive(
    name: str, version: str, file: ModelFile, plan: DetectionPlan, detection: DetectionSettings, running: Running
) -> bytes:
    """A `.mar`; the same model gives the same bytes.

    Raises:
        EngineLoadError: the model is larger than 2 GB, or does not take pictures.
    """
    request = EngineRequest(file.path, CPU, image=plan.image, batch=plan.engine_batch)
    decoder = recipe_of(plan.decoder_for)
    entries: dict[str, bytes] = {
        "MAR-INF/MANIFEST.json": _json(_manifest(name, version)),
        HANDLER_NAME: HANDLER.encode(),
        PARTS_NAME: carried_zip([HANDLING, *modules_in(decoder)]),
        "plan.json": _json({**_plan(plan, detection, running), "decoder": decoder}),
        CONFIG_NAME: _json(_config(running)),  # JSON is YAML
        MODEL_NAME: prepared_graph(file, request),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(zipfile.ZipInfo(entry, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _manifest(name: str, version: str) -> dict[str, object]:
    return {
        "createdOn": "",
        "runtime": "python",
        "model": {
            "modelName": name,
            "modelVersion": version,
            "serializedFile": MODEL_NAME,
            "handler": HANDLER_NAME,
            "configFile": CONFIG_NAME,
        },
        "archiverVersion": "",
    }


def _config(running: Running) -> dict[str, object]:
    return {
        "minWorkers": running.workers,
        "maxWorkers": running.workers,
        "batchSize": running.batch,
        "maxBatchDelay": running.delay_ms,
        "deviceType": "cpu",
    }


def _plan(plan: DetectionPlan, detection: DetectionSettings, running: Running) -> dict[str, object]:
    """What the handler reads, beside the decoder."""
    size = plan.size_input
    return {
        "model": MODEL_NAME,
        "model_sha256": plan.sha256,
        "family": plan.family,
        "pictures": PICTURES,
        "size_px": [plan.image.width_px, plan.image.height_px],
        "fit": plan.preprocessing.fit.value,
        "pad_value": plan.preprocessing.pad_value,
        "size_input": None if size is None else {"name": size.name, "dtype": size.dtype},
        "batch": plan.batch,
        "is_batch_fixed": plan.is_batch_fixed,
        "labels": list(plan.labels.texts),
        "score_threshold": float(detection.score_threshold),
        "iou_threshold": float(detection.iou_threshold),
        "max_detections": detection.max_detections,
        "threads": running.threads,
        "max_pixels": running.max_pixels,
    }


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1)}\n".encode()
