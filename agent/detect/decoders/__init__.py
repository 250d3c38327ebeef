"""Model families, one file each: how its output is recognised, how it is fed, how boxes are read from it.

`families.py` is the table. A decoder names no run-time. May import NumPy, `devices.engines.engine` (records) and what
lies beside it in `agent.detect`.
"""
