"""The JSON protocol, as the official Python SDKs speak it."""

import subprocess
import unittest
from pathlib import Path

from azure.messaging.webpubsubclient.models import (
    OpenClientError,
    SendMessageError,
    WebPubSubDataType,
)

from support import EVERYTHING, PATIENCE, Client, client_url

HUB = "sdk_python"


class JsonProtocol(unittest.TestCase):
    def start(self, user=None, roles=None, hub=HUB, groups=None):
        url = client_url(hub, user_id=user, roles=roles, groups=groups)
        return Client(self, url)

    def assert_ack_error(self, name, operation):
        with self.assertRaises(SendMessageError) as raised:
            operation()
        self.assertEqual(raised.exception.error_detail.name, name)

    def test_identity(self):
        """A client is told who it is."""
        alice = self.start("alice")
        self.assertEqual(alice.identity.user_id, "alice")
        nobody = self.start()
        self.assertFalse(nobody.identity.user_id)
        self.assertNotEqual(alice.identity.connection_id, nobody.identity.connection_id)

    def test_types(self):
        """Members of a group get every type of data as it was sent."""
        alice, bob = self.start("alice", EVERYTHING), self.start("bob", EVERYTHING)
        alice.sdk.join_group("types")
        bob.sdk.join_group("types")
        for data, data_type in [
            ("hello \u00e4 \U0001f600\n", WebPubSubDataType.TEXT),
            ({"a": [0, -1.5, None, True], "\u00e4": "\U0001f600"}, WebPubSubDataType.JSON),
            (bytes(range(256)), WebPubSubDataType.BINARY),
        ]:
            sent = memoryview(data) if isinstance(data, bytes) else data
            alice.sdk.send_to_group("types", sent, data_type)
            for client in (alice, bob):
                self.assertEqual(client.take(), ("types", "alice", data_type, data))

    def test_no_echo(self):
        """Without an echo the sender is left out."""
        alice, bob = self.start("alice", EVERYTHING), self.start("bob", EVERYTHING)
        alice.sdk.join_group("echo")
        bob.sdk.join_group("echo")
        text = WebPubSubDataType.TEXT
        alice.sdk.send_to_group("echo", "not for me", text, no_echo=True)
        self.assertEqual(bob.take()[3], "not for me")
        alice.sdk.send_to_group("echo", "for me too", text)
        self.assertEqual(bob.take()[3], "for me too")
        self.assertEqual(alice.take()[3], "for me too")
        alice.sdk.send_to_group("echo", "without an ack", text, ack=False)
        self.assertEqual(alice.take()[3], "without an ack")

    def test_leave(self):
        """Who left a group gets nothing more of it."""
        alice, bob = self.start("alice", EVERYTHING), self.start("bob", EVERYTHING)
        alice.sdk.join_group("left")
        alice.sdk.leave_group("left")
        alice.sdk.join_group("other")
        bob.sdk.send_to_group("left", "unheard", WebPubSubDataType.TEXT)
        bob.sdk.send_to_group("other", "heard", WebPubSubDataType.TEXT)
        self.assertEqual(alice.take()[0], "other")
        self.assertTrue(alice.messages.empty())

    def test_forbidden(self):
        """What the roles do not allow fails."""
        alice = self.start("alice", ["webpubsub.joinLeaveGroup.mine"])
        alice.sdk.join_group("mine")
        text = WebPubSubDataType.TEXT
        self.assert_ack_error("Forbidden", lambda: alice.sdk.join_group("yours"))
        self.assert_ack_error("Forbidden", lambda: alice.sdk.leave_group("yours"))
        self.assert_ack_error("Forbidden", lambda: alice.sdk.send_to_group("mine", "hi", text))

    def test_duplicate(self):
        """An ack id that was used before counts as success and does nothing."""
        alice = self.start("alice", EVERYTHING)
        text = WebPubSubDataType.TEXT
        alice.sdk.join_group("twice")
        alice.sdk.send_to_group("twice", "once", text, ack_id=1000)
        self.assertEqual(alice.take()[3], "once")
        alice.sdk.send_to_group("twice", "again", text, ack_id=1000)
        alice.sdk.send_to_group("twice", "last", text)
        self.assertEqual(alice.take()[3], "last")

    def test_event_without_handler(self):
        """An event that no handler takes fails and leaves the connection open."""
        alice = self.start("alice", EVERYTHING)
        text = WebPubSubDataType.TEXT
        self.assert_ack_error("InternalServerError", lambda: alice.sdk.send_event("any", "x", text))
        alice.sdk.join_group("still here")

    def test_close(self):
        """Closing ends the client."""
        alice = self.start("alice")
        self.assertTrue(alice.sdk.is_connected())
        alice.sdk.close()
        self.assertTrue(alice.stopped.get(timeout=PATIENCE))
        self.assertFalse(alice.sdk.is_connected())

    def test_wrong_hub(self):
        """A token of another hub does not get in."""
        url = client_url("elsewhere", user_id="mallory").replace("/elsewhere", f"/{HUB}")
        with self.assertRaisesRegex(OpenClientError, "401"):
            Client(self, url)

    def test_javascript(self):
        """The Python SDK and the JavaScript SDK understand each other."""
        python = self.start("python", EVERYTHING)
        python.sdk.join_group("mixed")
        echo = subprocess.Popen(
            ["node", "echo.mjs", HUB, "mixed"],
            cwd=Path(__file__).parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(echo.stdout.close)
        self.addCleanup(echo.kill)
        self.assertEqual(echo.stdout.readline().strip(), "ready")
        for data, data_type, answer in [
            ("hi \u00e4", WebPubSubDataType.TEXT, "javascript heard: hi \u00e4"),
            ({"a": [1, "\U0001f600"]}, WebPubSubDataType.JSON, {"a": [1, "\U0001f600"]}),
            (bytes(range(256)), WebPubSubDataType.BINARY, bytes(range(256))),
        ]:
            sent = memoryview(data) if isinstance(data, bytes) else data
            python.sdk.send_to_group("mixed", sent, data_type, no_echo=True)
            self.assertEqual(python.take(), ("mixed", "javascript", data_type, answer))
        python.sdk.send_to_group("mixed", "stop", WebPubSubDataType.TEXT, no_echo=True)
        self.assertEqual(echo.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
