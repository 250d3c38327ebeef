"""How long an update takes, by number of objects, beside other packages' trackers in the same run.

Those run in an interpreter of their own, so that nothing of theirs is installed where the agent is.
"""
