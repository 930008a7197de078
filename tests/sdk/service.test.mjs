// The REST API, as the official JavaScript service SDK uses it, with clients attached.

import assert from "node:assert/strict";
import test from "node:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { Client, EVERYTHING } from "./support.mjs";

const service = (hub) =>
  new WebPubSubServiceClient(process.env.CONNECTION_STRING, hub, { allowInsecureConnection: true });

/** Takes the next message of a kind: where it came from, its type and its data. */
async function next(client, kind) {
  const { message } = await client.take(kind);
  const data = message.dataType === "binary" ? Buffer.from(message.data) : message.data;
  return [message.group ?? "server", message.dataType, data];
}

test("sends reach their audience with every type of data", async (t) => {
  const hub = service("service_sends");
  const alice = await Client.start(t, "service_sends", { userId: "alice", groups: ["room"] });
  const bob = await Client.start(t, "service_sends", { userId: "bob" });
  const text = { contentType: "text/plain" };

  await hub.sendToAll({ all: true });
  for (const client of [alice, bob]) {
    assert.deepEqual(await next(client, "server-message"), ["server", "json", { all: true }]);
  }
  await hub.sendToAll("not for bob", { ...text, excludedConnections: [bob.connected.connectionId] });
  assert.deepEqual(await next(alice, "server-message"), ["server", "text", "not for bob"]);
  await hub.sendToAll("only for bob", { ...text, filter: "userId ne 'alice'" });
  assert.deepEqual(await next(bob, "server-message"), ["server", "text", "only for bob"]);
  await hub.sendToUser("alice", "to the user", { ...text, messageTtlSeconds: 60 });
  assert.deepEqual(await next(alice, "server-message"), ["server", "text", "to the user"]);
  await hub.sendToConnection(bob.connected.connectionId, "a JSON text");
  assert.deepEqual(await next(bob, "server-message"), ["server", "json", "a JSON text"]);

  const bytes = Uint8Array.from([0, 1, 255]);
  await hub.group("room").sendToAll(bytes.buffer, { contentType: "application/octet-stream" });
  assert.deepEqual(await next(alice, "group-message"), ["room", "binary", Buffer.from(bytes)]);
  await hub.group("room").sendToAll("nobody", { ...text, filter: "'other' in groups" });
  await hub.group("room").sendToAll("the next", text);
  assert.deepEqual(await next(alice, "group-message"), ["room", "text", "the next"]);
  // Nobody there is no error.
  await hub.sendToUser("nobody", "x", text);
  await hub.sendToConnection("nobody", "x", text);
  await hub.group("nobody").sendToAll("x", text);
});

test("membership and existence can be changed and asked", async (t) => {
  const hub = service("service_groups");
  const alice = await Client.start(t, "service_groups", { userId: "alice" });
  const id = alice.connected.connectionId;
  const room = hub.group("room");
  const there = () => hub.groupExists("room");

  assert.deepEqual([await hub.connectionExists(id), await hub.userExists("alice"), await there()], [true, true, false]);
  assert.deepEqual([await hub.connectionExists("nobody"), await hub.userExists("bob")], [false, false]);
  await room.addConnection(id);
  assert.equal(await there(), true);
  await room.removeConnection(id);
  assert.equal(await there(), false);
  await room.addUser("alice");
  assert.equal(await there(), true);
  await room.removeUser("alice");
  await hub.addConnectionsToGroups(["room", "other"], "userId eq 'alice'");
  assert.deepEqual([await there(), await hub.groupExists("other")], [true, true]);
  await hub.removeConnectionsFromGroups(["other"], `connectionId eq '${id}'`);
  assert.deepEqual([await there(), await hub.groupExists("other")], [true, false]);
  await hub.removeUserFromAllGroups("alice");
  assert.equal(await there(), false);
  await room.addUser("alice");
  await hub.removeConnectionFromAllGroups(id);
  assert.equal(await there(), false);
  await assert.rejects(room.addConnection("nobody"), (error) => error.statusCode === 404);
});

test("permissions are granted, revoked and asked", async (t) => {
  const hub = service("service_permissions");
  const alice = await Client.start(t, "service_permissions", { userId: "alice" });
  const id = alice.connected.connectionId;
  const target = { targetName: "room" };
  for (const permission of ["joinLeaveGroup", "sendToGroup"]) {
    assert.equal(await hub.hasPermission(id, permission, target), false);
    await hub.grantPermission(id, permission, target);
    assert.equal(await hub.hasPermission(id, permission, target), true);
  }
  await alice.sdk.joinGroup("room");
  await alice.sdk.sendToGroup("room", "now I may", "text");
  assert.equal((await alice.takeMessage()).data, "now I may");
  await hub.revokePermission(id, "sendToGroup", target);
  assert.equal(await hub.hasPermission(id, "sendToGroup", target), false);
});

test("connections are closed with a reason, by every audience", async (t) => {
  const hub = service("service_closes");
  const start = (userId) => Client.start(t, "service_closes", { userId, roles: EVERYTHING, groups: [userId] });
  const [one, user, group, all, stays] = [
    await start("one"), await start("user"), await start("group"), await start("all"), await start("stays"),
  ];
  const closed = async (client, reason) => {
    const { message } = (await client.take("disconnected")).message;
    assert.ok(message.endsWith(`Reason: ${reason}`), message);
    await client.take("stopped");
  };
  await hub.closeConnection(one.connected.connectionId, { reason: "one" });
  await closed(one, "one");
  await hub.closeUserConnections("user", { reason: "user" });
  await closed(user, "user");
  await hub.group("group").closeAllConnections({ reason: "group" });
  await closed(group, "group");
  await hub.closeAllConnections({ reason: "all", excluded: [stays.connected.connectionId] });
  await closed(all, "all");
  assert.equal(await hub.connectionExists(stays.connected.connectionId), true);
});

test("what breaks a rule is refused and changes nothing", async (t) => {
  const hub = service("service_refusals");
  const alice = await Client.start(t, "service_refusals", { userId: "alice" });
  const refused = (status) => (error) => error.statusCode === status;
  await assert.rejects(hub.sendToAll("x", { contentType: "text/plain", filter: "nonsense eq" }), refused(400));
  await assert.rejects(hub.sendToAll("x", { contentType: "text/plain", messageTtlSeconds: 301 }), refused(400));
  await assert.rejects(hub.sendToAll("x".repeat(1_048_577), { contentType: "text/plain" }), refused(400));
  const stranger = new WebPubSubServiceClient(
    process.env.CONNECTION_STRING.replace(/AccessKey=[^;]*/, `AccessKey=${"x".repeat(44)}`),
    "service_refusals",
    { allowInsecureConnection: true },
  );
  await assert.rejects(stranger.sendToAll("x", { contentType: "text/plain" }), refused(401));
  await hub.sendToAll("the first", { contentType: "text/plain" });
  assert.deepEqual(await next(alice, "server-message"), ["server", "text", "the first"]);
});
