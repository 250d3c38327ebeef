"""`sitewatch model torchserve`."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.app.model.evaluate.model_options import model_settings
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.detect.detection_plan import DetectionPlan
from agent.models.input_errors import told_as_input
from agent.models.open_batch import plan_open
from agent.models.torchserve.archive import Running, model_archive
from agent.models.torchserve.server_folder import Doors, check_names, write_server
from agent.service.exit_codes import ExitCode
from agent.settings.models import DetectionSettings

NO_LONGER = "TorchServe is no longer developed (archived in 2025); for something new take sitewatch serve, or Triton"


def main(options: argparse.Namespace) -> int:
    """Write the archive and the configuration, and print what was read and written, and how to start.

    Raises:
        SitewatchError: the model, an option or the folder cannot be used.
    """
    quiet_libraries()
    doors = Doors(options.port, options.grpc_port, wants_token=not options.no_token)
    running = Running(options.workers, options.max_batch, options.max_delay, options.threads, options.max_pixels)
    threshold = {} if options.score_threshold is None else {"score_threshold": options.score_threshold}
    detection = DetectionSettings().model_copy(update=threshold)
    with told_as_input(options.model):
        file, plan = plan_open(model_settings(options, options.model), options.max_batch, detection)
        name = options.name or plan.path.stem
        check_names(name, options.model_version, doors)
        archive = model_archive(name, options.model_version, file, plan, detection, running)
    written = write_server(options.out, name, archive, doors, replaces=options.replace)
    say("\n".join(_told(options.out.absolute(), name, plan, written, doors)))
    return ExitCode.OK


def _told(folder: Path, name: str, plan: DetectionPlan, written: Sequence[str], doors: Doors) -> Iterator[str]:
    size_mib = (folder / written[0]).stat().st_size / 2**20
    yield f"read    {plan.told()}"
    yield f"wrote   {folder}: {', '.join(written)} (the archive {size_mib:.1f} MiB)"
    if plan.batch_fault:
        yield f"note    one picture at a time, as the model cannot take more: {plan.batch_fault}"
    yield f"note    {NO_LONGER}"
    yield f"start   cd {shlex.quote(str(folder))} && torchserve --foreground --ts-config config.properties"
    key = '-H "Authorization: Bearer KEY" ' if doors.wants_token else ""
    yield f"ask     curl {key}-T photo.jpg http://127.0.0.1:{doors.port}/predictions/{name}"
    if doors.wants_token:
        yield f"        KEY is the key of inference in {folder / 'key_file.json'}, which the server writes"
