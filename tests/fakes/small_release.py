"""A wheel of sitewatch in a few lines, and a source tree around it: to install within seconds, without an index."""

from __future__ import annotations

import base64
import hashlib
import shutil
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = '''"""Stands for sitewatch."""
import sys
from pathlib import Path

PROBED = {probed!r}


def main():
    verb = sys.argv[1]
    print(PROBED if verb == "probe" else "sitewatch {version}")
    return {status}


if __name__ == "__main__":
    sys.exit(main())
'''
NO_DEVICES = '{"accelerators": [{"kind": "cpu"}], "decoders": [{"device": null}], "jetson": null}'


def small_wheel(folder: Path, version: str, *, probed: str = NO_DEVICES, status: int = 0) -> Path:
    """A wheel of this version; its program prints what was probed, and ends with a status."""
    information = f"sitewatch-{version}.dist-info"
    files = {
        "agent/__init__.py": f'__version__ = "{version}"\n',
        "agent/__main__.py": PROGRAM.format(probed=probed, version=version, status=status),
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: sitewatch\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/entry_points.txt": "[console_scripts]\nsitewatch = agent.__main__:main\n",
    }
    rows = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in files.items()]
    wheel = folder / f"sitewatch-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # dated 1980: the same wheel each time
        archive.writestr(zipfile.ZipInfo(f"{information}/RECORD"), "\n".join([*rows, f"{information}/RECORD,,", ""]))
    return wheel


def small_tree(folder: Path) -> Path:
    """A source tree with our own units and site file, and locks that pin nothing."""
    for name in ("systemd", "config"):
        shutil.copytree(REPOSITORY / name, folder / name)
    (folder / "README.md").write_text("# sitewatch\n", encoding="utf-8")
    (folder / "requirements").mkdir()
    for name in ("base", "intel", "nvidia"):
        (folder / "requirements" / f"{name}.lock").write_text("# nothing\n", encoding="utf-8")
    (folder / "requirements" / "jetson.txt").write_text("# nothing instead\n", encoding="utf-8")
    return folder


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
