"""What the sandbox of the unit, with a board's drop-in, says of device nodes: let through, refused, or not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from booted_systemd import BootedSystemd

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "sitewatch@.service"
# Beside those of the drop-in, one that nobody opened.
OTHER_NODE = "/dev/other"
# No driver has it: an open that is let through ends with ENXIO, one that is refused with EPERM.
MAJOR_OF_NOTHING = "240"
OPEN = """
import errno, os, sys
for name in sys.argv[1:]:
    try:
        os.close(os.open(name, os.O_RDWR))
        print(name, "opened")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
"""


def nodes_of(conf: Path) -> list[str]:
    """The nodes that a drop-in names one by one."""
    return re.findall(r"^DeviceAllow=(/dev/\S+) ", conf.read_text(encoding="utf-8"), re.MULTILINE)


def opened(box: BootedSystemd, conf: Path | None, nodes: Sequence[str]) -> dict[str, str]:
    """What becomes of opening each of these nodes, and `OTHER_NODE`, in the unit's sandbox: name to errno."""
    for number, node in enumerate([*nodes, OTHER_NODE]):
        box.must("mkdir", "-p", str(Path(node).parent))
        box.must("mknod", "-m", "660", node, "c", MAJOR_OF_NOTHING, str(number))
        box.must("chgrp", "video", node)
    name = f"opens-{conf.stem if conf else 'nothing'}@x.service"
    box.write("/usr/local/lib/open.py", OPEN)
    box.write(f"/run/systemd/system/{name}", _unit_that_opens(nodes))
    if conf is not None:
        text = conf.read_text(encoding="utf-8") + "SupplementaryGroups=video\n"
        box.write(f"/run/systemd/system/{name}.d/50-board.conf", text)
    box.must("systemctl", "daemon-reload")
    box.must("systemctl", "start", name)
    said = box.must("journalctl", "--no-pager", "--output=cat", "--unit", name)
    box.must("rm", *nodes, OTHER_NODE)
    return dict(line.split() for line in said.splitlines() if line.startswith("/dev/"))


def _unit_that_opens(nodes: Sequence[str]) -> str:
    """The shipped unit with another program that runs once."""
    unit = UNIT.read_text(encoding="utf-8").replace("Type=notify", "Type=oneshot")
    exec_start = f"ExecStart=/usr/bin/python3 /usr/local/lib/open.py {' '.join([*nodes, OTHER_NODE])}"
    unit = re.sub(r"^ExecStart=.*$", exec_start, unit, flags=re.MULTILINE)
    return re.sub(r"^(Condition|WatchdogSec|OnFailure|Restart).*$", "", unit, flags=re.MULTILINE)
