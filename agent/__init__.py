"""The daemon: cameras in, events out.

Each room below does one job. `app` is the only wiring and may import everything; the five steps `stream`, `detect`,
`track`, `events`, `publish` know only the data type of the step before; `settings`, `pipeline`, `telemetry`, `web` and
`service` know no step at all.
"""

__version__ = "0.1.0"
