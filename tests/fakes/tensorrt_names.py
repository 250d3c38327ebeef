"""Which names of TensorRT the fake has in which version; a test holds them against the real bindings."""

from __future__ import annotations

VERSIONS = ("8.6.1", "10.3.0", "10.13.3.9", "10.16.1.11", "11.4.0.106")

WEAK = frozenset({"8.6.1", "10.3.0", "10.13.3.9", "10.16.1.11"})
SINCE_10 = frozenset({"10.3.0", "10.13.3.9", "10.16.1.11", "11.4.0.106"})
SINCE_10_16 = frozenset({"10.16.1.11", "11.4.0.106"})

# Class: names that only these versions have; None is the class itself.
ONLY_IN: dict[str, dict[str | None, frozenset[str]]] = {
    "IBuilderConfig": {"int8_calibrator": WEAK, "set_calibration_profile": WEAK, "progress_monitor": SINCE_10},
    "OnnxParser": {"set_builder_config": SINCE_10_16},
    "IProgressMonitor": {None: SINCE_10},
    "IInt8EntropyCalibrator2": {None: WEAK},
}
# Enumeration: members, and those that only these versions have.
ENUMERATIONS: dict[str, dict[str, frozenset[str]]] = {
    "BuilderFlag": {"FP16": WEAK, "INT8": WEAK, **dict.fromkeys(("GPU_FALLBACK", "TF32"), frozenset(VERSIONS))},
    "NetworkDefinitionCreationFlag": {"EXPLICIT_BATCH": WEAK, "STRONGLY_TYPED": SINCE_10},
    "DataType": {
        **dict.fromkeys(("FLOAT", "HALF", "INT8", "INT32", "BOOL", "UINT8"), frozenset(VERSIONS)),
        "INT64": SINCE_10,
    },
    "MemoryPoolType": {"WORKSPACE": frozenset(VERSIONS)},
    "DeviceType": dict.fromkeys(("GPU", "DLA"), frozenset(VERSIONS)),
    "ProfilingVerbosity": dict.fromkeys(("LAYER_NAMES_ONLY", "DETAILED"), frozenset(VERSIONS)),
    "LayerInformationFormat": dict.fromkeys(("ONELINE", "JSON"), frozenset(VERSIONS)),
    "TensorIOMode": dict.fromkeys(("NONE", "INPUT", "OUTPUT"), frozenset(VERSIONS)),
    "OnnxParserFlag": {"NATIVE_INSTANCENORM": frozenset(VERSIONS), "ADJUST_FOR_DLA": SINCE_10_16},
    "PreviewFeature": {"PROFILE_SHARING_0806": WEAK},
    "Severity": dict.fromkeys(("INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"), frozenset(VERSIONS)),
}


def is_absent(version: str, cls: str, name: str | None) -> bool:
    """Whether this version lacks a class (no name), or a name of it."""
    return version not in ONLY_IN.get(cls, {}).get(name, frozenset(VERSIONS))
