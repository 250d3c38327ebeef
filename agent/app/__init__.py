"""The only wiring: what is built, started and stopped, and in which order; one module a verb of the command line.

May import everything; nothing but the command line and the demo imports it.
"""
