"""Threads and hand-offs; knows nothing of video or MQTT.

`Channel` and `Slots` carry items between threads, `Reorder` restores order behind parallel workers, a `Stage` is one
thread, the `Supervisor` starts, watches and stops a line of them. May import `agent.clock` and `agent.telemetry`.
"""
