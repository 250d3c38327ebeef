"""A changed site file while the site runs: what differs, what that costs, and how it is applied, or not at all.

The thread `reload` reads, checks and prepares; the line's threads never wait for it. What cannot be applied is undone.
"""
