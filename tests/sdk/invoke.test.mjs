// Events and invocations of the official JavaScript SDK, answered by the handler echo: of the server.

import assert from "node:assert/strict";
import test from "node:test";
import { Proxy } from "./proxy.mjs";
import { ackError, Client, SERVER_PORT } from "./support.mjs";

const HUB = "sdk_echo";

test("an invocation is answered with data of every type", async (t) => {
  const client = await Client.startReliable(t, HUB, { userId: "alice" });
  for (const [data, type] of [
    ["hi", "text"],
    [{ a: [1, null] }, "json"],
    [new Uint8Array([0, 255]).buffer, "binary"],
  ]) {
    const answer = await client.sdk.invokeEvent("any", data, type);
    assert.deepEqual([answer.data, answer.dataType], [data, type]);
  }
  const answers = await Promise.all([3, 1, 2].map((number) => client.sdk.invokeEvent("any", number, "json")));
  assert.deepEqual(answers.map((answer) => answer.data), [3, 1, 2]);
});

test("an invocation that fails is rejected with an error", async (t) => {
  const client = await Client.startReliable(t, HUB, { userId: "alice" });
  await assert.rejects(client.sdk.invokeEvent("fail", 1, "json"), (error) => {
    assert.equal(error.name, "InvocationError");
    assert.ok(error.errorDetail.name);
    return true;
  });
});

test("an invocation without a handler is rejected with an error", async (t) => {
  const client = await Client.startReliable(t, "sdk_js", { userId: "alice" });
  await assert.rejects(client.sdk.invokeEvent("any", 1, "json"), (error) => Boolean(error.errorDetail.name));
});

test("an invocation can be given up", async (t) => {
  const client = await Client.startReliable(t, HUB, { userId: "alice" });
  const controller = new AbortController();
  const given = client.sdk.invokeEvent("slow", 1, "json", { invocationId: "same", abortSignal: controller.signal });
  const rejected = assert.rejects(given, { name: "InvocationError" });
  // The server has it once it has answered something behind it.
  await client.sdk.invokeEvent("any", 2, "json");
  controller.abort();
  await rejected;
  // The id is free again only if the server was told.
  const answer = await client.sdk.invokeEvent("slow", 3, "json", { invocationId: "same" });
  assert.equal(answer.data, 3);
});

test("an invocation does not survive its connection, the session does", async (t) => {
  const proxy = await Proxy.start(SERVER_PORT);
  t.after(() => proxy.close());
  const client = await Client.startReliable(t, HUB, { userId: "alice" }, { through: proxy });
  const given = client.sdk.invokeEvent("slow", 1, "json");
  const rejected = assert.rejects(given, { name: "InvocationError" });
  await client.sdk.invokeEvent("any", 2, "json");
  proxy.cut();
  await rejected;
  // A send waits for the connection to be back, an invocation does not.
  await client.sdk.sendEvent("any", "back", "text");
  assert.equal((await client.take("server-message")).message.data, "back");
  assert.equal((await client.sdk.invokeEvent("any", 3, "json")).data, 3);
});

test("an event is acknowledged and answered, or fails", async (t) => {
  const client = await Client.startReliable(t, HUB, { userId: "alice" });
  await client.sdk.sendEvent("any", { a: 1 }, "json");
  const { message } = await client.take("server-message");
  assert.deepEqual([message.dataType, message.data], ["json", { a: 1 }]);
  await client.sdk.sendEvent("slow", "late", "text");
  assert.equal((await client.take("server-message")).message.data, "late");
  const quick = await Client.start(t, HUB, { userId: "bob" });
  const error = await ackError(quick.sdk.sendEvent("fail", 1, "json"));
  assert.equal(error.name, "InternalServerError");
});
