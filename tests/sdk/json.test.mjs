// The JSON protocol, as the official JavaScript SDKs speak it.

import assert from "node:assert/strict";
import test from "node:test";
import { ackError, Client, clientUrl, EVERYTHING } from "./support.mjs";

const HUB = "sdk_js";

test("a client is told who it is", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice" });
  assert.equal(alice.connected.userId, "alice");
  assert.match(alice.connected.connectionId, /^[0-9A-Za-z_-]+$/);
  const nobody = await Client.start(t, HUB, {});
  assert.ok(!nobody.connected.userId);
  assert.notEqual(nobody.connected.connectionId, alice.connected.connectionId);
});

test("members of a group get every type of data as it was sent", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  const bob = await Client.start(t, HUB, { userId: "bob", roles: EVERYTHING });
  await alice.sdk.joinGroup("types");
  await bob.sdk.joinGroup("types");

  const json = { text: "ä \u{1f600} \" \\", numbers: [0, -1.5, 1e21], deep: { nothing: null, yes: true } };
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (const [data, type] of [
    ["hello ä \u{1f600}\n", "text"],
    ["", "text"],
    [json, "json"],
    ["a string", "json"],
    [42, "json"],
    [bytes.buffer, "binary"],
    [new ArrayBuffer(0), "binary"],
  ]) {
    const sent = await alice.sdk.sendToGroup("types", data, type);
    assert.equal(sent.isDuplicated, false);
    for (const client of [alice, bob]) {
      const message = await client.takeMessage();
      if (type === "binary") message.data = Buffer.from(message.data);
      const expected = type === "binary" ? Buffer.from(data) : data;
      assert.deepEqual(message, { group: "types", from: "alice", type, data: expected });
    }
  }
});

test("noEcho leaves the sender out", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  const bob = await Client.start(t, HUB, { userId: "bob", roles: EVERYTHING });
  await alice.sdk.joinGroup("echo");
  await bob.sdk.joinGroup("echo");
  await alice.sdk.sendToGroup("echo", "not for me", "text", { noEcho: true });
  await alice.sdk.sendToGroup("echo", "for me too", "text");
  assert.equal((await bob.takeMessage()).data, "not for me");
  assert.equal((await bob.takeMessage()).data, "for me too");
  assert.equal((await alice.takeMessage()).data, "for me too");
});

test("a message without an ack arrives too", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  await alice.sdk.joinGroup("quick");
  await alice.sdk.sendToGroup("quick", "hi", "text", { fireAndForget: true });
  assert.equal((await alice.takeMessage()).data, "hi");
});

test("who left a group gets nothing more, and need not be in it to send", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  const bob = await Client.start(t, HUB, { userId: "bob", roles: EVERYTHING });
  await alice.sdk.joinGroup("left");
  await alice.sdk.leaveGroup("left");
  await alice.sdk.joinGroup("other");
  await bob.sdk.sendToGroup("left", "unheard", "text");
  await bob.sdk.sendToGroup("other", "heard", "text");
  assert.deepEqual(await alice.takeMessage(), { group: "other", from: "bob", type: "text", data: "heard" });
});

test("groups of the token are joined from the start", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", groups: ["given"] });
  const bob = await Client.start(t, HUB, { userId: "bob", roles: EVERYTHING });
  await bob.sdk.sendToGroup("given", "welcome", "text");
  assert.equal((await alice.takeMessage()).data, "welcome");
});

test("what the roles do not allow is Forbidden", async (t) => {
  const alice = await Client.start(t, HUB, {
    userId: "alice",
    roles: ["webpubsub.joinLeaveGroup.mine", "webpubsub.sendToGroup.mine"],
  });
  await alice.sdk.joinGroup("mine");
  await alice.sdk.sendToGroup("mine", "hi", "text");
  assert.equal((await alice.takeMessage()).data, "hi");
  for (const operation of [
    () => alice.sdk.joinGroup("yours"),
    () => alice.sdk.leaveGroup("yours"),
    () => alice.sdk.sendToGroup("yours", "hi", "text"),
  ]) {
    const error = await ackError(operation());
    assert.equal(error.name, "Forbidden");
    assert.match(error.message, /yours/);
  }
});

test("an ack id that was used before resolves as duplicated and does nothing", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  await alice.sdk.joinGroup("twice", { ackId: 7 });
  const first = await alice.sdk.sendToGroup("twice", "once", "text", { ackId: 8 });
  assert.deepEqual(first, { ackId: 8, isDuplicated: false });
  const second = await alice.sdk.sendToGroup("twice", "again", "text", { ackId: 8 });
  assert.deepEqual(second, { ackId: 8, isDuplicated: true });
  await alice.sdk.sendToGroup("twice", "last", "text");
  assert.equal((await alice.takeMessage()).data, "once");
  assert.equal((await alice.takeMessage()).data, "last");
});

test("an event that no handler takes fails and leaves the connection open", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice", roles: EVERYTHING });
  const error = await ackError(alice.sdk.sendEvent("anything", { a: 1 }, "json"));
  assert.equal(error.name, "InternalServerError");
  await alice.sdk.joinGroup("still here");
});

test("stop ends the client", async (t) => {
  const alice = await Client.start(t, HUB, { userId: "alice" });
  alice.sdk.stop();
  const { connectionId } = await alice.take("disconnected");
  assert.equal(connectionId, alice.connected.connectionId);
  await alice.take("stopped");
});

test("a hub does not hear another hub", async (t) => {
  const here = await Client.start(t, HUB, { userId: "here", roles: EVERYTHING });
  const there = await Client.start(t, `${HUB}_2`, { userId: "there", roles: EVERYTHING });
  await here.sdk.joinGroup("same");
  await there.sdk.joinGroup("same");
  await there.sdk.sendToGroup("same", "there", "text");
  await here.sdk.sendToGroup("same", "here", "text");
  assert.equal((await here.takeMessage()).data, "here");
  assert.equal((await there.takeMessage()).data, "there");
});

test("a token of another hub does not get in", async () => {
  const url = await clientUrl("elsewhere", { userId: "mallory" });
  const client = new Client(url.replace("/elsewhere", `/${HUB}`));
  await assert.rejects(client.sdk.start(), /401/);
});

test("the URL that the server prints works", { skip: !process.env.CLIENT_URL }, async (t) => {
  const client = new Client(process.env.CLIENT_URL);
  t.after(() => client.sdk.stop());
  await client.sdk.start();
  assert.equal((await client.take("connected")).userId, "alice");
  await client.sdk.joinGroup("lobby");
  await client.sdk.sendToGroup("lobby", "hello from alice", "text");
  assert.equal((await client.takeMessage()).data, "hello from alice");
});
