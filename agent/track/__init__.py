"""Detections become tracks, one tracker per camera.

May import `agent.telemetry`, the records of `agent.settings`, the data types of `agent.stream` and `agent.detect`, and
`trackers`; no other step.
"""
