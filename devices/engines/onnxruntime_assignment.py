"""What ONNX Runtime really runs where: in silence it puts on the processor what a provider does not take."""

from __future__ import annotations

import ctypes
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from devices.engines.onnxruntime_providers import CPU_PROVIDER, CUDA_PROVIDER, TENSORRT_PROVIDER
from devices.errors import EngineUnavailable

OrtObject: TypeAlias = Any
RECORD = ("session.record_ep_graph_assignment_info", "1")
"""Session setting by which a session remembers what was given to whom."""

_LIBRARIES = {
    CUDA_PROVIDER: "libonnxruntime_providers_cuda.so",
    TENSORRT_PROVIDER: "libonnxruntime_providers_tensorrt.so",
}
_KINDS_TOLD = 4


def require_built_in(runtime: ModuleType, wanted: str) -> None:
    """See that this ONNX Runtime knows the provider at all.

    Raises:
        EngineUnavailable: it was built without it.
    """
    known = runtime.get_available_providers()
    if wanted not in known:
        raise EngineUnavailable(f"onnxruntime: this build has no {wanted}, only {', '.join(known)}")


def require_provider(runtime: ModuleType, session: OrtObject, wanted: str) -> tuple[str, ...]:
    """Notes on what runs where, once the session runs on the provider asked for.

    Raises:
        EngineUnavailable: another provider would run, or the one asked for takes nothing of the model.
    """
    found = session.get_providers()[0]
    if found != wanted:
        reason = missing_library(runtime, wanted) or "its driver or device refuses"
        raise EngineUnavailable(f"onnxruntime: {wanted} was asked for, {found} would run: {reason}")
    shares = None if wanted == CPU_PROVIDER else assignment(session)
    if shares is None:
        return ()
    if not shares.get(wanted):
        raise EngineUnavailable(f"onnxruntime: {wanted} takes nothing of this model; the processor would run all of it")
    return _told(shares, wanted)


def assignment(session: OrtObject) -> dict[str, Counter[str]] | None:
    """Operators by provider, each with how many; None where this ONNX Runtime does not tell (before 1.24)."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return None
    shares: dict[str, Counter[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        shares.setdefault(part.ep_name, Counter()).update(node.op_type for node in part.get_nodes())
    return shares


def missing_library(runtime: ModuleType, provider: str) -> str:
    """Why a provider's library does not load, or "" where it does, or there is none to ask."""
    name = _LIBRARIES.get(provider)
    file = Path(runtime.__file__ or "").parent / "capi" / (name or "")
    if name is None or not file.is_file():
        return ""
    try:
        ctypes.CDLL(str(file))
    except OSError as error:
        # All it needs is there: what is undefined is ONNX Runtime's own, which it would give.
        return "" if "undefined symbol" in str(error) else str(error)
    return ""


def _told(shares: dict[str, Counter[str]], wanted: str) -> tuple[str, ...]:
    mine, all_of_them = shares[wanted].total(), sum(each.total() for each in shares.values())
    others = sum((operators for name, operators in shares.items() if name != wanted), Counter[str]())
    if not others:
        return (f"all {mine} operators on {wanted}",)
    kinds = [f"{name} {count}" for name, count in others.most_common(_KINDS_TOLD)]
    more = ", ..." if len(others) > _KINDS_TOLD else ""
    return (f"{mine} of {all_of_them} operators on {wanted}; elsewhere {', '.join(kinds)}{more}",)
