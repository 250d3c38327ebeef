"""What becomes of tracks: rules that turn tracked frames into events for the outside.

May import `agent.track.tracked` and the data types before it; never the code of another step. Nothing here reads a
clock: times come with the frames, and with whoever says that a camera ended.
"""
