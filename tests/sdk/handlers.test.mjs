// The official middleware for Express as the event handler of a server: what it says comes true for the clients of the
// official SDKs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import {
  app, connects, endpoint, garbageEntrances, HUB, JSON_PROTOCOL, made, middleware, reasons, started, toldOf, toldUntil,
} from "./handlers.mjs";
import { ackError, EVERYTHING, service } from "./support.mjs";

test("a handler that names the endpoint of the server gets its events", async (t) => {
  const handleUserEvent = (_, response) => response.success("here", "text");
  app.use(middleware("sdk_named", { handleUserEvent, allowedEndpoints: ["https://elsewhere.example", endpoint] }));
  const client = await started(t, { userId: "alice" }, { hub: "sdk_named" });
  await client.sdk.sendEvent("any", 1, "json");
  assert.equal((await client.take("server-message")).message.data, "here");
});

test("a handler that names another endpoint gets none, and lets nobody in", async () => {
  let asked = 0;
  const handleConnect = (_, response) => {
    asked += 1;
    response.success();
  };
  app.use(middleware("sdk_elsewhere", { handleConnect, allowedEndpoints: ["https://elsewhere.example"] }));
  const client = await made({ userId: "alice" }, { hub: "sdk_elsewhere" });
  await assert.rejects(client.sdk.start(), /500/);
  assert.equal(asked, 0);
});

test("a client gets in as it is", async (t) => {
  const client = await started(t, { userId: "alice" });
  assert.equal(client.connected.userId, "alice");
  assert.deepEqual(await toldUntil(client.connected.connectionId, "connected"), ["connect", "connected"]);
});

test("connect is told of the query and the subprotocols", async (t) => {
  const client = await started(t, { userId: "curious" }, { query: "&room=blue" });
  const [queries, subprotocols] = JSON.parse(client.connected.userId);
  assert.deepEqual([queries.room, subprotocols], [["blue"], [JSON_PROTOCOL]]);
});

test("connect changes user, groups, roles and subprotocol", async (t) => {
  const client = await started(t, { userId: "changed", roles: [] });
  assert.equal(client.connected.userId, "bob");
  await client.sdk.sendToGroup("given", "hi", "text");
  assert.deepEqual(await client.takeMessage(), { group: "given", from: "bob", type: "text", data: "hi" });
  assert.equal((await ackError(client.sdk.joinGroup("other"))).name, "Forbidden");
});

test("connect changes only what it names", async (t) => {
  const kept = await started(t, { userId: "kept" });
  assert.equal(kept.connected.userId, "kept");
  await kept.sdk.joinGroup("any");
  const nameless = await started(t, { userId: "nameless" });
  assert.ok(!nameless.connected.userId);
  const powerless = await started(t, { userId: "powerless" });
  assert.equal((await ackError(powerless.sdk.joinGroup("any"))).name, "Forbidden");
  // Groups take the place of those of the token; no groups leave them as they are.
  const members = async (group) => {
    const found = [];
    for await (const { userId } of await service(HUB, endpoint).group(group).listConnections()) found.push(userId);
    return found;
  };
  await started(t, { userId: "grouped", groups: ["token"] });
  await started(t, { userId: "ungrouped", groups: ["token"] });
  assert.deepEqual(await members("one"), ["grouped"]);
  assert.deepEqual(await members("two"), ["grouped"]);
  assert.deepEqual(await members("token"), ["ungrouped"]);
});

test("connect refuses with the status that it says", async () => {
  for (const [userId, status] of [["refused", /401/], ["malformed", /400/], ["forbidden", /403/]]) {
    const client = await made({ userId });
    await assert.rejects(client.sdk.start(), status);
    assert.equal(connects.get(userId), 1);
  }
});

test("connect that is answered with garbage lets nobody in", async () => {
  for (const userId of [...Object.keys(garbageEntrances), "bad"]) {
    const client = await made({ userId });
    await assert.rejects(client.sdk.start(), /500/, userId);
  }
});

test("connect that breaks is tried again, and lets nobody in", async () => {
  const client = await made({ userId: "broken" });
  await assert.rejects(client.sdk.start(), /500/);
  assert.equal(connects.get("broken"), 4);
});

test("a handler that hangs is not waited for for ever", async (t) => {
  const hub = { hub: "sdk_hasty" };
  const hanging = await made({ userId: "hanging" }, hub);
  await assert.rejects(hanging.sdk.start(), /500/);
  const alice = await started(t, { userId: "alice" }, hub);
  assert.equal((await ackError(alice.sdk.sendEvent("hang", 1, "json"))).name, "InternalServerError");
  await alice.sdk.sendEvent("any", 1, "json");
  assert.equal((await alice.take("server-message")).message.data, "here");
});

test("the handler is told who asks, signed with the access key", async (t) => {
  const client = await started(t, { userId: "context" }, { query: "&room=blue" });
  const request = JSON.parse(client.connected.userId);
  const { context, claims, headers, queries, subprotocols, clientCertificates } = request;
  const { connectionId } = client.connected;
  const key = /AccessKey=([^;]*)/.exec(process.env.CONNECTION_STRING)[1];
  const signature = `sha256=${createHmac("sha256", key).update(connectionId).digest("hex")}`;
  const { host } = new URL(endpoint);
  assert.deepEqual(context, {
    signature, userId: "context", hub: HUB, connectionId, eventName: "connect", origin: "127.0.0.1", states: {}, clientProtocol: "default",
  });
  assert.deepEqual([claims.sub, claims.role], [["context"], EVERYTHING]);
  assert.deepEqual([queries.room, "access_token" in queries], [["blue"], false]);
  assert.deepEqual([headers.host ?? headers.Host, subprotocols, clientCertificates], [[host], [JSON_PROTOCOL], []]);
  await client.sdk.sendEvent("about", 1, "json");
  const { message } = await client.take("server-message");
  assert.deepEqual(message.data, { ...context, eventName: "about", userId: client.connected.userId });
});

test("an event reaches the handler as it was sent and comes back as it was answered", async (t) => {
  const client = await started(t, { userId: "alice" });
  const bytes = Uint8Array.of(0, 1, 2, 255);
  for (const [data, type] of [["hello ä", "text"], [{ a: [1, null] }, "json"], ["a string", "json"], [bytes.buffer, "binary"]]) {
    await client.sdk.sendEvent("echo", data, type);
    const { message } = await client.take("server-message");
    assert.equal(message.dataType, type);
    if (type === "binary") assert.deepEqual(Buffer.from(message.data), Buffer.from(data));
    else assert.deepEqual(message.data, data);
  }
});

test("each type of reply arrives as such, whatever was sent", async (t) => {
  const client = await started(t, { userId: "alice" });
  const replies = [
    ["text", "text", "ä text"], ["json", "json", { a: [1, null] }], ["binary", "binary", "AAH/"], ["bytes", "binary", "cmF3"],
  ];
  for (const [name, type, data] of replies) {
    // Neither is answered with a message.
    for (const silent of ["nothing", "emptyText"]) await client.sdk.sendEvent(silent, 1, "json");
    await client.sdk.sendEvent(name, 1, "json");
    const { message } = await client.take("server-message");
    assert.equal(message.dataType, type);
    if (type === "binary") assert.equal(Buffer.from(message.data).toString("base64"), data);
    else assert.deepEqual(message.data, data);
  }
});

test("an invocation is answered by the handler", async (t) => {
  const client = await started(t, { userId: "alice" });
  assert.equal((await client.sdk.invokeEvent("text", 1, "json")).data, "ä text");
  assert.deepEqual((await client.sdk.invokeEvent("json", "x", "text")).data, { a: [1, null] });
  assert.deepEqual(Buffer.from((await client.sdk.invokeEvent("binary", 1, "json")).data), Buffer.of(0, 1, 255));
  assert.equal((await ackError(client.sdk.invokeEvent("fail", 1, "json"))).name, "InvocationFailed");
});

test("state that is set comes back with later events of the connection, not with those of others", async (t) => {
  const client = await started(t, { userId: "stateful" });
  const other = await started(t, { userId: "stateful" });
  for (const visits of ["1", "2", "3"]) {
    await client.sdk.sendEvent("visit", "", "text");
    assert.equal((await client.take("server-message")).message.data, visits);
  }
  await other.sdk.sendEvent("visit", "", "text");
  assert.equal((await other.take("server-message")).message.data, "1");
});

test("connected and disconnected are told once, around everything else", async (t) => {
  const client = await started(t, { userId: "alice" });
  // Nobody waits for the answer to `connected`, so an event may overtake it.
  await toldUntil(client.connected.connectionId, "connected");
  await client.sdk.sendEvent("nothing", 1, "json");
  client.sdk.stop();
  const all = await toldUntil(client.connected.connectionId, "disconnected: string");
  assert.deepEqual(all, ["connect", "connected", "nothing", "disconnected: string"]);
});

test("the handler is told why a connection ended", async (t) => {
  const client = await started(t, { userId: "alice" });
  const { connectionId } = client.connected;
  await service(HUB, endpoint).closeConnection(connectionId, { reason: "enough ä" });
  await toldUntil(connectionId, "disconnected: string");
  assert.equal(reasons.get(connectionId), "Application server closed the connection. Reason: enough ä");
});

test("a handler that breaks at connected harms nobody, and is told of the end", async (t) => {
  const client = await started(t, { userId: "upset" });
  const { connectionId } = client.connected;
  await toldUntil(connectionId, "connected");
  await client.sdk.sendEvent("text", 1, "json");
  assert.equal((await client.take("server-message")).message.data, "ä text");
  client.sdk.stop();
  const all = await toldOf(connectionId, "disconnected: string");
  const connected = all.filter((what) => what === "connected").length;
  assert.ok(connected < 4, "before connected was tried for the last time");
});

test("an event that the handler fails, or answers with garbage, fails alone", async (t) => {
  const client = await started(t, { userId: "alice" });
  for (const name of ["fail", "unauthorized", "garbage", "html", "latin", "state", "redirect"]) {
    assert.equal((await ackError(client.sdk.sendEvent(name, 1, "json"))).name, "InternalServerError");
  }
  await client.sdk.sendEvent("text", 1, "json");
  assert.equal((await client.take("server-message")).message.data, "ä text");
});

test("an event whose handler breaks is sent to it again", async (t) => {
  const client = await started(t, { userId: "alice" });
  await client.sdk.sendEvent("flaky", 1, "json");
  assert.equal((await client.take("server-message")).message.data, "at last");
});

test("a handler that hangs holds up its own connection only", async (t) => {
  const alice = await started(t, { userId: "alice" });
  const bob = await started(t, { userId: "bob" });
  await toldUntil(alice.connected.connectionId, "connected");
  alice.sdk.sendEvent("hang", 1, "json").catch(() => {});
  await toldUntil(alice.connected.connectionId, "hang");
  await bob.sdk.sendEvent("text", 1, "json");
  assert.equal((await bob.take("server-message")).message.data, "ä text");
});
