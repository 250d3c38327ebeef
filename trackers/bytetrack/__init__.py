"""ByteTrack in NumPy: the published algorithm id for id, and a default that does better."""
