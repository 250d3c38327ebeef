"""Runs in MLServer, in the server's Python: an ONNX model, which MLServer has no run-time for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

# Of MLServer's package, which is found in the server only.
MlServerObject: TypeAlias = Any
try:
    from mlserver import MLModel
except ImportError:  # here, where nobody serves
    MLModel = object

FOLDER = Path(__file__).parent


class OnnxModel(MLModel):  # type: ignore[misc]  # of a package that is not installed here
    """ONNX Runtime on the processor."""

    async def load(self) -> bool:
        """Read the model that lies beside this file."""
        import onnxruntime  # noqa: PLC0415 - found in the server

        parameters = self.settings.parameters
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(parameters.extra["threads"])
        path = str(FOLDER / Path(parameters.uri).name)
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: MlServerObject) -> MlServerObject:
        """Run once."""
        from mlserver.codecs import NumpyCodec  # noqa: PLC0415 - found in the server
        from mlserver.types import InferenceResponse  # noqa: PLC0415 - as above

        feeds = {each.name: NumpyCodec.decode_input(each) for each in payload.inputs}
        names = [each.name for each in self._session.get_outputs()]
        arrays = self._session.run(names, feeds)
        outputs = [NumpyCodec.encode_output(name, array) for name, array in zip(names, arrays, strict=True)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
