"""Detection as an HTTP service: requests in, batched over engine sessions, answers out.

Needs the extra `serve` (Pillow, python-multipart), which the daemon does not.
"""
