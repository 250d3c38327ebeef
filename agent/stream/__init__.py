"""Pictures in: sources that deliver a camera's frames, their times, and the one thread's work per camera.

May import `agent.errors`, `agent.clock` and the records of `agent.settings`; no other step.
"""
