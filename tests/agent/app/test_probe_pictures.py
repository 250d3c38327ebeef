"""The README shows what `sitewatch probe` prints on recorded machines, and stays true."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fakes.board import board

from agent.app.machine import Machine
from agent.app.probe_text import probe_lines
from devices.candidates import candidates

README = Path(__file__).resolve().parents[3] / "README.md"
BEGIN, END = "<!-- what probe prints: begin -->\n", "<!-- what probe prints: end -->\n"
RENEW = "SITEWATCH_RENEW=1"
PICTURES = {
    "orin_nano_super": "A Jetson Orin Nano, busy",
    "nuc_core_ultra": "A NUC with an NPU (a Core Ultra: no N100 has one)",
    "nuc_npu_without_permission": "The same NUC, where nobody gave the NPU away",
    "mac_mini_m2": "A Mac mini with an M2",
    "virtual_machine": "A plain machine with two processors",
}


def pictures() -> str:
    """Every picture, from the boards as they are now."""
    parts = []
    for name, title in PICTURES.items():
        machine = Machine(board(name))
        inventory = machine.inventory()
        lines = "\n".join(probe_lines(inventory, candidates(inventory), machine.vitals()))
        parts.append(f"<details><summary>{title}</summary>\n\n```\n{lines}\n```\n\n</details>\n")
    return "\n".join(parts)


def test_the_readme_shows_what_is_printed() -> None:
    """Every picture is today's; else renew them: SITEWATCH_RENEW=1 python -m pytest with this file's name."""
    text = README.read_text(encoding="utf-8")
    if os.environ.get("SITEWATCH_RENEW"):
        text = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}{pictures()}{END}", text, flags=re.DOTALL)
        README.write_text(text, encoding="utf-8")

    assert text.partition(BEGIN)[2].partition(END)[0] == pictures(), f"renew with {RENEW}"
