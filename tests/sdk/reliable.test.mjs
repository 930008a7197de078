// The reliable JSON protocol, which is the default of the official JavaScript SDK, over connections that break.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import test from "node:test";
import { WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";
import { Proxy } from "./proxy.mjs";
import { Client, EVERYTHING, SERVER_PORT } from "./support.mjs";

const HUB = "sdk_js_reliable";
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`The network misbehaves by SEED=${seed}`);

async function proxied(t) {
  const proxy = await Proxy.start(SERVER_PORT, { seed });
  t.after(() => proxy.close());
  return proxy;
}

test("10,000 messages over 100 cut connections: none is lost, none comes twice, none is late", async (t) => {
  const [count, cuts] = [10_000, 100];
  const proxy = await proxied(t);
  // The SDK acknowledges once a second and after each recovery. More than 1,000 messages on the way would be the end of
  // the connection, on the service too, so the publisher never goes further ahead than this.
  const ahead = 400;
  let acknowledged = 0;
  const progress = new EventTarget();
  const protocol = WebPubSubJsonReliableProtocol();
  const write = protocol.writeMessage;
  protocol.writeMessage = (message) => {
    if (message.kind === "sequenceAck") {
      acknowledged = Math.max(acknowledged, message.sequenceId);
      progress.dispatchEvent(new Event("acknowledged"));
    }
    return write(message);
  };
  const options = { userId: "receiver", roles: EVERYTHING };
  const receiver = await Client.startReliable(t, HUB, options, { through: proxy, protocol });
  await receiver.sdk.joinGroup("cut");
  const publisher = await Client.startReliable(t, HUB, { userId: "publisher", roles: EVERYTHING });

  const received = [];
  const complete = new Promise((resolve) => {
    receiver.sdk.on("group-message", ({ message }) => {
      received.push(message.data);
      if (message.data === count - 1) resolve();
    });
  });
  proxy.misbehave(cuts);
  for (let number = 0; number < count; number += 1) {
    while (number - acknowledged >= ahead) await once(progress, "acknowledged");
    await publisher.sdk.sendToGroup("cut", number, "json", { fireAndForget: number % 100 !== 99 });
  }
  await complete;
  assert.deepEqual(received, Array.from({ length: count }, (_, number) => number));
  assert.equal(proxy.cuts, cuts);
  assert.equal(receiver.events.disconnected.length, 0);
  assert.equal(receiver.events.connected.length, 0, "it was told once, at its start");
});

test("a publish whose ack was lost is not done twice", async (t) => {
  const proxy = await proxied(t);
  const receiver = await Client.startReliable(t, HUB, { userId: "receiver", roles: EVERYTHING });
  await receiver.sdk.joinGroup("retry");
  const publisher = await Client.startReliable(t, HUB, { userId: "p", roles: EVERYTHING }, { through: proxy });
  // Not the ids that the SDK takes itself, from 1 on.
  for (let ackId = 1_001; ackId <= 1_003; ackId += 1) {
    proxy.hold();
    // The SDK repeats it by itself when the connection is back, with the same ack id.
    const sent = publisher.sdk.sendToGroup("retry", ackId, "json", { ackId });
    assert.equal((await receiver.takeMessage()).data, ackId);
    proxy.cut();
    assert.deepEqual(await sent, { ackId, isDuplicated: true });
  }
  await publisher.sdk.sendToGroup("retry", "last", "text");
  assert.equal((await receiver.takeMessage()).data, "last");
});

test("a recovery changes nothing: same id, same groups, one connected event", async (t) => {
  const proxy = await proxied(t);
  const options = { userId: "alice", roles: EVERYTHING };
  const alice = await Client.startReliable(t, HUB, options, { through: proxy, autoRejoinGroups: false });
  const bob = await Client.startReliable(t, HUB, { userId: "bob", roles: EVERYTHING });
  await alice.sdk.joinGroup("kept");
  for (let number = 0; number < 3; number += 1) {
    proxy.cut();
    await bob.sdk.sendToGroup("kept", number, "json");
    assert.equal((await alice.takeMessage()).data, number);
  }
  assert.equal(alice.events.connected.length, 0);
  assert.equal(alice.events.disconnected.length, 0);
});

test("who comes back too late starts anew and joins his groups again", async (t) => {
  const proxy = await proxied(t);
  const options = { userId: "alice", roles: EVERYTHING };
  const alice = await Client.startReliable(t, "sdk_short", options, { through: proxy });
  const { connectionId } = alice.connected;
  await alice.sdk.joinGroup("again");
  proxy.refuse(true);
  proxy.cut();
  // At once, after 1 s and after 2 s; the window is 1 s.
  while (proxy.refused < 3) await once(proxy.server, "connection");
  proxy.refuse(false);
  assert.equal((await alice.take("disconnected")).connectionId, connectionId);
  assert.notEqual((await alice.take("connected")).connectionId, connectionId);
  const bob = await Client.startReliable(t, "sdk_short", { userId: "bob", roles: EVERYTHING });
  await bob.sdk.sendToGroup("again", "welcome back", "text");
  assert.equal((await alice.takeMessage()).data, "welcome back");
});

test("a client that stops is gone after the window", async (t) => {
  // The SDK stops with a close frame without a code, which ends no session.
  const alice = await Client.startReliable(t, "sdk_window", { userId: "alice" });
  alice.sdk.stop();
  await alice.take("disconnected");
  await alice.take("stopped");
  let refused = 0;
  for (;;) {
    try {
      await Client.startReliable(t, "sdk_window", { userId: "bob" });
      break;
    } catch (error) {
      assert.match(String(error.message), /429/);
      refused += 1;
    }
  }
  assert.ok(refused > 0);
});

test("every type of data arrives as it was sent", async (t) => {
  const alice = await Client.startReliable(t, HUB, { userId: "alice", roles: EVERYTHING });
  await alice.sdk.joinGroup("types");
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (const [data, type] of [["ä \u{1f600}", "text"], [{ a: [1, null] }, "json"], [bytes.buffer, "binary"]]) {
    await alice.sdk.sendToGroup("types", data, type);
    const message = await alice.takeMessage();
    assert.deepEqual(message, { group: "types", from: "alice", type, data });
  }
});
