"""The local HTTP face: metrics, health, readiness, status.

The only room that imports FastAPI and uvicorn. May import `agent.errors` and `agent.pipeline`; what it tells is handed
in as callables.
"""
