"""An engine on its device: TensorRT's objects, kept on the CUDA thread and freed there by the last who lets go."""

from __future__ import annotations

import threading
from types import ModuleType

from devices.engines.tensorrt.buffers import BufferSet
from devices.engines.tensorrt.cuda_driver import CudaError, CudaFacts
from devices.engines.tensorrt.cuda_thread import CudaThread
from devices.engines.tensorrt.logger import LogLines, TrtObject, make_logger
from devices.engines.tensorrt.places import TensorPlace, find_places


class PlanRefused(Exception):  # noqa: N818 - it says what is so; the caller turns it into ours
    """TensorRT makes no engine of the plan: damaged, or built for another device or version."""


class LoadedEngine:
    """TensorRT on one CUDA thread. Counts who holds it: the engine, and every session; the last frees it.

    Methods may be called by any thread; what is CUDA in them runs on the CUDA thread.
    """

    def __init__(self, trt: ModuleType, thread: CudaThread, facts: CudaFacts, lines: LogLines) -> None:
        self.facts = facts
        self.lines = lines
        self.places: tuple[TensorPlace, ...] = ()
        self.thread = thread
        self._trt = trt
        self._logger: TrtObject = None
        self._runtime: TrtObject = None
        self._engine: TrtObject = None
        self._profiles: list[int] | None = None
        self._holders = 1
        self._counting = threading.Lock()

    def start(self, dla_core: int | None) -> int:
        """Make the run-time on the CUDA thread, for this DLA core; how many DLA cores it drives.

        Raises:
            CudaError: TensorRT does not start on this device.
        """
        return self.thread.call(lambda: self._start(dla_core))

    def load(self, plan: bytes) -> None:
        """Make the engine of its plan.

        Raises:
            PlanRefused: TensorRT makes none of it; with its own errors.
            EngineLoadError: it cannot be fed or read.
        """
        self.thread.call(lambda: self._load(plan))

    def buffers(self) -> BufferSet:
        """A set of buffers for one more session, which must be given to `release` once.

        Raises:
            CudaError: there is too little memory, or the engine was not built for so many sessions.
        """
        with self._counting:
            self._holders += 1
        try:
            return self.thread.call(self._buffers)
        except BaseException:
            self.release(None)
            raise

    def release(self, buffers: BufferSet | None) -> None:
        """A session with its buffers, or the engine itself, lets go; the last one frees all and ends the thread."""
        with self._counting:
            self._holders -= 1
            is_last = self._holders == 0
        try:
            self.thread.call(lambda: self._release(buffers, is_last=is_last))
        finally:
            if is_last:
                self.thread.stop()

    def _start(self, dla_core: int | None) -> int:
        self._logger = make_logger(self._trt, self.lines)
        try:
            self._runtime = self._trt.Runtime(self._logger)
        except TypeError as error:  # what the binding makes of a library that could not start
            raise CudaError(f"TensorRT does not start: {self.lines.why()}") from error
        cores = int(self._runtime.num_DLA_cores)
        if dla_core is not None and dla_core < cores:
            self._runtime.DLA_core = dla_core  # the core of the load counts, not that of the build
        return cores

    def _load(self, plan: bytes) -> None:
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise PlanRefused(self.lines.why())
        self.places = find_places(self._trt, self._engine)
        count = self._engine.num_optimization_profiles
        self._profiles = list(range(count)) if count > 1 else None

    def _buffers(self) -> BufferSet:
        if self._profiles is not None and not self._profiles:
            raise CudaError("the engine was built for fewer sessions than this")
        profile = self._profiles.pop(0) if self._profiles else 0
        buffers = BufferSet(self._engine, self.thread.driver, self.lines, self.places, profile)
        try:
            buffers.open(is_mapped=self.facts.is_integrated)
        except BaseException:
            self._give_back(profile)
            raise
        self.thread.sessions += 1
        return buffers

    def _release(self, buffers: BufferSet | None, *, is_last: bool) -> None:
        if buffers is not None:
            buffers.close()
            self._give_back(buffers.profile)
            self.thread.sessions -= 1
        if is_last:
            self._engine = None
            self._runtime = None
            self._logger = None  # last: the others call it until they are gone

    def _give_back(self, profile: int) -> None:
        if self._profiles is not None:
            self._profiles.append(profile)
