"""A machine written down as one text file: what the probe saw of it, for tests and for asking others."""
