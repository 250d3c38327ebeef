"""`sitewatch model triton`."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from agent.app.model.evaluate.model_options import model_settings
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.errors import ToolInputError
from agent.models.input_errors import told_as_input
from agent.models.triton.back_ends import BACK_ENDS, BackEnd, Instances, choose_back_end
from agent.models.triton.model_config import Batching, Serving
from agent.models.triton.repository import MLSERVER, OVMS, TRITON, Place, Written, write_model
from agent.models.triton.served_model import ServedModel, Wish, served_model
from agent.models.triton.site_snippet import site_snippet
from agent.service.exit_codes import ExitCode
from devices.engines.image_input import shape_text
from devices.engines.openvino.ir_file import is_ir

STARTS = {
    TRITON: "tritonserver --model-repository={repository} --grpc-address=127.0.0.1 --http-address=127.0.0.1",
    # With today's uvloop the workers of MLServer 1.7 end at their start; and unless told otherwise it takes messages of
    # 4 MB, where a picture of 640 x 640 floats is larger.
    MLSERVER: "MLSERVER_HOST=127.0.0.1 MLSERVER_PARALLEL_WORKERS=0 MLSERVER_GRPC_MAX_MESSAGE_LENGTH=67108864 "
    "mlserver start {repository}",
    OVMS: "ovms --config_path {repository}/config.json --port 9000 --grpc_bind_address 127.0.0.1",
}


def main(options: argparse.Namespace) -> int:
    """Write the model, and print what was read and written, and what to put into a site file.

    Raises:
        SitewatchError: the model, an option or the repository cannot be used.
    """
    quiet_libraries()
    settings = model_settings(options, options.model)
    back_end = _back_end(options)
    place = Place(options.out, options.kind, options.model_version, replaces=options.replace)
    wish = Wish(settings, options.held, takes_pictures=options.pictures, largest_batch=options.max_batch)
    with told_as_input(options.model):
        model = served_model(wish, back_end)
    name = options.name or model.plan.path.stem
    written = write_model(model, _serving(options, name, back_end), place)
    say("\n".join(_told(model, written, place)))
    if not is_ir(options.model):
        say(f"\nin the site file:\n\n{site_snippet(settings, model.plan.path.stem, name, options.kind)}".rstrip())
    return ExitCode.OK


def _back_end(options: argparse.Namespace) -> BackEnd:
    """The one that the options ask for, held against the other options.

    Raises:
        ToolInputError: they do not fit together.
    """
    if options.kind != TRITON and options.back_end != "auto":
        raise ToolInputError(f"--back-end is of Triton; {options.kind} has its own")
    if options.kind == MLSERVER and (options.held or is_ir(options.model)):
        raise ToolInputError("MLServer runs the ONNX model itself, nothing made of it; leave --held out")
    if options.environment and options.back_end != "python":
        raise ToolInputError("--environment is of --back-end python")
    instances = Instances(options.device, options.instances, options.gpus)
    if options.kind == MLSERVER:
        return BACK_ENDS["python"]
    file = options.held or (options.model if is_ir(options.model) else options.model.with_suffix(".onnx"))
    found = choose_back_end(options.back_end, file, instances)
    if options.kind == OVMS and found.name == "tensorrt":
        raise ToolInputError(f"{options.held}: OpenVINO Model Server does not run TensorRT plans")
    return found


def _serving(options: argparse.Namespace, name: str, back_end: BackEnd) -> Serving:
    return Serving(
        name,
        back_end,
        Instances(options.device, options.instances, options.gpus),
        Batching(options.preferred, options.delay_us),
        warms_up=options.warm_up,
        environment=options.environment and options.environment.absolute(),
        threads=options.threads,
    )


def _told(model: ServedModel, written: Written, place: Place) -> Iterator[str]:
    plan = model.plan
    yield f"read    {plan.told()}"
    yield f"wrote   {written.folder.parent}: {', '.join(written.names)} ({_size(written.size_bytes)})"
    for what, specs in (("takes ", model.inputs), ("gives ", model.outputs)):
        yield f"{what}  {', '.join(f'{spec.name} {shape_text(spec)}' for spec in specs)}"
    if model.largest_batch:
        yield f"batches up to {model.largest_batch} pictures"
    yield from (f"note    {note}" for note in model.notes)
    yield f"start   {STARTS[place.server].format(repository=shlex.quote(str(written.folder.parent)))}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB" if size_bytes >= 2**20 else f"{size_bytes / 2**10:.1f} KiB"
