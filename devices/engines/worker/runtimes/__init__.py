"""One file a run-time, run by `engine_worker.py` under the worker's Python; none imports its neighbours."""
