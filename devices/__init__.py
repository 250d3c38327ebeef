"""What this machine is and can run: the probe, the engines, the choice among them.

Imports nothing of `agent` or `trackers`. A run-time is imported inside its engine's factory only, so that the
probe works on a machine that has none.
"""
