"""Clients of the official Python SDKs, made ready for tests."""

import logging
import os
import queue

from azure.messaging.webpubsubclient import WebPubSubClient
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    WebPubSubDataType,
    WebPubSubProtocolType,
)
from azure.messaging.webpubsubservice import WebPubSubServiceClient

CONNECTION_STRING = os.environ["CONNECTION_STRING"]
EVERYTHING = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"]
# The SDK warns of every close, also of those that are asked for.
logging.disable(logging.CRITICAL)
# Only ends a test that hangs.
PATIENCE = 30


def client_url(hub, endpoint=None, **options):
    """Returns a client URL whose token is signed by the official service SDK.

    A token is good for one endpoint: where a client goes through a proxy, that is the endpoint of the proxy."""
    parts = CONNECTION_STRING.split(";")
    if endpoint:
        parts[0] = f"Endpoint={endpoint}"
    service = WebPubSubServiceClient.from_connection_string(";".join(parts), hub=hub)
    return service.get_client_access_token(**options)["url"]


class Client:
    """A started client of the official client SDK that remembers what it is told."""

    def __init__(self, test, url, protocol=WebPubSubProtocolType.JSON, **options):
        self.sdk = WebPubSubClient(
            url,
            protocol_type=protocol,
            message_retry_total=0,
            # The SDK misses what arrives before it starts to wait, as it does from a server on the same machine
            # now and then. It notices after these seconds (its defaults are 30) and goes on.
            ack_timeout=3,
            start_timeout=options.pop("start_timeout", 3),
            **{"reconnect_retry_total": 0, **options},
        )
        self.connected = queue.Queue()
        self.messages = queue.Queue()
        self.stopped = queue.Queue()
        self.sdk.subscribe(CallbackType.CONNECTED, self.connected.put)
        self.sdk.subscribe(CallbackType.GROUP_MESSAGE, self.messages.put)
        self.sdk.subscribe(CallbackType.STOPPED, lambda *_: self.stopped.put(True))
        self.sdk.open()
        test.addCleanup(self.sdk.close)
        self.identity = self.connected.get(timeout=PATIENCE)

    def take(self):
        """Waits for the next group message and takes what it says."""
        message = self.messages.get(timeout=PATIENCE)
        data = message.data
        if message.data_type == WebPubSubDataType.BINARY:
            data = bytes(data)
        return (message.group, message.from_user_id, message.data_type, data)
