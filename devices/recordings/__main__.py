"""`python -m devices.recordings [REMARK]`: this machine as a text on standard output."""

from __future__ import annotations

import os
import platform
import sys

from devices.probes.root import this_machine
from devices.recordings.form import write
from devices.recordings.recorder import record


def main() -> int:
    """Print the record."""
    remark = " ".join(sys.argv[1:]) or "(what this machine is)"
    host = platform.node()
    private_words = (host, host.partition(".")[0], *(os.environ.get(name, "") for name in ("USER", "LOGNAME")))
    sys.stdout.write(write(record(this_machine(sys.executable), remark, private_words)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
