"""ONNX Runtime on the CPU of the worker's Python."""

from __future__ import annotations

from typing import Any, Callable  # noqa: UP035 - as Python 3.8 has it

_SILENT = 4
_DTYPES = {"float": "float32", "double": "float64"}


class OnnxRuntimeEngine:
    """One session, which all lanes run at once."""

    def __init__(self, version: str, ort_session: Any, lanes: int) -> None:  # noqa: ANN401 - exists in the worker only
        self._ort_session = ort_session
        self.lanes = lanes
        self._outputs = [_output(node) for node in ort_session.get_outputs()]
        self.spec = {"runtime": "onnxruntime", "runtime_version": version, "outputs": self._outputs}

    def session(self) -> Callable[[Any], Any]:
        """What answers one lane."""
        names = [row["name"] for row in self._outputs]

        def infer(tensors: dict[str, Any]) -> dict[str, Any]:
            results = self._ort_session.run(names, tensors)
            return {name: results[place] for place, name in enumerate(names)}

        return infer

    def close(self) -> None:
        """The end of the process frees it."""


def load(model: bytes, options: dict[str, Any], _tell: object) -> OnnxRuntimeEngine:
    """Make an ONNX file ready; options: threads, sessions."""
    import onnxruntime  # noqa: PLC0415 - a run-time is imported in its factory only

    onnxruntime.set_default_logger_severity(_SILENT)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = _SILENT
    settings.intra_op_num_threads = options["threads"]
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    ort_session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    return OnnxRuntimeEngine(onnxruntime.__version__, ort_session, options["sessions"])


def _output(node: Any) -> dict[str, Any]:  # noqa: ANN401 - the run-time's own
    dtype = node.type[len("tensor(") : -1]
    axes = [axis if isinstance(axis, int) else None for axis in node.shape or ()]
    return {"name": node.name, "dtype": _DTYPES.get(dtype, dtype), "shape": axes}
