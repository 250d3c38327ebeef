"""The agent's own decoders, and all that they import of ours, as one zip that a server's Python imports from."""

from __future__ import annotations

import ast
import importlib.util
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

OURS = ("agent", "devices", "trackers")
# Of every entry; the same parts give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def carried_zip(roots: Sequence[str]) -> bytes:
    """These modules and what they import of ours when they are imported, sources only.

    A package's own `__init__` is left out but for the names that are asked of it: `from trackers import Detections`
    must not bring the tracker along.

    Args:
        roots: dotted names of modules.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in sorted(_Parts(roots).files().items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), source, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class _Parts:
    """What has been found to be needed, module by module."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._sources: dict[str, str] = {}
        self._reexports: dict[str, set[str]] = {}
        for root in roots:
            self._need(root)

    def files(self) -> dict[str, str]:
        """Path in the zip to source, packages included."""
        files = {f"{name.replace('.', '/')}.py": source for name, source in self._sources.items()}
        packages = {name.rpartition(".")[0] for name in self._sources}
        for package in {above for name in packages for above in _above(name)} | set(self._reexports):
            lines = ['"""Part of sitewatch, carried along."""', *sorted(self._reexports.get(package, ()))]
            files[f"{package.replace('.', '/')}/__init__.py"] = "\n".join(lines) + "\n"
        return files

    def _need(self, module: str) -> None:
        if module in self._sources:
            return
        self._sources[module] = source = _path_of(module).read_text(encoding="utf-8")
        for origin, name in _imports(source):
            self._need_name(origin, name)

    def _need_name(self, origin: str, name: str) -> None:
        """What `from origin import name` needs."""
        if _is_module(f"{origin}.{name}"):
            self._need(f"{origin}.{name}")
        elif _path_of(origin).name != "__init__.py":
            self._need(origin)
        else:
            inner = dict(_reexported(_path_of(origin).read_text(encoding="utf-8")))[name]
            self._reexports.setdefault(origin, set()).add(f"from {inner} import {name}")
            self._need_name(inner, name)


def _imports(source: str) -> Iterator[tuple[str, str]]:
    """Origin and name of all that is imported of ours when a module is; not in functions, nor for types only."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            yield from ((node.module or "", alias.name) for alias in node.names)


def _reexported(source: str) -> Iterator[tuple[str, str]]:
    return ((name, origin) for origin, name in _imports(source))


def _above(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what should be its package is a module
        return False


def _path_of(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module, name=module)
    return Path(spec.origin)
