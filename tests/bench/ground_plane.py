"""What association on the ground gains and costs: four still cameras whose ground is known, at three frame rates.

python tests/bench/ground_plane.py ../shared/assets

HOTA / IDF1 / switches without and with the ground plane; at lower rates the mean over the frames to begin with. The
four points come from published calibrations, not from measuring with care; `--misplaced 0.01` moves each by a
hundredth of the picture. Then processor microseconds of an update.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from models.detecting import make_frame, make_plan, open_detector

from agent.evaluation.comparing import compare
from agent.evaluation.following import Followed
from agent.evaluation.mot_files import CLASS, SCORE, by_frame, corners
from agent.evaluation.scoring import load_evaluator
from agent.evaluation.sequence import Sequence, read_sequence
from agent.evaluation.speed.scenes import scene
from trackers import ByteTracker, ByteTrackSettings, Detections
from trackers.ground_plane import GroundPlane, GroundPoint

FULL_HD = (1920, 1080)
# At each rate, which frames to begin with.
STARTS = {1: (0,), 3: (0, 1, 2), 6: (0, 2, 3, 5)}
WARM_UP = 30


@dataclass(frozen=True)
class Site:
    """A camera and what is known of its ground, in metres."""

    folder: str
    frame_px: tuple[int, int]
    points: tuple[tuple[tuple[float, float], tuple[float, float]], ...]

    def plane(self, misplaced: float) -> GroundPlane:
        """Its ground, each point by so much (standard deviation, part of the picture) beside where it is."""
        random = np.random.default_rng(1)
        points = []
        for (u, v), ground in self.points:
            beside = random.normal(0.0, 1.0, 2) * misplaced
            points.append(GroundPoint((u + beside[0], v + beside[1]), ground))
        return GroundPlane(tuple(points), self.frame_px)


SITES = (
    # The data set's own calibration of View_001 (Tsai; focal 5.5549 mm, 35.47 m away).
    Site("mot/PETS09-S2L1", (768, 576), (
        ((0.1, 0.9), (-19.63, -8.73)), ((0.9, 0.9), (-15.87, -15.47)),
        ((0.8, 0.35), (-0.36, -8.35)), ((0.15, 0.45), (-10.06, -0.04)),
    )),
    # Camera parameters that the authors of UCMCTrack published with their code (MIT), estimated from the pictures.
    Site("mot/MOT17-02", FULL_HD, (
        ((0.1, 0.9), (-2.12, 2.28)), ((0.9, 0.9), (-1.41, -2.77)),
        ((0.75, 0.5), (19.87, -6.47)), ((0.25, 0.5), (17.32, 11.69)),
    )),
    Site("mot/MOT17-09", FULL_HD, (
        ((0.1, 0.95), (0.06, 1.76)), ((0.9, 0.95), (-0.09, -1.68)),
        ((0.75, 0.58), (9.84, -4.82)), ((0.2, 0.58), (12.33, 6.91)),
    )),
    # Heights of the simulated objects shrink towards a horizon at row 55: a camera 4.2 m up, its focal length assumed.
    Site("mot/scored/sim-yard", (1280, 720), (
        ((0.1, 0.75), (-4.59, 8.1)), ((0.9, 0.75), (4.59, 8.1)),
        ((0.8, 0.45), (6.2, 15.62)), ((0.2, 0.45), (-6.2, 15.62)),
    )),
)  # fmt: skip


def recorded(assets: Path, site: Site) -> Sequence:
    """The sequence with its detections; the clip that has none is shown to a small detector."""
    folder = assets / site.folder
    if (folder / "det.txt").is_file():
        sequence = read_sequence(folder, folder.name)
        sure_enough = sequence.detections[:, SCORE] >= ByteTrackSettings().low_threshold
        return replace(sequence, detections=sequence.detections[sure_enough])
    sequence = read_sequence(folder, folder.name, with_detections=False)
    return replace(sequence, detections=detected(assets))


def detected(assets: Path) -> npt.NDArray[np.float64]:
    """(N, 8) rows of the people in the clip."""
    rows = []
    plan = make_plan(assets / "models" / "yolox_nano_416.onnx", {"labels": assets / "models" / "coco80.txt"})
    with open_detector(plan) as detector, av.open(str(assets / "videos" / "vtest.avi")) as container:
        for number, frame in enumerate(container.decode(video=0), 1):
            seen = detector.detect([make_frame(frame.to_ndarray(format="bgr24"), sequence=number)])[0]
            people = seen[seen.class_ids == 0]
            of_frame = np.ones((len(people), 8))
            of_frame[:, 0], of_frame[:, 1], of_frame[:, SCORE] = number, -1, people.scores
            of_frame[:, 2:4], of_frame[:, 4:6] = people.boxes[:, :2], people.boxes[:, 2:] - people.boxes[:, :2]
            rows.append(of_frame)
    return np.concatenate(rows)


def scores(sequence: Sequence, settings: ByteTrackSettings, every: int) -> str:
    """Mean HOTA, IDF1 and switches over the frames to begin with."""
    told = []
    for start in STARTS[every]:
        followed = follow(sequence, settings, range(1 + start, sequence.length + 1, every))
        found = load_evaluator().measure(compare(sequence, followed)).scores()
        told.append((found.hota, found.idf1, found.switches))
    return "{:.1f} / {:.1f} / {:.0f}".format(*np.mean(told, axis=0))


def follow(sequence: Sequence, settings: ByteTrackSettings, frames: range) -> Followed:
    """Run a new tracker over these frames."""
    tracker, told = ByteTracker(settings), []
    for frame, rows in by_frame(sequence.detections, frames):
        seen = Detections(corners(rows), rows[:, SCORE], rows[:, CLASS].astype(np.int32))
        told.append((frame, tracker.update(seen, frame / sequence.frame_rate)))
    return Followed(tuple(told))


def spent_us(all_settings: tuple[ByteTrackSettings, ...], count: int) -> list[float]:
    """Median processor microseconds of an update for each of these settings, taken in turns."""
    trackers = [ByteTracker(settings) for settings in all_settings]
    spent: list[list[float]] = [[] for _ in trackers]
    for number, seen in enumerate(scene(count)):
        for tracker, times in zip(trackers, spent, strict=True):
            begin_s = time.process_time()
            tracker.update(seen, number / 30)
            times.append(time.process_time() - begin_s)
    return [1e6 * statistics.median(times[WARM_UP:]) for times in spent]


def main() -> None:
    """One line a camera and rate, then one a number of objects."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--misplaced", type=float, default=0.0)
    options = parser.parse_args()
    print(f"{'HOTA / IDF1 / switches':<36}{'IoU':<24}with the ground")
    for site in SITES:
        sequence = recorded(options.assets, site)
        ground = ByteTrackSettings(ground_plane=site.plane(options.misplaced))
        for every in STARTS:
            told = [scores(sequence, settings, every) for settings in (ByteTrackSettings(), ground)]
            print(
                f"{f'{sequence.name}, {sequence.frame_rate / every:.3g} a second':<36}{told[0]:<24}{told[1]}",
                flush=True,
            )
    print(f"{'objects':<36}{'IoU':<24}with the ground")
    for count in (10, 50, 200, 1000):
        without, with_ground = spent_us((ByteTrackSettings(), ground), count)
        print(f"{count:<36}{f'{without:.0f} us':<24}{with_ground:.0f} us")


if __name__ == "__main__":
    main()
