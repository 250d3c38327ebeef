"""Answers on standard output."""

from __future__ import annotations

from agent.errors import OutputError


def say(text: str) -> None:
    """Print a text whole, now.

    Raises:
        BrokenPipeError: the reader has had enough; no error to a person.
        OutputError: it cannot be written.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error
