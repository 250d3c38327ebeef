"""ByteTrack: every detection counts, the doubtful ones to continue tracks and the sure ones to begin them."""

from __future__ import annotations

from enum import Enum

from trackers.bytetrack.arrays.moving_camera import carry_along
from trackers.bytetrack.arrays.scene import ArrayScene
from trackers.bytetrack.arrays.table import empty_table
from trackers.bytetrack.ledger import Ledger
from trackers.bytetrack.scalars.scene import ScalarScene
from trackers.bytetrack.scalars.track import to_tracks
from trackers.bytetrack.scene import Moment, Scene
from trackers.bytetrack.settings import ByteTrackSettings
from trackers.bytetrack.state import TrackerState, plain_settings
from trackers.bytetrack.timeline import Timeline
from trackers.camera_motion import CameraMotion
from trackers.detections import Detections
from trackers.tracks import Tracks

# Up to FEW tracks and detections plain numbers are quicker, from MANY on arrays are (measured); between them
# whatever computed last goes on, as changing over costs a little too.
FEW, MANY = 40, 50


class ScenePath(str, Enum):
    """What computes the updates; the result is the same."""

    MEASURED = "measured"
    SCALARS = "scalars"
    ARRAYS = "arrays"


class ByteTracker:
    """Follows the objects of one camera.

    Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022. One thread at a
    time may use it; trackers share nothing. Memory is bounded by the tracks alive and the detections of one frame.
    """

    def __init__(self, settings: ByteTrackSettings, path: ScenePath = ScenePath.MEASURED) -> None:
        """A tracker that has seen nothing.

        Args:
            settings: all parameters.
            path: what computes the updates; the quicker one for the number of objects, if not said otherwise.
        """
        self._settings = settings
        # Plain numbers know boxes only; what more is known of a scene is computed in arrays.
        self._path = path if settings.ground_plane is None else ScenePath.ARRAYS
        self._timeline = Timeline(settings.lost_patience_s, settings.frame_rate)
        self._ledger = Ledger()
        self._scene: Scene = ArrayScene(settings, self._timeline.patience, self._ledger, empty_table())

    @property
    def refused(self) -> int:
        """How many detections stayed out so far: not finite, empty, or corners the wrong way round."""
        return self._ledger.refused

    def update(self, detections: Detections, at_s: float, camera_motion: CameraMotion | None = None) -> Tracks:
        """Go on by one frame, one without detections included.

        Args:
            detections: of this frame, in any order. Nothing of it is changed or kept.
            at_s: when the frame was captured, in seconds of any clock. A time equal to or before the last one counts
                as no time passed. A gap longer than the lost patience (and than twice the gap before) ends
                every track and begins afresh.
            camera_motion: how the background moved since the update before; None: not at all, or not known.

        Returns:
            The confirmed tracks seen in this frame, and the numbers of those that ended since the last update.

        Raises:
            ValueError: `at_s` is not a finite number.
        """
        step = self._timeline.advance(at_s)
        if step.is_break:
            self.reset()
        if camera_motion is None:
            self._choose_path(max(len(detections), len(self._scene)))
        else:
            self._carry_along(camera_motion)
        return self._scene.update(detections, Moment(self._timeline.now, step.elapsed))

    def reset(self) -> None:
        """Forget every track: the scene is another one. Numbers go on; what ended is told by the next update."""
        self._scene.clear()
        self._ledger.is_fresh = True

    def export_state(self) -> TrackerState:
        """All that is known, for a tracker of another process; nothing changes. Costs tens of microseconds.

        Raises:
            TrackerStateError: there are more tracks than a state may hold.
        """
        return TrackerState(
            settings=plain_settings(self._settings),
            table=self._scene.table(),
            now=self._timeline.now,
            last_gap=self._timeline.last_gap,
            has_time=self._timeline.has_time,
            is_fresh=self._ledger.is_fresh,
            last_id=self._ledger.last_id,
            ended_ids=self._ledger.ended,
        )

    def import_state(self, state: TrackerState, at_s: float) -> None:
        """Forget everything and go on exactly as the exporting tracker would have; `refused` counts on.

        Args:
            state: of a tracker with equal settings.
            at_s: when that tracker's last update was, in seconds of the clock of the updates to come. The next
                update finds a break, and begins afresh, if it comes too long after that.

        Raises:
            TrackerStateError: the other tracker's settings differ; nothing has changed then.
            ValueError: `at_s` is not a finite number.
        """
        state.check_settings(self._settings)
        self._timeline.resume(state.now, state.last_gap, at_s if state.has_time else None)
        self._ledger.is_fresh, self._ledger.last_id = state.is_fresh, state.last_id
        self._ledger.take_ended()
        self._ledger.end(state.ended_ids)
        self._scene = ArrayScene(self._settings, self._timeline.patience, self._ledger, state.table.copy())

    def _carry_along(self, motion: CameraMotion) -> None:
        """Move every track with the background; it is done in arrays, and the update after it is as well."""
        table = self._scene.table()
        carry_along(table, motion)
        self._scene = ArrayScene(self._settings, self._timeline.patience, self._ledger, table)

    def _choose_path(self, objects: int) -> None:
        """Hand the tracks over to what computes so many objects quicker."""
        uses_arrays = isinstance(self._scene, ArrayScene)
        wants_arrays = objects >= (FEW if uses_arrays else MANY)
        if self._path is not ScenePath.MEASURED:
            wants_arrays = self._path is ScenePath.ARRAYS
        if wants_arrays and not uses_arrays:
            self._scene = ArrayScene(self._settings, self._timeline.patience, self._ledger, self._scene.table())
        elif uses_arrays and not wants_arrays:
            tracks = to_tracks(self._scene.table())
            self._scene = ScalarScene(self._settings, self._timeline.patience, self._ledger, tracks)
