"""Trying sitewatch out: finds or fetches a clip and a model, runs a site with the embedded broker, prints its events.

May import everything; nothing imports it. What runs is `sitewatch run` itself, in a process of its own.
"""
