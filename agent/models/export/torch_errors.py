"""What PyTorch and the code of others raise, as the tool tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import ToolInputError, ToolUnavailableError
from devices.errors import DevicesError, EngineUnavailable

EXTRA = "pip install 'sitewatch[export]'"


@contextmanager
def told_as_export() -> Iterator[None]:
    """A module that cannot be loaded, run or exported is a wrong input; what is not installed says how to get it.

    Raises:
        ToolInputError: in place of what is wrong with the module.
        ToolUnavailableError: in place of what is not installed.
    """
    try:
        yield
    except EngineUnavailable as error:
        raise ToolUnavailableError(f"{error}; sitewatch model export needs it: {EXTRA}") from error
    except DevicesError as error:
        raise ToolInputError(str(error)) from error
