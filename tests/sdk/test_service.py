"""The REST API, as the official Python service SDK uses it, with clients attached."""

import queue
import unittest

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.messaging.webpubsubclient.models import CallbackType
from azure.messaging.webpubsubservice import WebPubSubServiceClient

from support import CONNECTION_STRING, PATIENCE, Client, client_url


class Service(unittest.TestCase):
    def service(self, hub):
        return WebPubSubServiceClient.from_connection_string(CONNECTION_STRING, hub=hub)

    def start(self, hub, user, groups=None):
        client = Client(self, client_url(hub, user_id=user, groups=groups))
        client.server_messages = queue.Queue()
        client.sdk.subscribe(CallbackType.SERVER_MESSAGE, client.server_messages.put)
        return client

    def assert_told(self, client, data):
        self.assertEqual(client.server_messages.get(timeout=PATIENCE).data, data)

    def test_sends(self):
        """Sends reach their audience."""
        hub = self.service("service_sends_python")
        alice = self.start("service_sends_python", "alice", ["room"])
        bob = self.start("service_sends_python", "bob")
        hub.send_to_all({"all": True})
        self.assert_told(alice, {"all": True})
        self.assert_told(bob, {"all": True})
        hub.send_to_all("only bob", content_type="text/plain", filter="userId eq 'bob'")
        self.assert_told(bob, "only bob")
        hub.send_to_all("not bob", content_type="text/plain", excluded=[bob.identity.connection_id])
        self.assert_told(alice, "not bob")
        hub.send_to_user("alice", "a user", content_type="text/plain")
        self.assert_told(alice, "a user")
        hub.send_to_connection(bob.identity.connection_id, "a connection", content_type="text/plain")
        self.assert_told(bob, "a connection")
        hub.send_to_group("room", "a group", content_type="text/plain")
        self.assertEqual(alice.take()[3], "a group")

    def test_groups(self):
        """Membership and existence can be changed, asked and listed."""
        name = "service_groups_python"
        hub = self.service(name)
        clients = [self.start(name, f"user{number}") for number in range(5)]
        ids = sorted(client.identity.connection_id for client in clients)
        self.assertTrue(hub.user_exists("user0"))
        self.assertFalse(hub.user_exists("nobody"))
        self.assertTrue(hub.connection_exists(ids[0]))
        self.assertFalse(hub.group_exists("room"))
        for number in range(5):
            hub.add_user_to_group("room", f"user{number}")
        self.assertTrue(hub.group_exists("room"))
        members = list(hub.list_connections(group="room"))
        self.assertEqual([member.connection_id for member in members], ids)
        self.assertEqual({member.user_id for member in members}, {f"user{number}" for number in range(5)})
        # Pages of two: the SDK follows the links.
        pages = hub.list_connections(group="room", maxpagesize=2, top=3).by_page()
        sizes = [len(list(page)) for page in pages]
        self.assertEqual(sizes, [2, 1])
        hub.remove_connection_from_group("room", ids[0])
        hub.remove_user_from_group("room", "nobody")
        self.assertEqual(len(list(hub.list_connections(group="room"))), 4)
        for connection in ids:
            hub.remove_connection_from_group("room", connection)
        self.assertFalse(hub.group_exists("room"))
        hub.add_user_to_group("room", "user1")
        hub.remove_user_from_all_groups("user1")
        hub.add_connection_to_group("room", ids[0])
        hub.remove_connection_from_all_groups(ids[0])
        self.assertFalse(hub.group_exists("room"))
        with self.assertRaises(ResourceNotFoundError):
            hub.add_connection_to_group("room", "nobody")

    def test_permissions(self):
        """Permissions are granted, revoked and asked."""
        hub = self.service("service_permissions_python")
        alice = self.start("service_permissions_python", "alice")
        connection = alice.identity.connection_id
        ask = lambda: hub.has_permission("sendToGroup", connection, target_name="room")
        self.assertFalse(ask())
        hub.grant_permission("sendToGroup", connection, target_name="room")
        self.assertTrue(ask())
        hub.revoke_permission("sendToGroup", connection, target_name="room")
        self.assertFalse(ask())

    def test_closes(self):
        """Connections are closed by every audience."""
        name = "service_closes_python"
        hub = self.service(name)
        one, two, three, four = (self.start(name, user, [user]) for user in "abcd")
        hub.close_connection(one.identity.connection_id, reason="enough")
        self.assertTrue(one.stopped.get(timeout=PATIENCE))
        hub.close_user_connections("b", reason="enough")
        self.assertTrue(two.stopped.get(timeout=PATIENCE))
        hub.close_group_connections("c", reason="enough")
        self.assertTrue(three.stopped.get(timeout=PATIENCE))
        hub.close_all_connections(reason="enough")
        self.assertTrue(four.stopped.get(timeout=PATIENCE))
        self.assertFalse(hub.user_exists("d"))

    def test_refusals(self):
        """What breaks a rule is refused."""
        hub = self.service("service_refusals_python")
        with self.assertRaises(HttpResponseError) as raised:
            hub.send_to_all("x", content_type="text/plain", filter="nonsense")
        self.assertEqual(raised.exception.status_code, 400)
        key = CONNECTION_STRING.split("AccessKey=")[1].split(";")[0]
        wrong = CONNECTION_STRING.replace(key, "x" * 44)
        stranger = WebPubSubServiceClient.from_connection_string(wrong, hub="chat")
        with self.assertRaises((ClientAuthenticationError, HttpResponseError)) as raised:
            stranger.send_to_all("x", content_type="text/plain")
        self.assertEqual(raised.exception.status_code, 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
