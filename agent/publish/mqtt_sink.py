"""Events, statuses and detections to an MQTT broker."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from agent.clock import Clock
from agent.errors import SinkError
from agent.publish.backoff import Backoff
from agent.publish.message import Message
from agent.publish.mqtt_connection import MqttConnection
from agent.publish.mqtt_failure import Verdict
from agent.publish.payload import camera_status_payload, site_status_payload
from agent.publish.sink import Delivery
from agent.publish.status import CameraStatus, SiteState, SiteStatus
from agent.publish.stored import StoredEvent
from agent.publish.topics import Topics
from agent.settings.models import BrokerSettings
from agent.telemetry.publish import PublishHappenings

SEND_TIMEOUT_S = 0.8
GOODBYE_TIMEOUT_S = 1.0
# For the goodbye of a session that is up. An attempt to connect blocks for longer, and is not worth waiting for.
JOIN_TIMEOUT_S = 2.0


class MqttSink:
    """Publishes at QoS 1 and reports what the broker acknowledged; see `EventSink`.

    `start` once before anything else, `close` once or twice at the end. `send` belongs to one thread; the others may be
    called by any. The site's status is birth and will: `online` begins every connection, `stopped` ends it where we
    can say so, and `offline` is what the broker tells when we vanish.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        topics: Topics,
        status: SiteStatus,
        clock: Clock,
        chance: random.Random,
        happened: PublishHappenings,
        backoff: Backoff | None = None,
    ) -> None:
        self._topics = topics
        self._status = status
        self._clock = clock
        self._happened = happened
        self._connection = MqttConnection(settings, client_id, self._will, clock, chance, happened, backoff)
        self._outgoing = self._connection.outgoing

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted us, now."""
        return self._connection.is_connected

    def start(self) -> None:
        """Begin to connect; an absent broker is no error.

        Raises:
            SettingsError: a certificate or key cannot be used.
        """
        self.publish_site_status(self._status)
        self._connection.start()

    def send(self, batch: Sequence[StoredEvent]) -> Delivery:
        """Publish what is not on its way yet and wait a moment for acknowledgements.

        Raises:
            SinkError: the connection's thread ended by a bug; nothing will ever be sent again.
        """
        if self._connection.error is not None:
            raise SinkError("the connection to the broker ended by a bug") from self._connection.error
        messages = {e.sequence: Message(self._topics.events(e.camera_id), e.payload) for e in batch}
        self._outgoing.events.offer(messages)
        self._connection.wake()
        verdicts = self._outgoing.events.collect(messages, SEND_TIMEOUT_S)
        accepted = tuple(sorted(key for key, verdict in verdicts.items() if verdict is Verdict.ACCEPTED))
        rejected = tuple(sorted(key for key, verdict in verdicts.items() if verdict is Verdict.REJECTED))
        return Delivery(accepted, rejected)

    def publish_site_status(self, status: SiteStatus) -> None:
        """Say this of the site, now and at the beginning of every connection."""
        self._status = status
        self._put_status(self._topics.site_status(), site_status_payload(status))

    def publish_camera_status(self, status: CameraStatus) -> None:
        """Say this of a camera, now and at the beginning of every connection."""
        self._put_status(self._topics.camera_status(status.camera_id), camera_status_payload(status))

    def publish_detections(self, camera_id: str, payload: bytes) -> None:
        """Send the tracks of one frame at QoS 0: now, or never (then counted)."""
        is_kept = self.is_connected and self._outgoing.put_passing(Message(self._topics.detections(camera_id), payload))
        if not is_kept:
            self._happened.message("detections", "dropped")
        self._connection.wake()

    def close(self) -> None:
        """Tell the broker that we stop, and leave. Never raises."""
        self._put_status(self._topics.site_status(), site_status_payload(self._state_now(SiteState.STOPPED)))
        if self.is_connected:
            self._outgoing.statuses.wait_settled(GOODBYE_TIMEOUT_S)
        self._connection.stop(JOIN_TIMEOUT_S)

    def _put_status(self, topic: str, payload: bytes) -> None:
        self._outgoing.statuses.put(Message(topic, payload))
        self._connection.wake()

    def _will(self) -> Message:
        return Message(self._topics.site_status(), site_status_payload(self._state_now(SiteState.OFFLINE)))

    def _state_now(self, state: SiteState) -> SiteStatus:
        return replace(self._status, state=state, since=self._clock.now())
