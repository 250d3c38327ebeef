"""What can be asked of `sitewatch serve`. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Answer detection requests over HTTP: POST a picture to /detect, get boxes as JSON,
or the picture with the boxes drawn in (?answer=jpeg, ?answer=png). Pictures of
several requests are searched together where the model leaves its batch open; who
asks alone never waits for others.
"""
MORE = """\
pages:
  POST /detect      body: a picture, or a form with the part `image`; thresholds
                    as query parameters (/openapi.json tells all)
  /health /ready    200 or 503; need no token
  /metrics          for Prometheus
  /openapi.json     what every page takes and answers, errors too

A token is needed where --host is not this machine alone: in the file of
--token-file, or in SITEWATCH_SERVE_TOKEN of the environment. SIGTERM drains:
/ready says 503, open requests are answered, then it ends with 0. A second one
insists.

exit status:
  0 drained; 69 an extra is missing, or no engine can run the model; 70 the engine
  failed or hung; 75 the port is taken; 78 an option or the model cannot be used

examples:
  sitewatch serve --model yolox.onnx --labels coco80.txt
  curl --data-binary @a.jpg 'http://127.0.0.1:8080/detect?score_threshold=0.4'
  curl -F image=@a.jpg 'http://127.0.0.1:8080/detect?answer=jpeg' -o boxes.jpg
"""
ENGINES = "auto, fastest, efficient, or a run-time's name"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--model", metavar="M.onnx", type=Path, required=True, help="the detection model")
    add("--labels", metavar="L", type=Path, help="label file, one a line; else the model's own")
    add("--engine", metavar="E", default="auto", help=f"{ENGINES} (auto)")
    add("--sessions", metavar="N", type=int, default=1, help="inferences at once on each device (1)")
    add("--threads", metavar="N", type=int, help="processor threads of one inference; else all cores, shared")
    add("--devices", metavar="N", type=int, help="devices of the chosen kind to use; else all there are")
    add("--cache", metavar="DIR", type=Path, help="where engines and the choice among them are kept; else nowhere")
    _describe_requests(parser)
    _describe_address(parser)
    parser.set_defaults(verb="agent.app.serve.verb:main")


def _describe_requests(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--max-batch-size", metavar="N", type=int, default=8, help="pictures in one inference, at most (8)")
    add(
        "--batching", choices=("measured", "always"), default="measured",
        help="measured: up to the size that pays, found out at the start; always: up to --max-batch-size (measured)",
    )  # fmt: skip
    add("--max-wait", metavar="T", default="5ms", help="how long an idle session waits for a fuller batch (5ms)")
    add("--queue", metavar="N", type=int, default=64, help="requests open at once; one more gets 503 (64)")
    add("--deadline", metavar="T", default="10s", help="from a request to its answer (10s)")
    add("--inference-deadline", metavar="T", default="30s", help="of one inference, else the engine hangs (30s)")
    add("--max-size", metavar="S", default="10MiB", help="of a body; more gets 413 (10MiB)")
    add("--max-pixels", metavar="N", type=int, default=25_000_000, help="of a picture; more gets 422 (25000000)")
    add("--decoders", metavar="N", type=int, default=2, help="pictures decoded at once (2)")
    add("--score-threshold", metavar="S", type=float, default=0.25, help="where a request does not say (0.25)")
    add("--iou-threshold", metavar="S", type=float, default=0.65, help="the same for suppression (0.65)")
    add("--max-detections", metavar="N", type=int, default=300, help="the same for their number (300)")


def _describe_address(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", metavar="H", default="127.0.0.1", help="address to serve on (127.0.0.1)")
    add("--port", metavar="P", type=int, default=8080, help="0 takes a free one (8080)")
    add("--token-file", metavar="F", type=Path, help="file that holds the token which requests must bear")
    add("--drain", metavar="T", default="1s", help="how long to go on while /ready says 503 (1s)")
    add("--log-format", choices=("auto", "json", "text"), default="auto", help="(auto)")
    add("--log-level", choices=("debug", "info", "warning", "error"), default="info", help="(info)")
