"""What making up for the camera's motion gains and costs: a clip with ground truth, filmed by a camera that moves.

python tests/bench/camera_motion.py ../shared/assets [still pan ...] [--every N]

A window moves over a real clip and its ground truth; the agent's own detector and estimator work on what it shows.
Three columns: without compensation, with the estimate, with the true motion. Then processor milliseconds a frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from models.detecting import make_frame, make_plan, open_detector
from scenes.camera_paths import PATHS, VIEW_PX, between, carried, film

from agent.detect.detected import DetectedFrame
from agent.evaluation.comparing import compare
from agent.evaluation.following import Followed
from agent.evaluation.mot_files import corners
from agent.evaluation.scoring import load_evaluator
from agent.evaluation.sequence import DISTRACTORS, Sequence
from agent.stream.av_picture import AvPicture, Scalers
from agent.stream.frame import Frame
from agent.track.camera_motion import CameraMotionEstimator
from trackers import ByteTracker, ByteTrackSettings, CameraMotion

Rows = npt.NDArray[np.float64]
FPS = 10.0
LEAST_VISIBLE = 0.5
STILL = CameraMotion(np.eye(2, 3))
HIDDEN_CLASS = float(DISTRACTORS[0])  # less than half in view: neither right nor wrong


@dataclass(eq=False)
class Filmed:
    """One path of the camera: what was detected, the motion found and the true one, and what each step cost."""

    path: str
    frames: list[DetectedFrame] = field(default_factory=list)
    estimated: list[CameraMotion | None] = field(default_factory=list)
    true: list[CameraMotion | None] = field(default_factory=list)
    truth: list[Rows] = field(default_factory=list)
    findings: Counter[str] = field(default_factory=Counter)

    def tracked(self, motions: list[CameraMotion | None]) -> Followed:
        """What a tracker says that is told these motions."""
        tracker, told, spent_s = ByteTracker(ByteTrackSettings()), [], []
        for number, (detected, motion) in enumerate(zip(self.frames, motions, strict=True), 1):
            begin_s = time.process_time()
            tracks = tracker.update(detected.detections, detected.frame.info.captured_monotonic_s, motion)
            spent_s.append(time.process_time() - begin_s)
            told.append((number, tracks))
        return Followed(tuple(told), tuple(spent_s))

    def score(self, motions: list[CameraMotion | None]) -> str:
        """HOTA, IDF1 and switches of that."""
        truth = np.concatenate(self.truth)
        sequence = Sequence(self.path, FPS, len(self.frames), DISTRACTORS, truth, np.zeros((0, 8)))
        scores = load_evaluator().measure(compare(sequence, self.tracked(motions))).scores()
        return f"{scores.hota:.1f} / {scores.idf1:.1f} / {scores.switches}"


def filmed(path: str, assets: Path, every: int) -> Filmed:
    """Play the clip, move the window, detect people and estimate the motion."""
    truth = np.loadtxt(assets / "mot" / "PETS09-S2L1" / "gt.txt", delimiter=",")
    result, estimator, before = Filmed(path), CameraMotionEstimator(), None
    plan = make_plan(assets / "models" / "yolox_nano_416.onnx", {"labels": assets / "models" / "coco80.txt"})
    with open_detector(plan) as detector:
        for number, pixels in _pictures(assets, every):
            now = PATHS[path](number / FPS)
            frame = make_frame(film(pixels, now), sequence=number)
            seen = detector.detect([frame])[0]
            detected = DetectedFrame(frame, seen[seen.class_ids == 0], detector.labels)
            estimate = estimator.estimate(detected)
            result.frames.append(detected)
            result.findings[estimate.finding.value] += 1
            result.estimated.append(estimate.motion)
            result.true.append(None if before is None else CameraMotion(between(before, now)))
            result.truth.append(_visible(truth[truth[:, 0] == number + 1], now, len(result.frames)))
            before = now
    return result


def _pictures(assets: Path, every: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    with av.open(str(assets / "videos" / "vtest.avi")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                yield number, frame.to_ndarray(format="bgr24")


def _visible(rows: Rows, now: Rows, number: int) -> Rows:
    """(N, 8) the ground truth of a frame as the window shows it, cut at its borders."""
    boxes = carried(corners(rows), now)
    cut = np.clip(boxes, 0.0, np.array(VIEW_PX * 2))
    share = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    is_visible = share >= LEAST_VISIBLE
    moved = np.ones((len(rows), 8))
    moved[:, 0], moved[:, 1] = number, rows[:, 1]
    moved[:, 2:4], moved[:, 4:6] = cut[:, :2], cut[:, 2:] - cut[:, :2]
    moved[:, 6], moved[:, 7] = is_visible, np.where(is_visible, 1.0, HIDDEN_CLASS)
    return moved[share > 0.0]


def costs_ms(result: Filmed, assets: Path) -> dict[str, float]:
    """Processor milliseconds a frame: decoding H.264, estimating on what the decoder gives, and the tracker."""
    estimator, scalers = CameraMotionEstimator(), Scalers()
    with av.open(str(assets / "videos" / "vtest_h264.mp4")) as container:
        container.streams.video[0].thread_type = "NONE"
        decoded, marks = container.decode(video=0), [time.process_time()]
        for detected in result.frames:
            picture = AvPicture(next(decoded), scalers)
            marks.append(time.process_time())
            info = replace(detected.frame.info, width_px=768, height_px=576)
            estimator.estimate(DetectedFrame(Frame(info, picture), detected.detections, detected.labels))
            marks.append(time.process_time())
    steps = np.diff(marks)
    spent_s = {"decoding": steps[0::2].mean(), "estimating": steps[1::2].mean()}
    spent_s["tracking, no motion"] = np.mean(result.tracked([None] * len(result.frames)).spent_s)
    spent_s["tracking, a motion each"] = np.mean(result.tracked([STILL] * len(result.frames)).spent_s)
    return {name: 1e3 * float(each) for name, each in spent_s.items()}


def main() -> None:
    """One line a path, then what it costs beside its neighbours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=Path)
    parser.add_argument("paths", nargs="*", default=list(PATHS))
    parser.add_argument("--every", type=int, default=1, help="look at each so many-th frame of 10 a second")
    options = parser.parse_intermixed_args()
    print(f"{'HOTA / IDF1 / switches':<26}{'ignored':<24}{'compensated':<24}{'true motion':<24}findings")
    for path in options.paths:
        result = filmed(path, options.assets, options.every)
        told = [result.score(each) for each in ([None] * len(result.frames), result.estimated, result.true)]
        print(f"{path:<26}" + "".join(f"{each:<24}" for each in told) + str(dict(result.findings)), flush=True)
    told = ", ".join(f"{name} {ms:.2f}" for name, ms in costs_ms(result, options.assets).items())
    print(f"processor ms a frame of 768 x 576: {told}")


if __name__ == "__main__":
    main()
