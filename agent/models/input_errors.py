"""What the libraries under the model tools raise, as the tools tell it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import ModelError, ToolInputError, ToolUnavailableError
from devices.errors import DevicesError, EngineUnavailable

EXTRA = "pip install 'sitewatch[tools]'"


@contextmanager
def told_as_input(path: Path) -> Iterator[None]:
    """A model that cannot be read or run is a wrong input; what is not installed says how to get it.

    Raises:
        ToolInputError: in place of what is wrong with the model at `path`.
        ToolUnavailableError: in place of what is not installed.
    """
    try:
        yield
    except EngineUnavailable as error:
        raise ToolUnavailableError(f"{error}; it comes with: {EXTRA}") from error
    except (DevicesError, ModelError) as error:
        told = str(error)
        raise ToolInputError(told if str(path) in told else f"{path}: {told}") from error
