"""How the process ends, after BSD's sysexits.h."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a service manager, script or person sees; CONFIG alone is not worth a restart. `agent.manual` tells each."""

    OK = 0
    USAGE = 64
    DATAERR = 65
    NOINPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    CANTCREAT = 73
    TEMPFAIL = 75
    CONFIG = 78
