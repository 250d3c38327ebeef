"""Bundles: one file of a model and all that belongs to it, every byte of it accounted for. Reading needs NumPy only.

A bundle (`.swmodel`) is a zip archive whose parts are stored uncompressed, so that any zip tool shows what is in it,
nothing has to be inflated to check it, and nothing can swell. Its bytes follow from its parts alone: the first is
`manifest.json`, which has the SHA-256 of every other one, and the archive's comment has the manifest's. A digest is
no signature: it tells damage and carelessness, not who packed it.
"""
