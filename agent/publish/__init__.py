"""Events out: stored in the outbox first, then handed to a sink until it has acknowledged them.

May import the data types `agent.events.event` and `agent.track.tracked`; never the code of another step. Only this
room, and the demo as a subscriber, know MQTT.
"""
