"""The whole of ByteTrack on plain numbers, track by track: for few objects, when a NumPy call costs more than its work.

Gives what `trackers.bytetrack.arrays` gives, to the last bit: every sum and product is made in the same order.
"""
