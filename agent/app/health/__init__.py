"""How the site is: counts of the line and its surroundings → troubles → ok, degraded or overloaded, with reasons.

`judging` is arithmetic on numbers, `persistence` lets a state change only when that lasts, `health_watch` looks and
tells. Only `agent.app.run` makes a watch.
"""
