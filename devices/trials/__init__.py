"""Trying an engine out before it is trusted: built, timed and examined, in a process of its own.

Imports `devices.engines`, `devices.measurement` and the records; knows no model family.
"""
