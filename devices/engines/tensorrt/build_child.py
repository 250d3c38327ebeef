"""The build process: `python -m devices.engines.tensorrt.build_child FOLDER` builds what the order in the folder says.

It speaks on standard output, one line of JSON a happening; nothing else may write there, libraries get standard error.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from devices.engines.tensorrt.building import build_plan
from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaError
from devices.engines.tensorrt.order import BuildOrder
from devices.engines.tensorrt.pycuda_driver import PycudaDriver
from devices.errors import DevicesError

_NICENESS = 10


def main(arguments: list[str]) -> int:
    """Build; exit status 0 where an answer was given, good or bad."""
    tell = _teller()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    os.nice(_NICENESS)
    folder = Path(arguments[0])
    try:
        tell(done=_build(folder, tell))
    except (DevicesError, CudaError) as error:
        tell(failed=str(error))
    except MemoryError:
        tell(failed="tensorrt: too little memory to build this model here")
    return 0


def _build(folder: Path, tell: Callable[..., None]) -> tuple[str, ...]:
    import tensorrt  # noqa: PLC0415 - the parent has asked the driver; a run-time is imported where it is used only

    trt: ModuleType = tensorrt
    order = BuildOrder.read(folder)
    driver: CudaDriver = PycudaDriver(order.device)
    facts = driver.open()
    try:
        return build_plan(trt, order, folder, driver, facts, tell)
    finally:
        driver.close()


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it ended; nobody would wait for this build then."""
    os.read(0, 1)
    os._exit(1)


def _teller() -> Callable[..., None]:
    """Writes to what was standard output; what is called that from now on is standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def tell(**said: object) -> None:
        channel.write(json.dumps(said) + "\n")

    return tell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
