"""What Triton runs a model with: a new back end is one line of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ToolInputError

AUTO, CPU, GPU = "auto", "cpu", "gpu"


@dataclass(frozen=True)
class BackEnd:
    """One back end of Triton.

    Attributes:
        name: as on the command line.
        field: the field of the configuration that names it, and the name there.
        suffixes: of the files it reads.
        kinds: of devices it runs on.
    """

    name: str
    field: tuple[str, str]
    suffixes: tuple[str, ...]
    kinds: tuple[str, ...]


BACK_ENDS: dict[str, BackEnd] = {each.name: each for each in (
    BackEnd("onnxruntime", ("backend", "onnxruntime"), (".onnx",), (AUTO, CPU, GPU)),
    BackEnd("openvino", ("backend", "openvino"), (".xml", ".onnx"), (AUTO, CPU)),
    BackEnd("tensorrt", ("platform", "tensorrt_plan"), (".plan", ".engine"), (AUTO, GPU)),
    BackEnd("python", ("backend", "python"), (".onnx",), (AUTO, CPU)),
)}  # fmt: skip


@dataclass(frozen=True)
class Instances:
    """How many of a model run, and where.

    Attributes:
        kind: auto, cpu or gpu.
        count: on each device.
        gpus: numbers of the GPUs; empty for all that the server has.
    """

    kind: str = AUTO
    count: int = 1
    gpus: tuple[int, ...] = ()


def choose_back_end(name: str, held: Path, instances: Instances) -> BackEnd:
    """The one named, or the first that reads such a file.

    Raises:
        ToolInputError: none does, the one named does not, or it does not run on such a device.
    """
    suffix = held.suffix.lower()
    fitting = [each for each in BACK_ENDS.values() if suffix in each.suffixes and name in {AUTO, each.name}]
    if not fitting:
        raise ToolInputError(f"{held}: {_reads(BACK_ENDS.values() if name == AUTO else [BACK_ENDS[name]])}")
    found = fitting[0]
    if instances.kind not in found.kinds or (instances.gpus and GPU not in found.kinds):
        asked = GPU if instances.gpus else instances.kind
        raise ToolInputError(f"the {found.name} back end runs on {' or '.join(found.kinds)}, not on {asked}")
    return found


def _reads(back_ends: Iterable[BackEnd]) -> str:
    told = [f"{each.name} reads {' and '.join(each.suffixes)}" for each in back_ends]
    return f"no back end for it: {', '.join(told)}"
