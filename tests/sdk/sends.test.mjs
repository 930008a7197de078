// Messages that the official JavaScript service SDK sends by the REST API: every audience with every kind of data, with
// clients attached, and who gets nothing.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import test from "node:test";
import { odata } from "@azure/web-pubsub";
import { Client, heard, refused, service, sent } from "./support.mjs";

const TEXT = { contentType: "text/plain" };
const BYTES = Uint8Array.of(0, 1, 2, 255);

/** What can be sent: how, and what arrives. */
const CONTENTS = [
  ["hello ä", TEXT, "text", "hello ä"],
  ["", TEXT, "text", ""],
  [{ a: [1, null, "ä"], b: {} }, {}, "json", { a: [1, null, "ä"], b: {} }],
  [[], {}, "json", []],
  ["a JSON text", {}, "json", "a JSON text"],
  [42, {}, "json", 42],
  [true, {}, "json", true],
  [BYTES.buffer, {}, "binary", Buffer.from(BYTES)],
  [BYTES, {}, "binary", Buffer.from(BYTES)],
  [Buffer.from(BYTES), {}, "binary", Buffer.from(BYTES)],
];

/** Connects alice twice, once by each protocol, and bob, who is not in her group. */
async function meet(t, hub) {
  const options = { userId: "alice", groups: ["room"] };
  const alice = await Client.start(t, hub, options);
  const again = await Client.startReliable(t, hub, options);
  const bob = await Client.start(t, hub, { userId: "bob", groups: ["other"] });
  return { alice, again, bob };
}

/** Sends to an audience, by its name. */
function audiences(hub, alice) {
  return {
    hub: (message, options) => hub.sendToAll(message, options),
    group: (message, options) => hub.group("room").sendToAll(message, options),
    user: (message, options) => hub.sendToUser("alice", message, options),
    connection: (message, options) => hub.sendToConnection(alice.connected.connectionId, message, options),
  };
}

for (const audience of ["hub", "group", "user", "connection"]) {
  test(`every kind of data reaches a ${audience}, and nobody else`, async (t) => {
    const name = `sends_${audience}`;
    const { alice, again, bob } = await meet(t, name);
    const send = audiences(service(name), alice)[audience];
    const kind = audience === "group" ? "group-message" : "server-message";
    const present = { hub: [alice, again, bob], group: [alice, again], user: [alice, again], connection: [alice] }[audience];
    for (const [message, options, type, data] of CONTENTS) {
      await send(message, { ...options, messageTtlSeconds: 60 });
      for (const client of present) {
        assert.deepEqual(await sent(client, kind), [audience === "group" ? "room" : "server", type, data]);
      }
    }
    await service(name).sendToAll("the end", TEXT);
    for (const client of [alice, again, bob]) {
      assert.deepEqual(await heard(client, "server-message", "the end"), []);
      assert.deepEqual(client.events["group-message"], []);
    }
  });
}

test("what is too large, lives too long or has no length is refused, for every audience", async (t) => {
  const { alice, again, bob } = await meet(t, "sends_refused");
  for (const send of Object.values(audiences(service("sends_refused"), alice))) {
    await assert.rejects(send("x".repeat(1_048_577), TEXT), refused(400));
    await assert.rejects(send("x", { ...TEXT, messageTtlSeconds: 301 }), refused(400));
    await assert.rejects(send("x", { ...TEXT, messageTtlSeconds: -1 }), refused(400));
    await assert.rejects(send(() => Readable.from([BYTES])), refused(400));
  }
  await service("sends_refused").sendToAll("the end", TEXT);
  for (const client of [alice, again, bob]) assert.deepEqual(await heard(client, "server-message", "the end"), []);
});

test("a message as large as may be arrives", async (t) => {
  const alice = await Client.start(t, "sends_large", {});
  await service("sends_large").sendToAll("x".repeat(1_048_576), TEXT);
  assert.equal((await sent(alice, "server-message"))[2].length, 1_048_576);
});

test("nobody there is no error", async () => {
  const hub = service("sends_nobody");
  await hub.sendToAll("x", TEXT);
  await hub.sendToUser("nobody", "x", TEXT);
  await hub.sendToConnection("nobody", "x", TEXT);
  await hub.group("nobody").sendToAll("x", TEXT);
});

test("names are names, whatever is in them", async (t) => {
  const name = "a/b c?d=ä%20&'#+";
  const alice = await Client.start(t, "sends_names", { userId: name, groups: [name.replace("/", ".")] });
  const hub = service("sends_names");
  assert.equal(await hub.userExists(name.replace("/", ".")), false);
  await hub.group(name.replace("/", ".")).sendToAll("to the group", TEXT);
  assert.equal((await sent(alice, "group-message"))[2], "to the group");
});

test("a filter chooses among the recipients of a hub, a group and a user", async (t) => {
  const hub = service("sends_filter");
  const clients = {
    vic: await Client.start(t, "sends_filter", { userId: "vic's", groups: ["all", "left"] }),
    bob: await Client.startReliable(t, "sends_filter", { userId: "bob", groups: ["all", "right"] }),
    nobody: await Client.start(t, "sends_filter", { groups: ["all", "left", "right"] }),
  };
  const id = clients.vic.connected.connectionId;
  const filters = [
    [odata`userId eq ${"vic's"}`, ["vic"]],
    [odata`userId ne ${"bob"}`, ["vic", "nobody"]],
    ["userId eq null", ["nobody"]],
    ["userId in ('bob', 'carol')", ["bob"]],
    ["'left' in groups and not ('right' in groups)", ["vic"]],
    ["length(groups) gt 2 or startswith(userId, 'b')", ["bob", "nobody"]],
    [odata`connectionId eq ${id}`, ["vic"]],
    [odata`connectionId ne ${id} and connectionId ne null`, ["bob", "nobody"]],
    ["protocol eq 'json.webpubsub.azure.v1'", ["vic", "nobody"]],
    ["contains(tolower(userId), 'ic') or endswith(userId, 'b')", ["vic", "bob"]],
    ["true", ["vic", "bob", "nobody"]],
    ["false", []],
  ];
  for (const [filter] of filters) {
    await hub.sendToAll(filter, { ...TEXT, filter });
    await hub.group("all").sendToAll(filter, { ...TEXT, filter });
  }
  await hub.sendToAll("the end", TEXT);
  await hub.group("all").sendToAll("the end", TEXT);
  for (const [name, client] of Object.entries(clients)) {
    const expected = filters.filter(([, names]) => names.includes(name)).map(([filter]) => filter);
    assert.deepEqual(await heard(client, "server-message", "the end"), expected, name);
    assert.deepEqual(await heard(client, "group-message", "the end"), expected, name);
  }
  await hub.sendToUser("bob", "in the right", { ...TEXT, filter: "'right' in groups" });
  await hub.sendToUser("bob", "in the left", { ...TEXT, filter: "'left' in groups" });
  await hub.sendToUser("bob", "the end", TEXT);
  assert.deepEqual(await heard(clients.bob, "server-message", "the end"), ["in the right"]);
});

test("a filter that makes no sense is refused, and nobody gets anything", async (t) => {
  const { alice } = await meet(t, "sends_bad_filter");
  const hub = service("sends_bad_filter");
  for (const filter of ["nonsense eq", "userId", "concat(userId) eq 'x'", "groups/any(g: g eq 'x')", "unknown eq 'x'", "(".repeat(200)]) {
    await assert.rejects(hub.sendToAll("x", { ...TEXT, filter }), refused(400), filter);
    await assert.rejects(hub.group("room").sendToAll("x", { ...TEXT, filter }), refused(400), filter);
    await assert.rejects(hub.sendToUser("alice", "x", { ...TEXT, filter }), refused(400), filter);
  }
  await hub.sendToAll("the end", TEXT);
  assert.deepEqual(await heard(alice, "server-message", "the end"), []);
  assert.deepEqual(alice.events["group-message"], []);
});

test("excluded connections of a hub and of a group get nothing", async (t) => {
  const { alice, again, bob } = await meet(t, "sends_excluded");
  const hub = service("sends_excluded");
  const room = hub.group("room");
  const [first, second] = [alice, bob].map((client) => client.connected.connectionId);
  await hub.sendToAll("one", { ...TEXT, excludedConnections: [first, second] });
  await hub.sendToAll("two", { ...TEXT, excludedConnections: [second, "nobody"] });
  await hub.sendToAll("three", { ...TEXT, excludedConnections: [second], filter: "userId eq 'bob'" });
  await room.sendToAll("four", { ...TEXT, excludedConnections: [first] });
  for (const audience of [hub, room]) await audience.sendToAll("the end", TEXT);
  assert.deepEqual(await heard(alice, "server-message", "the end"), ["two"]);
  assert.deepEqual(await heard(again, "server-message", "the end"), ["one", "two"]);
  assert.deepEqual(await heard(bob, "server-message", "the end"), []);
  assert.deepEqual(await heard(alice, "group-message", "the end"), []);
  assert.deepEqual(await heard(again, "group-message", "the end"), ["four"]);
});
