// Streams of the official JavaScript SDK.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { Proxy } from "./proxy.mjs";
import { Client, EVERYTHING, SERVER_PORT } from "./support.mjs";

const HUB = "sdk_js_streams";

/** Waits for the next stream in a group, and reads it when it is called. */
function nextStream(client, group) {
  return new Promise((resolve) => {
    client.sdk.onGroupStream((stream) => resolve(stream), { groupNames: [group], handleFromStart: true });
  });
}

/** Reads a stream to its end. */
async function readAll(stream) {
  const data = [];
  try {
    for await (const message of stream) data.push(message.data);
  } catch (error) {
    return { data, error };
  }
  return { data };
}

async function pair(t, group, { publisherThrough, readerThrough } = {}) {
  const reader = await Client.startReliable(t, HUB, { userId: "reader", roles: EVERYTHING }, { through: readerThrough });
  const options = { userId: "publisher", roles: EVERYTHING };
  const publisher = await Client.startReliable(t, HUB, options, { through: publisherThrough });
  await reader.sdk.joinGroup(group);
  await publisher.sdk.joinGroup(group);
  return { reader, publisher };
}

test("a stream arrives fragment by fragment and ends", async (t) => {
  const { reader, publisher } = await pair(t, "s");
  const incoming = nextStream(reader, "s");
  const writer = await publisher.sdk.openGroupStream("s", { streamId: "mine", noEcho: true });
  assert.equal(writer.streamId, "mine");
  const sent = ["Hel", "lo", { a: [1] }, new Uint8Array([0, 255]).buffer];
  for (const data of sent) {
    const type = typeof data === "string" ? "text" : data instanceof ArrayBuffer ? "binary" : "json";
    await writer.write(data, type);
  }
  const stream = await incoming;
  assert.deepEqual([stream.groupName, stream.streamId], ["s", "mine"]);
  await writer.end();
  assert.deepEqual(await readAll(stream), { data: sent });
  assert.equal(publisher.events["group-message"].length, 0);
  // The id is free again once the publisher has heard that its stream is closed. `end` does not wait for that, but whatever
  // the publisher hears comes in order: with the answer to a later request, it has.
  await publisher.sdk.joinGroup("s");
  const again = nextStream(reader, "s");
  const second = await publisher.sdk.openGroupStream("s", { streamId: "mine" });
  await second.write("x", "text");
  await second.end();
  assert.deepEqual(await readAll(await again), { data: ["x"] });
});

test("a stream that is aborted ends with the error of its author", async (t) => {
  const { reader, publisher } = await pair(t, "aborted");
  const incoming = nextStream(reader, "aborted");
  const writer = await publisher.sdk.openGroupStream("aborted");
  await writer.write("so far", "text");
  await writer.abort({ message: "the model failed", userErrorCode: "E42" });
  const { data, error } = await readAll(await incoming);
  assert.deepEqual(data, ["so far"]);
  assert.deepEqual(error, { name: "UserError", message: "the model failed", userErrorCode: "E42" });
});

test("a stream goes on over cut connections of both sides", async (t) => {
  const publisherThrough = await Proxy.start(SERVER_PORT);
  const readerThrough = await Proxy.start(SERVER_PORT);
  t.after(() => publisherThrough.close());
  t.after(() => readerThrough.close());
  const { reader, publisher } = await pair(t, "cut", { publisherThrough, readerThrough });
  const incoming = nextStream(reader, "cut");
  const writer = await publisher.sdk.openGroupStream("cut", { noEcho: true });
  const sent = [];
  const write = async () => {
    await writer.write(sent.length, "json");
    sent.push(sent.length);
  };
  const arrived = async () => {
    while (reader.events["group-message"].length < sent.length) await once(reader.arrived, "group-message");
  };
  for (let round = 0; round < 5; round += 1) {
    for (let fragment = 0; fragment < 20; fragment += 1) await write();
    // Some fragments arrive and their acks do not: they are sent again, and not published twice.
    publisherThrough.hold();
    await write();
    await arrived();
    publisherThrough.cut();
    await write();
    readerThrough.cut();
    await write();
    await arrived();
  }
  await writer.end();
  assert.deepEqual(await readAll(await incoming), { data: sent });
});

test("a stream into a group that one may not send to is refused", async (t) => {
  const client = await Client.startReliable(t, HUB, { userId: "nobody", roles: [] });
  await assert.rejects(client.sdk.openGroupStream("forbidden"), { name: "Forbidden" });
});

test("a stream ends with its author's connection", async (t) => {
  const { reader } = await pair(t, "gone");
  const incoming = nextStream(reader, "gone");
  // Not reliable, so that it does not come back.
  const publisher = await Client.start(t, HUB, { userId: "short-lived", roles: EVERYTHING });
  const writer = await publisher.sdk.openGroupStream("gone");
  await writer.write("so far", "text");
  const stream = await incoming;
  publisher.sdk.stop();
  const { data, error } = await readAll(stream);
  assert.deepEqual(data, ["so far"]);
  assert.equal(error.name, "Cancelled");
});

test("a stream of which nothing is heard ends", async (t) => {
  const { reader, publisher } = await pair(t, "idle");
  const incoming = nextStream(reader, "idle");
  const writer = await publisher.sdk.openGroupStream("idle", { idleTimeoutInMs: 200 });
  const failed = new Promise((resolve) => writer.onError(resolve));
  await writer.write("so far", "text");
  const { data, error } = await readAll(await incoming);
  assert.deepEqual(data, ["so far"]);
  assert.equal(error.name, "IdleTimeout");
  assert.equal((await failed).name, "IdleTimeout");
  await assert.rejects(writer.write("too late", "text"));
});
