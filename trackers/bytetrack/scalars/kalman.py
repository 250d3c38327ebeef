"""The motion filter, track by track; see `trackers.bytetrack.arrays.kalman` for what it computes."""

from __future__ import annotations

from collections.abc import Iterable

from trackers.bytetrack.arrays.table import LOST
from trackers.bytetrack.noise import NoiseWeights
from trackers.bytetrack.scalars.door import Measured
from trackers.bytetrack.scalars.track import Track


class Motion:
    """Starts, predicts and corrects filters, in place."""

    def __init__(self, weights: NoiseWeights) -> None:
        self._weights = weights

    def started(self, measured: Measured, *, class_id: int, score: float, stage: float, now: float) -> Track:
        """A new track from its first detection, without a number."""
        weights = self._weights
        x, y, aspect, height = measured
        aspect_scale = aspect if weights.aspect_is_relative else 1.0
        position, aspect_position = height * weights.first_position[0], aspect_scale * weights.first_position[1]
        velocity, aspect_velocity = height * weights.first_velocity[0], aspect_scale * weights.first_velocity[1]
        return Track(
            x, y, aspect, height, 0.0, 0.0, 0.0, 0.0,
            position * position, aspect_position * aspect_position, 0.0, 0.0,
            velocity * velocity, aspect_velocity * aspect_velocity,
            0, class_id, score, score, stage, now, now, 0.0, 0.0,
        )  # fmt: skip

    def predict(self, tracks: Iterable[Track], elapsed: float) -> None:
        """Move every track on by `elapsed` units of time. A lost track keeps its height."""
        weights = self._weights
        (position_weight, aspect_weight), (velocity_weight, aspect_velocity_weight) = weights.position, weights.velocity
        is_relative, shrink_limit = weights.aspect_is_relative, weights.shrink_limit
        for track in tracks:
            if track.stage == LOST:
                track.height_velocity = 0.0
            height, aspect = track.height, track.aspect
            track.x += track.x_velocity * elapsed
            track.y += track.y_velocity * elapsed
            track.aspect = aspect + track.aspect_velocity * elapsed
            track.height = height + track.height_velocity * elapsed
            if shrink_limit:
                track.aspect = max(track.aspect, aspect * shrink_limit)
                track.height = max(track.height, height * shrink_limit)
            drift = track.velocity_variance * elapsed
            noise = height * position_weight
            track.variance = track.variance + (track.covariance + track.covariance + drift) * elapsed + noise * noise
            track.covariance += drift
            noise = height * velocity_weight
            track.velocity_variance += noise * noise
            if not is_relative:
                aspect = 1.0
            drift = track.aspect_velocity_variance * elapsed
            noise = aspect * aspect_weight
            spread = (track.aspect_covariance + track.aspect_covariance + drift) * elapsed
            track.aspect_variance = track.aspect_variance + spread + noise * noise
            track.aspect_covariance += drift
            noise = aspect * aspect_velocity_weight
            track.aspect_velocity_variance += noise * noise

    def correct(self, track: Track, measured: Measured) -> None:
        """Draw a track towards its detection."""
        weights = self._weights
        x, y, aspect, height = measured
        noise, aspect_noise = track.height * weights.measurement[0], weights.measurement[1]
        if weights.aspect_is_relative:
            aspect_noise *= track.aspect
        variance, covariance = track.variance, track.covariance
        total = noise * noise + variance
        gain, velocity_gain = variance / total, covariance / total
        off_x, off_y, off_height = x - track.x, y - track.y, height - track.height
        track.x += gain * off_x
        track.y += gain * off_y
        track.height += gain * off_height
        track.x_velocity += velocity_gain * off_x
        track.y_velocity += velocity_gain * off_y
        track.height_velocity += velocity_gain * off_height
        track.velocity_variance -= velocity_gain * covariance
        remains = 1.0 - gain
        track.variance, track.covariance = variance * remains, covariance * remains
        variance, covariance = track.aspect_variance, track.aspect_covariance
        total = aspect_noise * aspect_noise + variance
        gain, velocity_gain = variance / total, covariance / total
        off_aspect = aspect - track.aspect
        track.aspect += gain * off_aspect
        track.aspect_velocity += velocity_gain * off_aspect
        track.aspect_velocity_variance -= velocity_gain * covariance
        remains = 1.0 - gain
        track.aspect_variance, track.aspect_covariance = variance * remains, covariance * remains
