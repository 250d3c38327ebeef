"""To Core ML's package, checked by evaluating what was written; predicted with too where this is a Mac."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.models.convert.conversion import Ask, Made, Order, Source, Witness
from agent.models.evaluate.engine_use import CPU
from agent.models.recognised import input_shapes
from agent.models.whole_results import Tree
from agent.settings.models import DetectionSettings
from devices.engines.coreml import engine as coreml_engine
from devices.engines.coreml.engine import UNITS_NOTE
from devices.engines.coreml.package import read_coreml_model
from devices.engines.engine import Engine, EngineRequest, Tensors
from devices.engines.image_input import image_tensor
from devices.engines.model_file import ModelFile
from devices.errors import EngineUnavailable
from devices.models.coreml_evaluation import EvaluatedPackage
from devices.models.coreml_lowering import output_names
from devices.models.coreml_package import PackageOrder, write_package
from devices.models.onnx_folded import folded_graph
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import answers_of


def to_coreml(order: Order, source: Source, folder: Path) -> Made:
    """Convert into the folder.

    Raises:
        EngineUnavailable: coremltools is not installed.
        EngineLoadError: the model cannot be converted, with the operator and why.
        ModelError: the product does not recognise the result.
        OSError: it cannot be written.
    """
    wish, package = order.core_ml, folder / order.out.name
    graph = folded_graph(_fixed(source), EngineRequest(source.file.path, CPU))
    image = source.plan.image if wish.takes_pictures else None
    notes = {**source.notes, UNITS_NOTE: wish.compute_units}
    write_package(graph, package, PackageOrder(order.is_half, wish.minimum_target, image, notes))
    plan = _planned(order, package)
    request = EngineRequest(package, CPU, image=plan.image)
    file = read_coreml_model(package)
    evaluated = EvaluatedPackage(package, image_tensor(file, request))
    witness = Witness("the package's operations, in NumPy", file.precision, _asking(evaluated))
    predicted = _predicted(request, file)
    return Made(
        results={package.name: _content(package)},
        plan=plan,
        output_names=output_names(graph.graph),
        witnesses=(witness, *predicted.witnesses),
        close=predicted.close,
        notes=predicted.notes,
    )


def _fixed(source: Source) -> ModelFile:
    """With every size that the model leaves open as the product feeds it."""
    shapes = input_shapes(source.file, {}, source.plan)
    return replace(source.file, inputs=tuple(replace(spec, shape=shapes[spec.name]) for spec in source.file.inputs))


def _planned(order: Order, package: Path) -> DetectionPlan:
    """As a Mac would plan it, but that NumPy computes the sample."""
    settings = order.model.model_copy(update={"path": package, "labels": None, "input_size": None})
    return plan_model(
        package, settings, DetectionSettings(), lambda path, tensors: EvaluatedPackage(path).infer(tensors)
    )


def _asking(evaluated: EvaluatedPackage) -> Ask:
    return lambda questions: tuple(evaluated.infer(question) for question in questions)


def _content(folder: Path) -> Tree:
    """Its files and folders; the one for weights belongs there even where it is empty."""
    return {each.name: _content(each) if each.is_dir() else each for each in sorted(folder.iterdir())}


@dataclass(frozen=True, eq=False)
class _Predicted:
    """What Core ML itself says, or why it was not asked."""

    engine: Engine | None
    precision: str
    notes: tuple[str, ...] = ()

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        if self.engine is None:
            return ()
        spec = self.engine.spec
        name = f"Core ML (coremltools {spec.runtime_version}) on {spec.accelerator.name}"
        return (Witness(name, self.precision, self._ask),)

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()

    def _ask(self, questions: tuple[Tensors, ...]) -> tuple[Tensors, ...]:
        return () if self.engine is None else answers_of(self.engine, Exam(questions, compare_tensors))


def _predicted(request: EngineRequest, file: ModelFile) -> _Predicted:
    try:
        return _Predicted(coreml_engine.load(request), file.precision)
    except EngineUnavailable as error:
        why = f"Core ML itself was not asked: {error}; on a Mac this command asks it too"
        return _Predicted(None, file.precision, (why,))
