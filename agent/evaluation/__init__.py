"""How good a tracker is: recorded sequences in, scores and times out.

May import `trackers`, `agent.errors` and the records of `agent.settings`. TrackEval and SciPy, which it
brings, are an extra, imported by those who score and nowhere else.
"""
