"""The engine worker: a model in a process of its own, for run-times of another Python and crashes not to share.

`engine_worker.py` and the files of `runtimes` run in the worker, under any Python from 3.8 on; the rest is the agent's.
"""
