"""Tracks over a restart of the agent: what is written for the next run, and what is made of it there.

A file says what was tracked a moment ago; the outbox says what the outside was told. The two are brought together at
the start, so that no object is `new` twice, and none that is gone goes without its `end`, however the last run ended.
"""
