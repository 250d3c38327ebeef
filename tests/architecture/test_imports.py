"""Who may import whom. The rules are data; there are no exemptions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.sources import PACKAGES, files, module_name, shown, tree_of

STEPS = ("agent.stream", "agent.detect", "agent.track", "agent.events", "agent.publish")
WIRING = ("agent.app", "agent.cli", "agent.demo", "agent.__main__")
GROUND = ("agent.errors", "agent.clock", "agent.telemetry")
RECORDS = ("agent.settings.models", "agent.settings.types")
DATA = ("agent.stream.frame", "agent.detect.detected", "agent.track.tracked", "agent.events.event")
FOR_STEPS = (*GROUND, *RECORDS, *DATA, "agent.pipeline")
ROOMS = ("agent.settings", "agent.pipeline", "agent.service", "agent.web")

# A module of the room on the left may import, of ours, what is on the right (and its own room). The longest name wins.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "trackers": (),
    "devices": (),
    "agent": (),
    "agent.telemetry": ("agent.errors", "agent.clock", *RECORDS),
    **dict.fromkeys(ROOMS, (*GROUND, *ROOMS, "devices")),
    "agent.settings": (*GROUND, *ROOMS, "devices", "trackers.ground_plane"),
    "agent.stream": FOR_STEPS,
    "agent.detect": (*FOR_STEPS, "trackers", "devices"),
    "agent.track": (*FOR_STEPS, "trackers"),
    "agent.events": (*FOR_STEPS, "trackers"),
    "agent.publish": (*FOR_STEPS, "trackers"),
    # Runs before anything is installed: plain modules only.
    "agent.install": ("agent.errors", "agent.clock", "agent.service.exit_codes"),
    "agent.evaluation": ("agent.errors", *RECORDS, "trackers"),
    "agent.models": (*GROUND, *RECORDS, "agent.detect", "agent.stream", "devices", "trackers"),
    # Its handler reads what strangers sent as the detection server does.
    "agent.models.torchserve": (
        *(*GROUND, *RECORDS, "agent.detect", "agent.stream", "agent.models", "devices", "trackers"),
        *("agent.serve.picture", "agent.serve.refusal"),
    ),
    "agent.serve": (
        *GROUND,
        *RECORDS,
        "agent.detect",
        "agent.stream",
        "agent.pipeline",
        "agent.web",
        "devices",
        "trackers",
    ),
    **dict.fromkeys(WIRING, PACKAGES),
}
# These libraries may be imported in these rooms only.
HOMES: dict[str, tuple[str, ...]] = {
    "pydantic": ("agent.settings",),
    "fastapi": ("agent.web", "agent.serve"),
    "starlette": ("agent.web", "agent.serve"),
    "uvicorn": ("agent.web", "agent.serve"),
    **dict.fromkeys(("PIL", "python_multipart"), ("agent.serve",)),
    "paho": ("agent.publish", "agent.demo"),
    "onnxruntime": ("devices.engines", "devices.probes", "devices.models"),
    "openvino": ("devices.engines", "devices.probes", "devices.models"),
    "tensorrt": ("devices.engines", "devices.probes", "devices.models"),
    "pycuda": ("devices.engines", "devices.probes"),
    "coremltools": ("devices.engines", "devices.probes", "devices.models"),
    "tritonclient": ("devices.engines",),
    "trackeval": ("agent.evaluation",),
    "scipy": ("agent.evaluation",),
    **dict.fromkeys(("torch", "nncf", "onnxslim"), ("devices.models",)),
    **dict.fromkeys(("matplotlib", "pycocotools", "faster_coco_eval"), ("agent.models",)),
}


def within(name: str, rooms: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of these rooms or lies in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a file imports, wherever in it; of `from a import b` it is `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{_origin(node, path)}.{alias.name}") for alias in node.names)


def _origin(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = module_name(path).split(".")
    up = node.level - (path.name == "__init__.py")
    return ".".join([*parts[: len(parts) - up], *(node.module or "").split(".")]).rstrip(".")


def room_of(module: str) -> str:
    """The longest room of the rules that a module lies in."""
    return max((room for room in MAY_IMPORT if within(module, (room,))), key=len)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_the_right_way(package: str) -> None:
    """No module imports a part of ours that its room may not know."""
    wrong = []
    for path in files(package):
        room = room_of(module_name(path))
        own = () if room == "agent" else (room,)
        for line, name in imports(path):
            if within(name, PACKAGES) and not within(name, (*own, *MAY_IMPORT[room])):
                wrong.append(f"{shown(path)}:{line}: {room} may not import {name}")

    assert not wrong, "\n".join(wrong)


def test_libraries_stay_at_home() -> None:
    """Only the room that wraps a library imports it."""
    wrong = []
    for path in files(*PACKAGES):
        for line, name in imports(path):
            homes = HOMES.get(name.split(".")[0])
            if homes is not None and not within(module_name(path), homes):
                wrong.append(f"{shown(path)}:{line}: {name} belongs in {', '.join(homes)}")

    assert not wrong, "\n".join(wrong)


def test_the_rules_bite() -> None:
    """A step that imports another step's code, and a tracker that imports the agent, would be seen."""
    allowed = MAY_IMPORT[room_of("agent.track.stage")]

    assert not within("agent.detect.yolox", allowed)
    assert within("agent.detect.detected.DetectedFrame", allowed)
    assert room_of("agent.errors") == "agent"
    assert MAY_IMPORT[room_of("trackers.bytetrack.arrays.kalman")] == ()
