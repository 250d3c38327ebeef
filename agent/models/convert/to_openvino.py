"""To OpenVINO's own format: an .xml with its weights beside it."""

from __future__ import annotations

from pathlib import Path

from agent.detect.detection_plan import plan_model
from agent.models.convert.conversion import Made, Order, Source, Witness
from agent.models.evaluate.engine_use import CPU, processors
from agent.settings.models import DetectionSettings
from devices.engines.engine import EngineRequest, Tensors
from devices.engines.openvino import engine as openvino_engine
from devices.engines.openvino.ir_file import weights_of
from devices.models.openvino_ir import write_ir
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import answers_of


def to_openvino(order: Order, source: Source, folder: Path) -> Made:
    """Convert into the folder.

    Raises:
        EngineUnavailable: OpenVINO is not installed.
        EngineLoadError: it refuses the model.
        ModelError: the product does not recognise the result.
        OSError: it cannot be written.
    """
    xml = folder / order.out.name
    write_ir(source.file.path, xml, source.notes, is_half=order.is_half)
    plan = plan_model(xml, order.model.model_copy(update={"path": xml, "labels": None}), DetectionSettings())
    request = EngineRequest(xml, CPU, image=plan.image, threads=processors(), batch=plan.engine_batch)
    engine = openvino_engine.load(request)
    spec = engine.spec

    def ask(questions: tuple[Tensors, ...]) -> tuple[Tensors, ...]:
        return answers_of(engine, Exam(questions, compare_tensors))

    return Made(
        results={file.name: file for file in (weights_of(xml), xml)},
        plan=plan,
        output_names={output.name: output.name for output in source.file.outputs},
        witnesses=(Witness(f"OpenVINO {spec.runtime_version} on {spec.accelerator.name}", spec.precision, ask),),
        close=engine.close,
    )
