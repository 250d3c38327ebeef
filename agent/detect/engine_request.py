"""What an engine for a planned model is asked for."""

from __future__ import annotations

from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.settings.models import ModelSettings
from devices.engines.engine import EngineRequest, Precision, RemoteUse, WorkerUse
from devices.inventory import Accelerator


def make_request(
    plan: DetectionPlan, model: ModelSettings, accelerator: Accelerator, *, threads: int, cache_dir: Path | None
) -> EngineRequest:
    """The request for a model on an accelerator.

    Args:
        plan: how the model is fed.
        model: what the site file says of it: precision, sessions, servers.
        accelerator: where it shall run.
        threads: of one inference.
        cache_dir: where compiled engines are kept, or None.
    """
    return EngineRequest(
        plan.path,
        accelerator,
        image=plan.image,
        threads=threads,
        sessions=model.sessions,
        batch=plan.engine_batch,
        largest_batch=plan.batch,
        cache_dir=cache_dir,
        precision=Precision(model.precision),
        calibration=model.calibration,
        device=model.device,
        remote=_remote(model),
        worker=WorkerUse(model.isolate, model.worker_python),
    )


def _remote(model: ModelSettings) -> RemoteUse | None:
    if not model.servers:
        return None
    name, version = model.remote_model or "", model.remote_version or ""
    return RemoteUse(model.servers, name, version, timeout_s=float(model.remote_timeout))
