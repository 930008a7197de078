// The official middleware for Express as the event handler of a server: what it says comes true for the clients of the
// official SDKs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import test, { after } from "node:test";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";
import { ackError, Client, clientUrl, EVERYTHING } from "./support.mjs";

const HUB = "sdk_handler";
const JSON_PROTOCOL = "json.webpubsub.azure.v1";

/** What the handler was told, by the id of the connection. */
const told = new Map();
const telling = new EventTarget();

function tell(context, what) {
  told.set(context.connectionId, [...(told.get(context.connectionId) ?? []), what]);
  telling.dispatchEvent(new Event("told"));
}

/** Waits until the last thing that the handler was told about a connection is this one, and returns all. */
async function toldUntil(connectionId, last) {
  while (told.get(connectionId)?.at(-1) !== last) await once(telling, "told");
  return told.get(connectionId);
}

/** How the handler lets clients in, by the id of the user; others it lets in as they are. */
const entrances = {
  changed: (_, response) =>
    response.success({
      userId: "bob",
      groups: ["given"],
      roles: ["webpubsub.sendToGroup.given"],
      subprotocol: JSON_PROTOCOL,
    }),
  stateful: (_, response) => {
    response.setState("visits", 1);
    response.success();
  },
  refused: (_, response) => response.fail(401, "not you"),
  forbidden: (_, response) => response.failWith({ code: 403, detail: "not here" }),
  curious: (request, response) => response.success({ userId: JSON.stringify([request.queries, request.subprotocols]) }),
};

/** How the handler answers events, by their name; others it answers with what came. */
const answers = {
  nothing: (_, response) => response.success(),
  text: (_, response) => response.success("ä text", "text"),
  json: (_, response) => response.success('{"a":[1,null]}', "json"),
  binary: (_, response) => response.success(Uint8Array.of(0, 1, 255), "binary"),
  fail: (_, response) => response.fail(400, "no"),
  garbage: (_, response) => response.success("{", "json"),
  hang: () => {},
  visit: ({ context }, response) => {
    const { visits } = context.states;
    response.setState("visits", visits + 1);
    response.success(String(visits), "text");
  },
  flaky: (request, response) => {
    if ((told.get(request.context.connectionId) ?? []).filter((what) => what === "flaky").length < 2) throw new Error();
    response.success("at last", "text");
  },
};

const app = express();
const middleware = (hub, options) => new WebPubSubEventHandler(hub, { path: `/events/${hub}`, ...options }).getMiddleware();
app.use(
  middleware(HUB, {
    handleConnect: (request, response) => {
      tell(request.context, "connect");
      (entrances[request.context.userId] ?? (() => response.success()))(request, response);
    },
    onConnected: ({ context }) => tell(context, "connected"),
    onDisconnected: ({ context, reason }) => tell(context, `disconnected: ${typeof reason}`),
    handleUserEvent: (request, response) => {
      const { context, data, dataType } = request;
      tell(context, context.eventName);
      const echo = () => response.success(dataType === "json" ? JSON.stringify(data) : data, dataType);
      (answers[context.eventName] ?? echo)(request, response);
    },
  }),
);
// Says nothing of errors, which are on purpose.
app.use((_error, _request, response, _next) => response.status(500).end());
const listener = app.listen(0, "127.0.0.1");
await once(listener, "listening");

const { port } = listener.address();
const flags = [HUB, "sdk_named", "sdk_elsewhere"].flatMap((hub) => [
  "--handler",
  `${hub}=http://127.0.0.1:${port}/events/{hub}/{event}`,
]);
if (!process.env.SERVER) throw new Error("SERVER is not set: start tests/sdk/run");
const server = spawn(process.env.SERVER, ["--listen", "127.0.0.1:0", ...flags], { stdio: ["ignore", "pipe", "ignore"] });
after(() => {
  // At once: there is nobody left who would take its last events.
  server.kill("SIGKILL");
  listener.close();
  listener.closeAllConnections();
});
const endpoint = await new Promise((resolve, reject) => {
  createInterface(server.stdout).on("line", (line) => {
    const found = /Listening on (http:.*)/.exec(line);
    if (found) resolve(found[1]);
  });
  server.on("exit", () => reject(new Error("the server did not say where it listens")));
});

/** Makes a client of the JSON protocol that has not started yet. */
async function made(options, { hub = HUB, query = "" } = {}) {
  return new Client((await clientUrl(hub, options, endpoint)) + query);
}

/** Starts a client of the JSON protocol. */
async function started(t, options, where) {
  return (await made({ roles: EVERYTHING, ...options }, where)).started(t);
}

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

test("connect refuses with the status that it says", async () => {
  for (const [userId, status] of [["refused", /401/], ["forbidden", /403/]]) {
    const client = await made({ userId });
    await assert.rejects(client.sdk.start(), status);
  }
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
  for (const [name, type, data] of [["text", "text", "ä text"], ["json", "json", { a: [1, null] }], ["binary", "binary", "AAH/"]]) {
    await client.sdk.sendEvent("nothing", 1, "json");
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
});

test("state that is set comes back with later events of the connection", async (t) => {
  const client = await started(t, { userId: "stateful" });
  for (const visits of ["1", "2", "3"]) {
    await client.sdk.sendEvent("visit", "", "text");
    assert.equal((await client.take("server-message")).message.data, visits);
  }
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

test("an event that the handler fails, or answers with garbage, fails alone", async (t) => {
  const client = await started(t, { userId: "alice" });
  for (const name of ["fail", "garbage"]) {
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
