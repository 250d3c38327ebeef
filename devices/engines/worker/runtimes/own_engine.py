"""Any engine of the agent's own catalogue, in a worker under the agent's own Python: only for that is ours imported.

The "model" is the pickled request: it comes from the agent that started this process, over a descriptor without a name.
"""

from __future__ import annotations

import dataclasses
import importlib
import pickle
import sys
from typing import Any, Callable, Optional  # noqa: UP035 - Python 3.8 evaluates the alias below

Tell = Callable[[str, Optional[float]], None]  # noqa: UP045 - as above


class OwnEngine:
    """An engine of ours, as the worker serves it."""

    def __init__(self, engine: Any, lanes: int) -> None:  # noqa: ANN401 - its type is imported with it
        self._engine = engine
        self.lanes = lanes
        self.spec = dataclasses.asdict(engine.spec)

    def session(self) -> Callable[[Any], Any]:
        """What answers one lane."""
        infer: Callable[[Any], Any] = self._engine.session().infer
        return infer

    def close(self) -> None:
        """Let go of the model."""
        self._engine.close()


def load(model: bytes, options: dict[str, Any], tell: Tell) -> OwnEngine:
    """Call the factory `options["module"]` names; our packages lie in `options["root"]`."""
    if options["root"] not in sys.path:
        sys.path.append(options["root"])
    factory = importlib.import_module(options["module"]).load
    request = pickle.loads(model)  # noqa: S301 - see above
    watch = dataclasses.replace(request.build, told=lambda progress: tell(progress.step, progress.fraction))
    return OwnEngine(factory(dataclasses.replace(request, build=watch)), request.sessions)
