"""Jetson's deep-learning accelerators: why one is not driven, and how much of a model runs there.

Sources: TensorRT documentation, "Working with DLA" (10.7 was the last 10.x with DLA; none in 11.0 to 11.3; 11.4.1
brings it back on AGX Orin under JetPack 7.2.2); JetPack 7.2 (L4T R39) ships no DLA compiler. Every DLA name exists in
every binding: only `num_DLA_cores` tells whether one is driven.
"""

from __future__ import annotations

import json
import re

from devices.engines.tensorrt.logger import TrtObject
from devices.inventory import Accelerator

DLA_LAYER = "DLA"


def why_not_driven(accelerator: Accelerator, cores: int, version: str) -> str:
    """A sentence for a DLA that TensorRT does not list, by what is known of module, system and version."""
    found = f"TensorRT {version} lists {_cores(cores)}, {accelerator.name} was asked for"
    return f"{found}: {_cause(accelerator, version)}"


def layers_on_dla(config: TrtObject, network: TrtObject) -> tuple[int, int]:
    """How many of the model's layers may run on the DLA, of how many: what the builder says before it builds."""
    count = network.num_layers
    return sum(bool(config.can_run_on_DLA(network.get_layer(index))) for index in range(count)), count


def dla_note(core: int, planned: tuple[int, int], layer_information: str) -> str:
    """What a person should know: with GPU fallback, layers move to the GPU in silence.

    Args:
        core: the DLA's number.
        planned: as `layers_on_dla`.
        layer_information: the engine inspector's JSON, of a build with detailed verbosity.
    """
    able, count = planned
    parts, rest = _built(layer_information)
    share = f"{able} of {count} layers ({able / max(1, count):.0%})"
    if parts is None:
        return f"DLA core {core} takes {share} by the builder's word; this engine does not tell what it became"
    if parts == 0:
        return f"nothing runs on DLA core {core}: of {count} layers it could take {able}, all are on the GPU"
    advice = "; many small parts are slower than the GPU alone" if parts > _MANY_PARTS else ""
    return f"DLA core {core} takes {share} in {parts} part(s), {rest} layers of the engine are on the GPU{advice}"


_MANY_PARTS = 8


def _built(layer_information: str) -> tuple[int | None, int]:
    try:
        layers = json.loads(layer_information)["Layers"]
    except (ValueError, KeyError, TypeError):
        return None, 0
    kinds = [layer.get("LayerType") for layer in layers if isinstance(layer, dict)]
    if not kinds:
        return None, 0
    parts = kinds.count(DLA_LAYER)
    return parts, len(kinds) - parts


def _cause(accelerator: Accelerator, version: str) -> str:
    release = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    system = accelerator.driver or ""
    if (11,) <= release < (11, 4, 1):
        return "TensorRT 11.0 to 11.4.0 drive none; 11.4.1 does on AGX Orin with JetPack 7.2.2"
    if release >= (11, 4, 1):
        return "TensorRT 11.4.1 drives it on AGX Orin with JetPack 7.2.2 or later, and on no other Jetson"
    if release >= (10, 8) or "L4T 39" in system or "L4T 38" in system:
        return "TensorRT 10.7 was the last 10.x with DLA, and JetPack 7.2 ships no DLA compiler (libnvdla_compiler.so)"
    return "the system's TensorRT was built without it, or another program holds it"


def _cores(count: int) -> str:
    return "no DLA core" if count == 0 else f"{count} DLA core(s)"
