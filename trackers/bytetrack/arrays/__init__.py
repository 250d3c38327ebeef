"""The whole of ByteTrack on arrays: every operation runs over all tracks at once; quick for many objects."""
