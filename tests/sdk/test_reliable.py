"""The reliable JSON protocol, which is the default of the official Python SDK, over connections that break."""

import os
import queue
import random
import re
import subprocess
import threading
import time
import unittest
from pathlib import Path

from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OpenClientError,
    SendMessageError,
    WebPubSubDataType,
    WebPubSubProtocolType,
)

from support import CONNECTION_STRING, EVERYTHING, PATIENCE, Client, client_url

HUB = "sdk_python_reliable"
SERVER_PORT = re.search(r"Endpoint=http://[^;]*:(\d+)", CONNECTION_STRING)[1]
SEED = os.environ.get("SEED", str(random.randrange(2**31)))
JSON = WebPubSubDataType.JSON
RELIABLE = WebPubSubProtocolType.JSON_RELIABLE
# The threads of the SDK that acknowledge may die with their connections, which tells nothing.
threading.excepthook = lambda _: None


class Proxy:
    """proxy.mjs in a process of its own; it says on its stdout what it did."""

    def __init__(self, test):
        self.process = subprocess.Popen(
            ["node", "proxy.mjs", SERVER_PORT, SEED],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        test.addCleanup(self.end)
        self.endpoint = self.process.stdout.readline().strip()
        self.cuts = 0
        self.obeyed = queue.Queue()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            what, _, rest = line.strip().partition(" ")
            if what == "cut":
                self.cuts = int(rest)
            else:
                self.obeyed.put(rest)

    def end(self):
        """Its input ends, and so does it."""
        self.process.stdin.close()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()

    def tell(self, command):
        """Tells it to do something and waits until it has done so."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        if self.obeyed.get(timeout=PATIENCE) != command:
            raise AssertionError("the proxy does not obey")


class ReliableProtocol(unittest.TestCase):
    def start(self, user, through=None, hub=HUB, **options):
        endpoint = through.endpoint if through else None
        url = client_url(hub, endpoint, user_id=user, roles=EVERYTHING)
        return Client(self, url, protocol=RELIABLE, **options)

    def test_cut_connections(self):
        """10,000 messages over 100 cut connections: none is lost, none comes twice, none is late."""
        count, cuts = 10_000, 100
        print(f"the network misbehaves by SEED={SEED}", flush=True)
        # No handshake is cut, because this SDK waits for ever after that. The timeout is how long it takes to notice
        # that it is connected, where it did not wait yet when it was.
        proxy = Proxy(self)
        receiver = self.start("receiver", proxy, "sdk_python_cut", start_timeout=1)
        publisher = self.start("publisher", hub="sdk_python_cut")

        # Each callback of the SDK is a thread of its own, so the order in which it took the messages from the wire is
        # what the sequence ids say: it drops those that are not above the last one.
        received = {}
        progress = threading.Condition()

        def on_message(message):
            with progress:
                received.setdefault(message.sequence_id, []).append(message.data)
                progress.notify()

        receiver.sdk.subscribe(CallbackType.GROUP_MESSAGE, on_message)
        receiver.sdk.join_group("cut")
        proxy.tell(f"misbehave {cuts}")
        for number in range(count):
            with progress:
                arriving = progress.wait_for(lambda: number - len(received) < 500, PATIENCE)
            self.assertTrue(arriving, f"{len(received)} of {number} arrived, after {proxy.cuts} cuts")
            publisher.sdk.send_to_group("cut", {"n": number}, JSON, ack=False)
        with progress:
            progress.wait_for(lambda: len(received) >= count, PATIENCE)
        arrived = [message for _, messages in sorted(received.items()) for message in messages]
        self.assertEqual(arrived, [{"n": number} for number in range(count)])
        self.assertEqual(list(sorted(received)), list(range(1, count + 1)))
        self.assertEqual(proxy.cuts, cuts)
        self.assertTrue(receiver.connected.empty())
        self.assertTrue(receiver.stopped.empty())

    def test_lost_ack(self):
        """A publish whose ack was lost is repeated with the same ack id, and not done twice."""
        proxy = Proxy(self)
        receiver = self.start("receiver")
        receiver.sdk.join_group("retry")
        publisher = self.start("publisher", proxy)
        proxy.tell("hold")

        def publish():
            publisher.sdk.send_to_group("retry", {"n": 1}, JSON, ack_id=1001)

        failed = queue.Queue()

        def try_to_publish():
            try:
                publish()
            except SendMessageError as error:
                failed.put(error)

        threading.Thread(target=try_to_publish, daemon=True).start()
        self.assertEqual(receiver.take()[3], {"n": 1})
        proxy.tell("cut")
        self.assertIsNotNone(failed.get(timeout=PATIENCE))
        # The SDK says nowhere else that the connection is back.
        while not publisher.sdk.is_connected():
            time.sleep(0.01)
        publish()
        publisher.sdk.send_to_group("retry", {"n": 2}, JSON)
        self.assertEqual(receiver.take()[3], {"n": 2})
        self.assertTrue(receiver.messages.empty())

    def test_recovery(self):
        """A recovery changes nothing: the connection is in its groups and gets what it missed."""
        proxy = Proxy(self)
        alice = self.start("alice", proxy, auto_rejoin_groups=False)
        bob = self.start("bob")
        alice.sdk.join_group("kept")
        for number in range(3):
            proxy.tell("cut")
            bob.sdk.send_to_group("kept", {"n": number}, JSON)
            self.assertEqual(alice.take()[3], {"n": number})
        self.assertTrue(alice.connected.empty())

    def test_close(self):
        """Closing ends the session: it does not keep its place for the rest of the window, which is 5 minutes."""
        for _ in range(3):
            client = self.start_when_there_is_room("alice", "sdk_python_single")
            client.sdk.close()
            self.assertTrue(client.stopped.get(timeout=PATIENCE))

    def start_when_there_is_room(self, user, hub):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.start(user, hub=hub)
            except OpenClientError as error:
                self.assertIn("429", str(error))
                self.assertLess(time.monotonic(), end)


if __name__ == "__main__":
    unittest.main(verbosity=2)
