"""The verb that runs the tracker over recorded sequences and tells scores and times.

May import everything, as the rest of `agent.app`.
"""
