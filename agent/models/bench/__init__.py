"""How fast engines are: every combination of what was asked for in a process of its own, in turns."""
