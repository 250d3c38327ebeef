"""How the process ends, after BSD's sysexits.h."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a service manager, script or person sees; CONFIG alone is not worth a restart."""

    OK = 0
    USAGE = 64
    DATAERR = 65
    NOINPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    OSERR = 71
    CANTCREAT = 73
    TEMPFAIL = 75
    CONFIG = 78

    @property
    def meaning(self) -> str:
        """One line for people, as manuals print it."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done, or stopped as asked",
    ExitCode.USAGE: "the command was called with arguments it does not have",
    ExitCode.DATAERR: "a clip or labels file is not what it should be",
    ExitCode.NOINPUT: "a clip or model cannot be read",
    ExitCode.UNAVAILABLE: "no engine can run the model, or a server we need is not there",
    ExitCode.SOFTWARE: "a bug: a stage failed, or a thread did not end",
    ExitCode.OSERR: "the operating system refused a thread, socket or memory",
    ExitCode.CANTCREAT: "the state folder or an output file cannot be written",
    ExitCode.TEMPFAIL: "something others hold, such as a port, is not free now; a later start may work",
    ExitCode.CONFIG: "the site file is wrong; the report says where",
}
