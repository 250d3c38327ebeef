"""PyTorch modules by their name in Python, or out of TorchScript files, with weights beside them."""

from __future__ import annotations

import contextlib
import importlib
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from devices.errors import ModelFileError
from devices.models.torch_failures import reason
from devices.models.torch_library import TorchObject, import_torch, silence
from devices.models.torch_model import TorchModel

# Under one of these a training script keeps the weights among what else it saves; the average of them is the better.
_WEIGHT_KEYS = ("ema_state_dict", "state_dict", "model_state_dict", "model", "net", "weights")
_OF_PARALLEL = "module."  # what training on several devices puts before every name


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Modules in a folder can be imported, before any that are installed."""
    place = str(folder.resolve())
    sys.path.insert(0, place)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(place)


def load_named(name: str, arguments: Mapping[str, object]) -> TorchModel:
    """Import a module, or what makes one, and make it, in eval mode. This runs its code.

    Args:
        name: `package.module:name`; a class or function is called, a module is taken as it is.
        arguments: by name, for the class or function.

    Raises:
        ModelFileError: it cannot be imported or made, or is no PyTorch module.
        EngineUnavailable: PyTorch is not installed.
    """
    torch = import_torch()
    module_name, _, path = name.partition(":")
    try:
        found: TorchObject = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        raise ModelFileError(f"{name} cannot be imported: {reason(error)}") from error
    if not isinstance(found, torch.nn.Module):
        found = _made(name, found, arguments)
    elif arguments:
        raise ModelFileError(f"{name} is a module already, which takes no arguments; found {', '.join(arguments)}")
    if not isinstance(found, torch.nn.Module):
        raise ModelFileError(f"{name} gives a {type(found).__name__}; a torch.nn.Module is needed, or what makes one")
    is_script = isinstance(found, torch.jit.ScriptModule)
    return TorchModel(_at_rest(found), type(found).__name__, is_script)


def load_script(path: Path) -> TorchModel:
    """A TorchScript file, in eval mode. This runs its code.

    Raises:
        ModelFileError: missing, unreadable, cut short, or no TorchScript.
        EngineUnavailable: PyTorch is not installed.
    """
    torch = import_torch()
    _require_script(path)
    try:
        with silence():
            module = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, OSError, ValueError) as error:
        raise ModelFileError(f"{path}: no TorchScript, or damaged: {reason(error)}") from error
    return TorchModel(_at_rest(module), str(getattr(module, "original_name", path.stem)), is_script=True)


def load_weights(model: TorchModel, path: Path) -> None:
    """Put the weights of a file into a module; all of them must fit. Only tensors are read, no code is run.

    Raises:
        ModelFileError: missing, unreadable, holds more than tensors and plain values, or the weights of another module.
    """
    held = _held(path)
    weights = _weights_in(path, held)
    if weights and all(name.startswith(_OF_PARALLEL) for name in weights):
        weights = {name.removeprefix(_OF_PARALLEL): tensor for name, tensor in weights.items()}
    try:
        model.module.load_state_dict(weights)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ModelFileError(f"{path}: not the weights of {model.name}: {_misfit(model, weights)}") from error


def _made(name: str, maker: TorchObject, arguments: Mapping[str, object]) -> TorchObject:
    if not callable(maker):
        raise ModelFileError(f"{name} is a {type(maker).__name__}; a torch.nn.Module is needed, or what makes one")
    try:
        return maker(**arguments)
    except (Exception, SystemExit) as error:
        raise ModelFileError(f"{name} cannot be made: {reason(error)}") from error


def _at_rest(module: TorchObject) -> TorchObject:
    """In eval mode, on the processor; a frozen TorchScript module has its mode for good."""
    if hasattr(module, "training"):
        module.eval()
    return module.to("cpu")


def _require_script(path: Path) -> None:
    names = _names_in(path)
    if any("/code/" in name for name in names):
        return
    if any(name.endswith("data.pkl") for name in names):
        raise ModelFileError(
            f"{path}: weights without their module (torch.save), no TorchScript; name the class, and this file "
            f"with --weights: package.module:Class --weights {path.name}"
        )
    if any("exported_program" in name or name.endswith("models/model.json") for name in names):
        raise ModelFileError(f"{path}: an exported program (torch.export.save), no TorchScript; name the class instead")
    raise ModelFileError(f"{path}: no TorchScript file")


def _names_in(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile as error:
        raise ModelFileError(f"{path}: no TorchScript file, or one that was cut short") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def _held(path: Path) -> object:
    torch = import_torch()
    try:
        with silence():
            return torch.load(str(path), map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # what a damaged file makes its reader raise is not told anywhere
        if "weights_only" in str(error).lower():
            raise ModelFileError(
                f"{path}: holds Python objects beside tensors, and reading them would run code of the file; save the "
                "weights alone: torch.save(module.state_dict(), ...)"
            ) from error
        raise ModelFileError(f"{path}: no PyTorch weights, or damaged: {reason(error)}") from error


def _weights_in(path: Path, held: object) -> Mapping[str, TorchObject]:
    for key in (None, *_WEIGHT_KEYS):
        found = held if key is None else held.get(key) if isinstance(held, Mapping) else None
        if isinstance(found, Mapping) and found and all(map(import_torch().is_tensor, found.values())):
            return found
    raise ModelFileError(f"{path}: holds no weights by name (a state dict), itself or under {', '.join(_WEIGHT_KEYS)}")


def _misfit(model: TorchModel, weights: Mapping[str, TorchObject]) -> str:
    own = model.module.state_dict()
    if missing := sorted(set(own) - set(weights)):
        return f"{len(missing)} of its {len(own)} are missing, {missing[0]} for one"
    if unknown := sorted(set(weights) - set(own)):
        return f"it has no {unknown[0]}" + (f", nor {len(unknown) - 1} more of them" if len(unknown) > 1 else "")
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape:
            return f"{name} has shape {tuple(weights[name].shape)} there, and {tuple(tensor.shape)} in the module"
    return "they do not fit"
