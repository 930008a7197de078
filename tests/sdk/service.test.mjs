// Groups, permissions and closes by the REST API, as the official JavaScript service SDK uses it, with clients attached.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { ackError, Client, EVERYTHING, heard, refused, service } from "./support.mjs";

const TEXT = { contentType: "text/plain" };

/** Tells which of some clients are members of a group: those that get what is sent to it. */
async function members(hub, group, clients) {
  await hub.group(group).sendToAll(`to ${group}`, TEXT);
  // Server messages and group messages of a connection arrive in order.
  await hub.sendToAll("the end", TEXT);
  const found = [];
  for (const [name, client] of Object.entries(clients)) {
    await heard(client, "server-message", "the end");
    const messages = client.events["group-message"].splice(0).map(({ message }) => message.data);
    if (messages.length > 0) found.push(name);
    assert.deepEqual(messages.filter((message) => message !== `to ${group}`), []);
  }
  return found;
}

test("each public method is somewhere in these tests", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.mjs"));
  const texts = files.map((name) => readFileSync(`${import.meta.dirname}/${name}`, "utf8")).join("");
  const hub = service("service_methods");
  const methods = [hub, hub.group("any")].flatMap((each) => Object.getOwnPropertyNames(Object.getPrototypeOf(each)));
  assert.ok(methods.length > 20, String(methods));
  const missing = methods.filter((name) => name !== "constructor" && !texts.includes(`.${name}(`));
  assert.deepEqual(missing, []);
});

test("connections and users are put into a group and taken out", async (t) => {
  const hub = service("service_members");
  const clients = {
    one: await Client.start(t, "service_members", { userId: "alice" }),
    two: await Client.start(t, "service_members", { userId: "alice" }),
    bob: await Client.start(t, "service_members", { userId: "bob" }),
  };
  const id = clients.one.connected.connectionId;
  const room = hub.group("room");
  const inRoom = () => members(hub, "room", clients);

  assert.deepEqual(await inRoom(), []);
  await room.addConnection(id);
  await room.addConnection(id);
  assert.deepEqual(await inRoom(), ["one"]);
  await room.removeConnection(id);
  assert.deepEqual(await inRoom(), []);
  await room.removeConnection(id);
  await room.removeConnection("nobody");

  await room.addUser("alice");
  assert.deepEqual(await inRoom(), ["one", "two"]);
  clients.late = await Client.start(t, "service_members", { userId: "alice" });
  assert.deepEqual(await inRoom(), ["one", "two"], "those that are there, not those that come");
  await room.removeUser("alice");
  assert.deepEqual(await inRoom(), []);
  await room.removeUser("nobody");

  await assert.rejects(room.addConnection("nobody"), refused(404));
  await assert.rejects(room.addUser("nobody"), refused(404));
  await assert.rejects(hub.group(" ").addUser("alice"), refused(400));
});

test("all groups are left at once, by a connection and by a user", async (t) => {
  const hub = service("service_leave");
  const groups = ["left", "right"];
  const clients = {
    one: await Client.start(t, "service_leave", { userId: "alice", groups }),
    two: await Client.start(t, "service_leave", { userId: "alice", groups }),
    bob: await Client.start(t, "service_leave", { userId: "bob", groups }),
  };
  await hub.removeConnectionFromAllGroups(clients.one.connected.connectionId);
  for (const group of groups) assert.deepEqual(await members(hub, group, clients), ["two", "bob"]);
  await hub.removeUserFromAllGroups("alice");
  for (const group of groups) assert.deepEqual(await members(hub, group, clients), ["bob"]);
  await hub.removeConnectionFromAllGroups("nobody");
  await hub.removeUserFromAllGroups("nobody");
});

test("a filter says who is put into groups and taken out", async (t) => {
  const hub = service("service_bulk");
  const clients = {
    alice: await Client.start(t, "service_bulk", { userId: "alice" }),
    bob: await Client.startReliable(t, "service_bulk", { userId: "bob" }),
    nobody: await Client.start(t, "service_bulk", {}),
  };
  await hub.addConnectionsToGroups(["left", "right"], "userId ne null");
  assert.deepEqual(await members(hub, "left", clients), ["alice", "bob"]);
  assert.deepEqual(await members(hub, "right", clients), ["alice", "bob"]);
  await hub.addConnectionsToGroups(["right"], "");
  assert.deepEqual(await members(hub, "right", clients), ["alice", "bob", "nobody"]);
  await hub.removeConnectionsFromGroups(["right", "elsewhere"], "'left' in groups and userId eq 'bob'");
  assert.deepEqual(await members(hub, "right", clients), ["alice", "nobody"]);
  await hub.removeConnectionsFromGroups(["left", "right"], "");
  assert.deepEqual([await hub.groupExists("left"), await hub.groupExists("right")], [false, false]);

  for (const change of [hub.addConnectionsToGroups.bind(hub), hub.removeConnectionsFromGroups.bind(hub)]) {
    await assert.rejects(change([], ""), refused(400));
    await assert.rejects(change(["fine", " "], ""), refused(400));
    await assert.rejects(change(["fine"], "nonsense eq"), refused(400));
  }
  assert.equal(await hub.groupExists("fine"), false);
});

test("connections, users and groups exist as long as they do", async (t) => {
  const hub = service("service_exists");
  const alice = await Client.start(t, "service_exists", { userId: "alice", groups: ["room"] });
  const id = alice.connected.connectionId;
  const exist = async () => [await hub.connectionExists(id), await hub.userExists("alice"), await hub.groupExists("room")];
  assert.deepEqual(await exist(), [true, true, true]);
  assert.deepEqual([await hub.connectionExists("nobody"), await hub.userExists("Alice"), await hub.groupExists("Room")], [false, false, false]);
  const other = service("service_elsewhere");
  assert.deepEqual([await other.connectionExists(id), await other.userExists("alice"), await other.groupExists("room")], [false, false, false]);
  await hub.closeConnection(id);
  await alice.take("stopped");
  assert.deepEqual(await exist(), [false, false, false]);
});

test("the members of a group are listed, in pages", async (t) => {
  const hub = service("service_lists");
  const clients = [];
  for (const userId of ["a", "b", "c", undefined, "e"]) {
    clients.push(await Client.start(t, "service_lists", { userId, groups: ["room"] }));
  }
  const expected = clients.map(({ connected }) => [connected.connectionId, connected.userId ?? undefined]).sort();
  const read = async (pages) => {
    const all = [];
    for await (const { connectionId, userId } of await pages) all.push([connectionId, userId ?? undefined]);
    return all;
  };
  const room = hub.group("room");
  assert.deepEqual(await read(room.listConnections()), expected);
  assert.deepEqual(await read(room.listConnections({ maxPageSize: 2 })), expected);
  assert.deepEqual(await read(room.listConnections({ maxPageSize: 2, top: 3 })), expected.slice(0, 3));
  assert.deepEqual(await read(hub.group("nobody").listConnections()), []);

  const sizes = [];
  let continuationToken;
  const onResponse = ({ parsedBody }) => (continuationToken ??= parsedBody.nextLink);
  for await (const page of (await room.listConnections({ maxPageSize: 2, onResponse })).byPage()) sizes.push(page.length);
  assert.deepEqual(sizes, [2, 2, 1]);
  const rest = [];
  for await (const page of (await room.listConnections()).byPage({ continuationToken })) rest.push(...page);
  assert.deepEqual(rest.map(({ connectionId }) => connectionId), expected.slice(2).map(([id]) => id));
  // The page that follows, as a link, and what is in it for the server.
  const token = new URL(continuationToken).searchParams.get("continuationToken");
  assert.deepEqual(await read(room.listConnections({ continuationToken: token, top: 1 })), expected.slice(2, 3));
  for (const wrong of [{ maxPageSize: 0 }, { maxPageSize: 201 }, { top: 0 }, { continuationToken: "nonsense" }]) {
    await assert.rejects(read(room.listConnections(wrong)), refused(400));
  }
});

test("each permission is granted, asked and revoked, and means something", async (t) => {
  const hub = service("service_permissions");
  const alice = await Client.start(t, "service_permissions", { userId: "alice" });
  const id = alice.connected.connectionId;
  const actions = {
    joinLeaveGroup: (group) => alice.sdk.joinGroup(group),
    sendToGroup: (group) => alice.sdk.sendToGroup(group, "hi", "text"),
  };
  for (const [permission, act] of Object.entries(actions)) {
    const [target, other] = [{ targetName: "room" }, { targetName: "other" }];
    assert.equal(await hub.hasPermission(id, permission, target), false);
    assert.equal((await ackError(act("room"))).name, "Forbidden");
    await hub.grantPermission(id, permission, target);
    await hub.grantPermission(id, permission, target);
    assert.equal(await hub.hasPermission(id, permission, target), true);
    assert.equal(await hub.hasPermission(id, permission, other), false);
    await act("room");
    assert.equal((await ackError(act("other"))).name, "Forbidden");
    await hub.revokePermission(id, permission, target);
    assert.equal(await hub.hasPermission(id, permission, target), false);
    assert.equal((await ackError(act("room"))).name, "Forbidden");
    await hub.revokePermission(id, permission, target);

    assert.equal(await hub.hasPermission("nobody", permission, target), false);
    await assert.rejects(hub.grantPermission("nobody", permission, target), refused(404));
    await hub.revokePermission("nobody", permission, target);
    for (const method of ["grantPermission", "revokePermission", "hasPermission"]) {
      await assert.rejects(hub[method](id, permission), refused(400), `${method} of no group`);
    }
  }
  // What a role gives can be taken away too.
  const bob = await Client.start(t, "service_permissions", { roles: EVERYTHING });
  await hub.revokePermission(bob.connected.connectionId, "sendToGroup", { targetName: "room" });
  assert.equal((await ackError(bob.sdk.sendToGroup("room", "hi", "text"))).name, "Forbidden");
  await bob.sdk.sendToGroup("other", "hi", "text");
});

test("connections are closed by every audience, with a reason or none, except those that are excluded", async (t) => {
  const hub = service("service_closes");
  const start = (userId, groups) => Client.start(t, "service_closes", { userId, groups });
  const closed = async (client, reason) => {
    const { message } = (await client.take("disconnected")).message;
    const text = "Application server closed the connection.";
    assert.equal(message, reason ? `${text} Reason: ${reason}` : text);
    await client.take("stopped");
  };
  const closes = {
    connection: (client, options) => hub.closeConnection(client.connected.connectionId, options),
    user: (_, options) => hub.closeUserConnections("alice", options),
    group: (_, options) => hub.group("room").closeAllConnections(options),
    hub: (_, options) => hub.closeAllConnections(options),
  };
  const bob = await start("bob", ["other"]);
  for (const [audience, close] of Object.entries(closes)) {
    for (const reason of [undefined, "enough, ä & more"]) {
      const clients = [await start("alice", ["room"]), await start("alice", ["room"])];
      const stays = audience === "connection" ? [clients[1], bob] : [await start("alice", ["room"]), bob];
      const excluded = stays.map((client) => client.connected.connectionId);
      await close(clients[0], { reason, excluded });
      await closed(clients[0], reason);
      if (audience !== "connection") await closed(clients[1], reason);
      for (const client of stays) assert.equal(await hub.connectionExists(client.connected.connectionId), true, audience);
      await hub.closeUserConnections("alice");
    }
  }
  await hub.closeConnection("nobody");
  await hub.closeUserConnections("nobody");
  await hub.group("nobody").closeAllConnections();
  await hub.sendToAll("still here", TEXT);
  assert.deepEqual(await heard(bob, "server-message", "still here"), []);
  await hub.closeAllConnections();
  await closed(bob);
});
