"""Puts a release on a box and takes it away: environment, units, user, example site; with roll-back.

Runs under the system's Python before anything is installed, so it imports the standard library and a few plain modules
of ours, and nothing that a lock would bring. `scripts/install` and `scripts/uninstall` are its doors.
"""
