"""What each thread of the line does: takes from one hand-off, calls one step, puts into the next.

May import the steps, `agent.pipeline` and `agent.telemetry`; only `agent.app` imports these.
"""
