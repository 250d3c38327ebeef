"""A clip through the whole line: the verb, and the files it writes (MOT text, annotated video).

May import everything, as the rest of `agent.app`.
"""
