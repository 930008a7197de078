"""The REST API, as the official Python service SDK uses it, with clients attached."""

import asyncio
import inspect
import io
import pathlib
import queue
import unittest

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AsyncioRequestsTransport
from azure.core.rest import HttpRequest
from azure.messaging.webpubsubclient.models import CallbackType, OpenClientError, SendMessageError, WebPubSubDataType
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient as AsyncWebPubSubServiceClient

from support import CONNECTION_STRING, PATIENCE, Client

TEXT = {"content_type": "text/plain"}
BINARY = {"content_type": "application/octet-stream"}
ENDPOINT, KEY = (part.split("=", 1)[1] for part in CONNECTION_STRING.split(";")[:2])
PERMISSIONS = ["joinLeaveGroup", "sendToGroup"]
# What can be sent: how, and what arrives.
CONTENTS = [
    ("hello ä".encode(), TEXT, WebPubSubDataType.TEXT, "hello ä"),
    ("", TEXT, WebPubSubDataType.TEXT, ""),
    ({"a": [1, None, "ä"]}, {}, WebPubSubDataType.JSON, {"a": [1, None, "ä"]}),
    ([], {}, WebPubSubDataType.JSON, []),
    ("a JSON text", {"content_type": "application/json"}, WebPubSubDataType.JSON, "a JSON text"),
    (42, {}, WebPubSubDataType.JSON, 42),
    (b"\x00\x01\xff", BINARY, WebPubSubDataType.BINARY, b"\x00\x01\xff"),
    (io.BytesIO(b"\x00\x01\xff"), BINARY, WebPubSubDataType.BINARY, b"\x00\x01\xff"),
]


class Service(unittest.TestCase):
    def service(self, hub, **options):
        return WebPubSubServiceClient.from_connection_string(CONNECTION_STRING, hub=hub, **options)

    def start(self, hub, **options):
        """Starts a client with a token that has these options."""
        client = Client(self, self.service(hub).get_client_access_token(**options)["url"])
        client.server_messages = queue.Queue()
        client.sdk.subscribe(CallbackType.SERVER_MESSAGE, client.server_messages.put)
        client.disconnected = queue.Queue()
        client.sdk.subscribe(CallbackType.DISCONNECTED, client.disconnected.put)
        client.id = client.identity.connection_id
        return client

    def told(self, client):
        """Takes the next message that the server sent to a client: its type and its data."""
        message = client.server_messages.get(timeout=PATIENCE)
        is_binary = message.data_type == WebPubSubDataType.BINARY
        return message.data_type, bytes(message.data) if is_binary else message.data

    def assert_told(self, client, data, data_type=WebPubSubDataType.TEXT):
        self.assertEqual(self.told(client), (data_type, data))

    def assert_refused(self, status, operation, *arguments, **options):
        with self.assertRaises(HttpResponseError) as raised:
            operation(*arguments, **options)
        self.assertEqual(raised.exception.status_code, status)

    def assert_forbidden(self, operation, *arguments):
        with self.assertRaises(SendMessageError) as raised:
            operation(*arguments)
        self.assertEqual(raised.exception.error_detail.name, "Forbidden")

    def test_methods(self):
        """Each public method is somewhere in this file."""
        text = pathlib.Path(__file__).read_text(encoding="utf-8")
        methods = [name for name, _ in inspect.getmembers(WebPubSubServiceClient, callable) if not name.startswith("_")]
        self.assertGreater(len(methods), 20)
        self.assertEqual([name for name in methods if f".{name}(" not in text], [])

    def test_sends(self):
        """Every kind of data reaches every audience, and nobody else."""
        name = "service_sends_python"
        hub = self.service(name)
        alice, bob = self.start(name, user_id="alice", groups=["room"]), self.start(name, user_id="bob")
        audiences = [
            (lambda message, **how: hub.send_to_all(message, **how), [alice, bob]),
            (lambda message, **how: hub.send_to_user("alice", message, **how), [alice]),
            (lambda message, **how: hub.send_to_connection(bob.id, message, **how), [bob]),
        ]
        for send, present in audiences:
            for message, how, data_type, data in CONTENTS:
                if isinstance(message, io.BytesIO):
                    message.seek(0)
                send(message, **how)
                for client in present:
                    self.assert_told(client, data, data_type)
        for message, how, data_type, data in CONTENTS:
            if isinstance(message, io.BytesIO):
                message.seek(0)
            hub.send_to_group("room", message, **how)
            self.assertEqual(alice.take(), ("room", None, data_type, data))
        hub.send_to_all("the end", **TEXT)
        for client in (alice, bob):
            self.assert_told(client, "the end")
            self.assertTrue(client.messages.empty())
        hub.send_to_user("nobody", "x")
        hub.send_to_connection("nobody", "x")
        hub.send_to_group("nobody", "x")

    def test_chosen(self):
        """Filters and exclusions choose among the recipients of each audience."""
        name = "service_chosen_python"
        hub = self.service(name)
        alice = self.start(name, user_id="alice", groups=["room", "left"])
        bob = self.start(name, user_id="bob", groups=["room"])
        hub.send_to_all("not bob", excluded=[bob.id], **TEXT)
        hub.send_to_all("only bob", filter="userId eq 'bob'", **TEXT)
        hub.send_to_all("nobody", excluded=[bob.id], filter="userId eq 'bob'", **TEXT)
        hub.send_to_user("alice", "in the left", filter="'left' in groups", **TEXT)
        hub.send_to_user("bob", "not in the left", filter="'left' in groups", **TEXT)
        hub.send_to_group("room", "not bob", excluded=[bob.id, "nobody"], **TEXT)
        hub.send_to_group("room", "only bob", filter="not ('left' in groups)", **TEXT)
        hub.send_to_group("room", "the end", **TEXT)
        hub.send_to_all("the end", **TEXT)
        for client, told, group in (
            (alice, ["not bob", "in the left", "the end"], ["not bob", "the end"]),
            (bob, ["only bob", "the end"], ["only bob", "the end"]),
        ):
            # The SDK hands over each message in a thread of its own, so they may overtake each other.
            self.assertCountEqual([self.told(client)[1] for _ in told], told)
            self.assertCountEqual([client.take()[3] for _ in group], group)
        for send in (hub.send_to_all, lambda x, **how: hub.send_to_group("g", x, **how), lambda x, **how: hub.send_to_user("u", x, **how)):
            self.assert_refused(400, send, "x", filter="nonsense eq", **TEXT)
            self.assert_refused(400, send, "x", params={"messageTtlSeconds": 301}, **TEXT)
            self.assert_refused(400, send, "x" * 1_048_577, **TEXT)

    def test_groups(self):
        """Connections and users are put into groups and taken out; who is there can be asked."""
        name = "service_groups_python"
        hub = self.service(name)
        alice, again = self.start(name, user_id="alice"), self.start(name, user_id="alice")
        clients = [alice, again, self.start(name, user_id="bob")]

        def members(group="room"):
            listed = {member.connection_id for member in hub.list_connections(group=group)}
            found = [client for client in clients if client.id in listed]
            hub.send_to_group(group, "who is there?", **TEXT)
            for client in found:
                self.assertEqual(client.take()[0], group)
            self.assertEqual(hub.group_exists(group), bool(found))
            return found

        self.assertEqual(members(), [])
        hub.add_connection_to_group("room", alice.id)
        self.assertEqual(members(), [alice])
        hub.remove_connection_from_group("room", alice.id)
        self.assertEqual(members(), [])
        hub.add_user_to_group("room", "alice")
        self.assertEqual(members(), [alice, again])
        hub.remove_user_from_group("room", "alice")
        self.assertEqual(members(), [])
        for group in ("room", "other"):
            hub.add_user_to_group(group, "alice")
            hub.add_user_to_group(group, "bob")
        hub.remove_connection_from_all_groups(alice.id)
        for group in ("room", "other"):
            self.assertEqual(members(group), clients[1:])
        hub.remove_user_from_all_groups("alice")
        for group in ("room", "other"):
            self.assertEqual(members(group), clients[2:])
        for operation in (hub.add_connection_to_group, hub.add_user_to_group):
            with self.assertRaises(ResourceNotFoundError):
                operation("room", "nobody")
        # Nobody to take out is no error.
        hub.remove_connection_from_group("room", "nobody")
        hub.remove_user_from_group("room", "nobody")
        hub.remove_connection_from_all_groups("nobody")
        hub.remove_user_from_all_groups("nobody")
        hub.send_to_all("the end", **TEXT)
        for client in clients:
            self.assert_told(client, "the end")
            self.assertTrue(client.messages.empty(), "nobody got what was for others")
        self.assertEqual([hub.user_exists(user) for user in ("alice", "nobody")], [True, False])
        self.assertEqual([hub.connection_exists(each) for each in (alice.id, "nobody")], [True, False])

    def test_lists(self):
        """The members of a group are listed, in pages."""
        name = "service_lists_python"
        hub = self.service(name)
        clients = [self.start(name, user_id=user, groups=["room"]) for user in ("a", None, "c")]
        expected = sorted((client.id, client.identity.user_id) for client in clients)
        read = lambda **how: [(member.connection_id, member.user_id) for member in hub.list_connections(group="room", **how)]
        self.assertEqual(read(), expected)
        self.assertEqual(read(maxpagesize=2), expected)
        self.assertEqual(read(maxpagesize=1, top=2), expected[:2])
        pages = hub.list_connections(group="room", maxpagesize=2).by_page()
        self.assertEqual([len(list(page)) for page in pages], [2, 1])
        self.assertEqual(list(hub.list_connections(group="nobody")), [])
        self.assert_refused(400, read, maxpagesize=201)
        self.assert_refused(400, read, top=0)
        self.assert_refused(400, read, continuation_token_parameter="nonsense")

    def test_permissions(self):
        """Each permission is granted, asked and revoked, and means something."""
        name = "service_permissions_python"
        hub = self.service(name)
        alice = self.start(name, user_id="alice")
        acts = {
            "joinLeaveGroup": alice.sdk.join_group,
            "sendToGroup": lambda group: alice.sdk.send_to_group(group, "hi", WebPubSubDataType.TEXT),
        }
        for permission, act in acts.items():
            ask = lambda group: hub.has_permission(permission, alice.id, target_name=group)
            self.assertFalse(ask("room"))
            self.assert_forbidden(act, "room")
            hub.grant_permission(permission, alice.id, target_name="room")
            self.assertEqual([ask("room"), ask("other")], [True, False])
            act("room")
            self.assert_forbidden(act, "other")
            hub.revoke_permission(permission, alice.id, target_name="room")
            self.assertFalse(ask("room"))
            self.assert_forbidden(act, "room")
            self.assertFalse(hub.has_permission(permission, "nobody", target_name="room"))
            with self.assertRaises(ResourceNotFoundError):
                hub.grant_permission(permission, "nobody", target_name="room")
            hub.revoke_permission(permission, "nobody", target_name="room")
            for operation in (hub.grant_permission, hub.revoke_permission, hub.has_permission):
                self.assert_refused(400, operation, permission, alice.id)
        self.assert_refused(400, hub.grant_permission, "everything", alice.id, target_name="room")

    def test_closes(self):
        """Connections are closed by every audience, with a reason or none, except those that are excluded."""
        name = "service_closes_python"
        hub = self.service(name)
        stays = self.start(name, user_id="alice", groups=["room"])
        closes = [
            lambda client, **how: hub.close_connection(client.id, **how),
            lambda _, **how: hub.close_user_connections("alice", excluded=[stays.id], **how),
            lambda _, **how: hub.close_group_connections("room", excluded=[stays.id], **how),
            lambda _, **how: hub.close_all_connections(excluded=[stays.id], **how),
        ]
        text = "Application server closed the connection."
        for close in closes:
            for how, message in (({}, text), ({"reason": "enough ä"}, f"{text} Reason: enough ä")):
                client = self.start(name, user_id="alice", groups=["room"])
                close(client, **how)
                self.assertEqual(client.disconnected.get(timeout=PATIENCE).message, message)
                self.assertTrue(client.stopped.get(timeout=PATIENCE))
                self.assertFalse(hub.connection_exists(client.id))
                self.assertTrue(hub.connection_exists(stays.id))
        hub.close_connection("nobody")
        hub.close_user_connections("nobody")
        hub.close_group_connections("nobody")
        hub.close_all_connections()
        self.assertTrue(stays.stopped.get(timeout=PATIENCE))

    def test_tokens(self):
        """Each option of a token means something to the client that has it."""
        name = "service_tokens_python"
        hub = self.service(name)
        text = WebPubSubDataType.TEXT
        nobody = self.start(name)
        self.assertIsNone(nobody.identity.user_id)
        self.assert_forbidden(nobody.sdk.join_group, "any")
        roles = ["webpubsub.joinLeaveGroup.room", "webpubsub.sendToGroup.room"]
        alice = self.start(name, user_id="älice", roles=roles, groups=["left", "right"], jwt_headers={"kid": "1"})
        self.assertEqual(alice.identity.user_id, "älice")
        for group in ("left", "right"):
            hub.send_to_group(group, group, **TEXT)
            self.assertEqual(alice.take()[0], group)
        alice.sdk.join_group("room")
        alice.sdk.send_to_group("room", "hi", text)
        self.assertEqual(alice.take()[:2], ("room", "älice"))
        self.assert_forbidden(alice.sdk.join_group, "other")
        self.assert_forbidden(lambda: alice.sdk.send_to_group("other", "hi", text))
        self.start(name, minutes_to_expire=5, client_protocol="default")

        base = hub.get_client_access_token()["baseUrl"]
        wrong = [
            hub.get_client_access_token(minutes_to_expire=-10),
            hub.get_client_access_token(client_protocol="MQTT"),
            hub.get_client_access_token(client_protocol="SocketIO"),
            self.service("elsewhere").get_client_access_token(),
        ]
        for token in wrong:
            with self.assertRaisesRegex(OpenClientError, "401"):
                Client(self, f"{base}?access_token={token['token']}")

    def test_clients(self):
        """A client of the SDK can be made in other ways, and asks with each version of the API."""
        name = "service_clients_python"
        alice = self.start(name, user_id="alice")
        with WebPubSubServiceClient(ENDPOINT, name, AzureKeyCredential(KEY)) as hub:
            hub.send_to_all("by key", **TEXT)
        self.assert_told(alice, "by key")
        for version in ("2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"):
            self.service(name, api_version=version).send_to_all(version, **TEXT)
            self.assert_told(alice, version)
        self.assert_refused(400, self.service(name, api_version="2020-01-01").send_to_all, "x")
        stranger = WebPubSubServiceClient(ENDPOINT, name, AzureKeyCredential("x" * 44))
        self.assert_refused(401, stranger.send_to_all, "x")
        self.assert_refused(401, stranger.close_all_connections)
        # A request of the caller's own.
        self.assertEqual(stranger.send_request(HttpRequest("HEAD", "/api/health")).status_code, 200)
        self.assertEqual(stranger.send_request(HttpRequest("GET", f"/api/hubs/{name}/groups/g/connections")).status_code, 401)
        stranger.close()
        self.assertTrue(self.service(name).connection_exists(alice.id))

    def test_async(self):
        """The asynchronous client asks the same."""
        name = "service_async_python"
        alice = self.start(name, user_id="alice", groups=["room"])

        async def ask():
            transport = AsyncioRequestsTransport()
            async with AsyncWebPubSubServiceClient.from_connection_string(
                CONNECTION_STRING, hub=name, transport=transport
            ) as hub:
                await hub.send_to_all("all", **TEXT)
                await hub.send_to_user("alice", {"a": 1})
                await hub.send_to_connection(alice.id, b"\x00\xff", **BINARY)
                await hub.send_to_group("room", "group", **TEXT)
                members = [member.connection_id async for member in hub.list_connections(group="room")]
                there = [await hub.user_exists("alice"), await hub.group_exists("none"), await hub.connection_exists(alice.id)]
                token = await hub.get_client_access_token(user_id="bob")
                return members, there, token

        members, there, token = asyncio.run(ask())
        self.assertEqual((members, there), ([alice.id], [True, False, True]))
        self.assertEqual(Client(self, token["url"]).identity.user_id, "bob")
        expected = [
            (WebPubSubDataType.TEXT, "all"),
            (WebPubSubDataType.JSON, {"a": 1}),
            (WebPubSubDataType.BINARY, b"\x00\xff"),
        ]
        self.assertCountEqual([self.told(alice) for _ in expected], expected)
        self.assertEqual(alice.take()[3], "group")


if __name__ == "__main__":
    unittest.main(verbosity=2)
