"""Writes models in OpenVINO's own format (IR)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices.engines.openvino.ir_file import NOTES
from devices.engines.openvino.runtime import NAME, import_runtime, load_errors, sentence
from devices.errors import EngineLoadError


def write_ir(source: Path, path: Path, notes: Mapping[str, str], *, is_half: bool) -> None:
    """Convert an ONNX file; the weights go beside `path`, into a `.bin`.

    Args:
        source: the ONNX file.
        path: of the `.xml`.
        notes: key and value pairs, read back as the model's metadata.
        is_half: keep float weights as float16; what they are computed with is the device's affair.

    Raises:
        EngineUnavailable: OpenVINO is not installed.
        EngineLoadError: it refuses the model.
        OSError: it cannot be written.
    """
    runtime = import_runtime()
    try:
        network = runtime.convert_model(str(source))
        for key, value in notes.items():
            network.set_rt_info(value, [NOTES, key])
        runtime.save_model(network, str(path), compress_to_fp16=is_half)
    except load_errors(runtime) as error:
        raise EngineLoadError(f"{NAME} refuses {source}: {sentence(error)}") from error
