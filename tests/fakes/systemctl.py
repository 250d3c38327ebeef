"""A systemctl, and what stands beside it, as programs on PATH: they write down what they are asked, and play systemd.

An instance is ready when the release in use is none of the broken ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, os, sys
from pathlib import Path

folder, root = Path({folder!r}), Path({root!r})
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
state = json.loads((folder / "state.json").read_text())
if not (name == "systemctl" and words[0] in ("show", "list-units", "list-unit-files", "--version")):
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join([name, *words]) + "\\n")
if name != "systemctl":
    sys.exit(0)
current = root / "opt/sitewatch/current"
release = os.path.basename(os.readlink(current)) if current.is_symlink() else ""
if words[0] == "--version":
    print("systemd 252 (252.1)")
elif words[0] == "list-units":
    for unit in state["instances"]:
        print(unit, "loaded active running a site")
elif words[0] == "list-unit-files":
    for unit in state["enabled"]:
        print(unit, "enabled enabled")
elif words[0] == "restart":
    state["runs"] += 1
    state["runs_release"] = release
elif words[0] == "stop":
    state["instances"] = []
elif words[0] == "disable":
    state["enabled"] = []
elif words[0] == "show":
    found = state["broken"].get(state["runs_release"], ["active", "running"])
    print("ActiveState=%s\\nSubState=%s\\nInvocationID=%d\\nJob=" % (*found, state["runs"]))
(folder / "state.json").write_text(json.dumps(state))
"""


class FakeSystemd:
    """The programs in a folder to put first on PATH; `root` is where they look which release is in use."""

    def __init__(self, folder: Path, root: Path, *instances: str) -> None:
        self.folder = folder
        folder.mkdir()
        self._write(
            {"instances": list(instances), "enabled": list(instances), "runs": 1, "runs_release": "", "broken": {}}
        )
        for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "udevadm"):
            program = folder / name
            program.write_text(
                SCRIPT.format(python=sys.executable, folder=str(folder), root=str(root)), encoding="utf-8"
            )
            program.chmod(0o755)

    def breaks_with(self, release: str, active: str, sub: str) -> None:
        """From now on instances are in this state while this release is in use."""
        state = self._read()
        state["broken"][release] = [active, sub]
        self._write(state)

    def calls(self) -> list[str]:
        """What was asked that changes something, since the last time."""
        path = self.folder / "calls"
        said = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return said

    def _read(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "state.json").read_text(encoding="utf-8")))

    def _write(self, state: dict[str, Any]) -> None:
        (self.folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
