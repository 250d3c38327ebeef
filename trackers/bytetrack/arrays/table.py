"""What is known of every living track: one float64 matrix, a column a track, a row a quantity.

One matrix, because dropping and adding tracks is then one operation; quantities along rows, because arithmetic
then runs over contiguous memory. Numbers and class ids are exact in float64 below 2**53.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from trackers.boxes import Float64Array

# The filter: (4, M) centre x, centre y, aspect, height, and their change per unit of time.
POSITION: Final = slice(0, 4)
VELOCITY: Final = slice(4, 8)
HEIGHT: Final = 3
HEIGHT_VELOCITY: Final = 7
# Its covariance: (2, M); row 0 holds for centre x, centre y and height alike, row 1 for the aspect.
POSITION_VARIANCE: Final = slice(8, 10)
COVARIANCE: Final = slice(10, 12)
VELOCITY_VARIANCE: Final = slice(12, 14)
# The life.
TRACK_ID: Final = 14  # 0: not numbered yet
CLASS_ID: Final = 15
CLASS_WEIGHT: Final = 16  # by how much score the class leads
SCORE: Final = 17  # of the last detection
STAGE: Final = 18
BORN_AT: Final = 19
SEEN_AT: Final = 20
CONDEMNED: Final = 21  # 1: stayed longer than its patience; goes when lost next (only as published)
REPORTED: Final = 22  # 1: its number was told outside
ROWS: Final = 23

# Values of STAGE. Tentative tracks are always the last columns of the table.
TENTATIVE: Final = 0.0
TRACKED: Final = 1.0
LOST: Final = 2.0


def empty_table() -> Float64Array:
    """No track."""
    return np.zeros((ROWS, 0))
