"""What happened: the one place that both logs and counts.

One happenings class a room (`stream.py`, `detect.py`, ...), all built on `teller.py`; `log.py` and `masking.py` decide
how a line reads. May import `agent.errors`, `agent.clock` and the records it tells about; never a step's code.
"""
