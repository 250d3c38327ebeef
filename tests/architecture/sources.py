"""What the architecture tests look at: our modules and texts, read, never imported."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("agent", "devices", "trackers")


@cache
def files(*folders: str) -> tuple[Path, ...]:
    """Every Python file in these folders of the repository, in order."""
    found = (path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))
    return tuple(sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path) -> str:
    """A path as a person finds it."""
    return path.relative_to(REPOSITORY).as_posix()


def module_name(path: Path) -> str:
    """agent/stream/frame.py is agent.stream.frame; a package's __init__ is the package."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in version control; without git, every file of our folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
        return tuple(path for path in paths if path.is_file())
    return files("agent", "devices", "trackers", "tests")
