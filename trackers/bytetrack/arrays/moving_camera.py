"""Carries the tracks along when the camera itself has moved."""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array
from trackers.bytetrack.arrays.table import COVARIANCE, HEIGHT, HEIGHT_VELOCITY, POSITION_VARIANCE, VELOCITY_VARIANCE
from trackers.camera_motion import CameraMotion

CENTRE, CENTRE_VELOCITY = slice(0, 2), slice(4, 6)
ASPECT, ASPECT_VELOCITY = 2, 6


def carry_along(table: Float64Array, motion: CameraMotion) -> None:
    """Say of every track, in place, where it would be in the present picture had only the camera moved.

    The idea is that of Aharon, Orfaig and Bobrovsky, "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022,
    section 3.2. There tracks are predicted first; with shift, turn and zoom the order makes no difference, and
    tentative tracks, which are not predicted, need it too.

    Centres and their velocities take the whole matrix. Height and width take the stretch of their own direction: an
    upright box stays upright, and an object does not grow by being turned. Of centre x, centre y and height, which
    share their variances, these grow with the area: exact (A P A^T) for shift, turn and zoom.
    """
    linear = motion.matrix[:, :2]
    table[CENTRE] = linear @ table[CENTRE] + motion.matrix[:, 2:]
    table[CENTRE_VELOCITY] = linear @ table[CENTRE_VELOCITY]
    width_stretch, height_stretch = np.hypot(linear[0], linear[1])
    aspect_stretch = width_stretch / height_stretch
    table[[HEIGHT, HEIGHT_VELOCITY]] *= height_stretch
    table[[ASPECT, ASPECT_VELOCITY]] *= aspect_stretch
    spread = np.array([[np.linalg.det(linear)], [aspect_stretch**2]])
    for variances in (POSITION_VARIANCE, COVARIANCE, VELOCITY_VARIANCE):
        table[variances] *= spread
