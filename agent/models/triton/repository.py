"""Writes a model into the repository of a server: whole or not at all, and never over another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from agent.errors import ToolInputError
from agent.models.triton.model_config import LABELS_NAME, Serving, config_pbtxt
from agent.models.triton.other_servers import MLSERVER_MODULE, OVMS_FILE, mlserver_settings, ovms_config
from agent.models.triton.served_model import ServedModel
from agent.models.whole_results import Content, Folder, holds, write_results

TRITON, MLSERVER, OVMS = "triton", "mlserver", "ovms"
SERVING_FILES = "devices.models.serving"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
CONFIG_NAME = "config.pbtxt"


@dataclass(frozen=True)
class Place:
    """Where a model goes.

    Attributes:
        repository: of the server.
        server: triton, mlserver or ovms.
        version: of the model there.
        replaces: whether a model of the same name may go.
    """

    repository: Path
    server: str = TRITON
    version: str = "1"
    replaces: bool = False


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        folder: of the model.
        names: of the files that are new, below the repository.
        size_bytes: of all.
    """

    folder: Path
    names: tuple[str, ...]
    size_bytes: int


def write_model(model: ServedModel, serving: Serving, place: Place) -> Written:
    """Put a model into a repository; a new version of one that was written alike goes beside the old.

    Raises:
        ToolInputError: a name is none, or there is another model of that name.
        OutputError: it cannot be written.
    """
    check_names(serving.name, place)
    repository = place.repository.absolute()
    folder = repository / serving.name
    own, files = serving.name, _FILES[place.server](model, serving, place)
    if (folder.exists() or folder.is_symlink()) and not place.replaces:
        own, files = f"{own}/{place.version}", _version_only(folder, files, place)
    results: dict[str, Content | Folder] = {own: files}
    names = tuple(f"{own}/{name}" for name in files)
    if place.server == OVMS:
        results[OVMS_FILE] = ovms_config(repository / OVMS_FILE, serving.name, folder, replaces=place.replaces)
        names = (*names, OVMS_FILE)
    return Written(folder, names, write_results(repository, results))


def check_names(name: str, place: Place) -> None:
    """See that a name and a version can be a folder's, on every server.

    Raises:
        ToolInputError: one cannot.
    """
    if not _NAME.fullmatch(name):
        raise ToolInputError(
            f"--name: found {name!r}; allowed are letters, digits, and . _ - after the first, at most 100"
        )
    if not _VERSION.fullmatch(place.version):
        raise ToolInputError(f"--model-version: found {place.version!r}; allowed is a whole number from 1")


def _version_only(folder: Path, files: Folder, place: Place) -> Folder:
    """What a new version adds to a model that was written with the same configuration."""
    shared = {name: content for name, content in files.items() if "/" not in name}
    is_ours = place.server != MLSERVER and all(holds(folder / name, content) for name, content in shared.items())
    if not is_ours or (folder / place.version).exists():
        what = f"version {place.version} of it" if is_ours else "another model"
        raise ToolInputError(
            f"{folder}: there is {what} already; --name gives this one another name, --replace puts it in its place"
        )
    return {name.partition("/")[2]: content for name, content in files.items() if "/" in name}


def _for_triton(model: ServedModel, serving: Serving, place: Place) -> Folder:
    version = {f"{place.version}/{name}": content for name, content in model.files.items()}
    if serving.back_end.name == "python":
        version[f"{place.version}/model.py"] = _source("triton_model.py")
    config = config_pbtxt(model, serving).encode()
    return {CONFIG_NAME: config, LABELS_NAME: _labels(model), **version}


def _for_mlserver(model: ServedModel, serving: Serving, place: Place) -> Folder:
    return {
        "model-settings.json": mlserver_settings(model, serving, place.version),
        LABELS_NAME: _labels(model),
        f"{MLSERVER_MODULE}.py": _source("mlserver_model.py"),
        **model.files,
    }


def _labels(model: ServedModel) -> bytes:
    return "".join(f"{text}\n" for text in model.plan.labels.texts).encode()


def _source(name: str) -> bytes:
    return resources.files(SERVING_FILES).joinpath(name).read_bytes()


_FILES: dict[str, Callable[[ServedModel, Serving, Place], Folder]] = {
    TRITON: _for_triton,
    MLSERVER: _for_mlserver,
    OVMS: _for_triton,  # it reads the version's files, and passes over the rest
}
