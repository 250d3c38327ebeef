"""Frames become detections: a model's, read by its family's decoder, or plain motion.

May import `agent.errors`, `agent.clock`, `agent.telemetry`, the records of `agent.settings`, the frame of
`agent.stream`, `devices` and `trackers`; no other step.
"""
