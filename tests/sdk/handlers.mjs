// An event handler that is made with the official middleware for Express, a server that asks it, and clients of that
// server. All of it ends with the tests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";
import { Client, clientUrl, EVERYTHING } from "./support.mjs";

export const HUB = "sdk_handler";
export const JSON_PROTOCOL = "json.webpubsub.azure.v1";

/** What the handler was told, by the id of the connection. */
const told = new Map();
/** How often somebody wanted to connect, by the id of the user. */
export const connects = new Map();
/** Why connections ended. */
export const reasons = new Map();
const telling = new EventTarget();

function tell(context, what) {
  told.set(context.connectionId, [...(told.get(context.connectionId) ?? []), what]);
  telling.dispatchEvent(new Event("told"));
}

/** Waits until the handler was told this about a connection, and returns all. */
export async function toldOf(connectionId, what) {
  while (!told.get(connectionId)?.includes(what)) await once(telling, "told");
  return told.get(connectionId);
}

/** Waits until the last thing that the handler was told about a connection is this one, and returns all. */
export async function toldUntil(connectionId, last) {
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
  powerless: (_, response) => response.success({ roles: [] }),
  nameless: (_, response) => response.success({ userId: "" }),
  kept: (_, response) => response.success({}),
  refused: (_, response) => response.fail(401, "not you"),
  malformed: (_, response) => response.fail(400),
  forbidden: (_, response) => response.failWith({ code: 403, detail: "not here" }),
  broken: () => {
    throw new Error();
  },
  hanging: () => {},
  grouped: (_, response) => response.success({ groups: ["one", "two"] }),
  ungrouped: (_, response) => response.success({ groups: [], roles: null }),
  bad: (_, response) => response.success({ groups: ["fine", " "] }),
  context: (request, response) => response.success({ userId: JSON.stringify(request) }),
  curious: (request, response) => response.success({ userId: JSON.stringify([request.queries, request.subprotocols]) }),
};

/** What some clients meet who are not let in, by the id of the user. */
export const garbageEntrances = {
  torn: ["application/json", "{"],
  listed: ["application/json", "[]"],
  numbered: ["application/json", '{"userId":7}'],
  moved: ["text/plain", "", { location: "/elsewhere" }, 302],
};

/** How the handler answers events, by their name; others it answers with what came. */
const answers = {
  nothing: (_, response) => response.success(),
  text: (_, response) => response.success("ä text", "text"),
  json: (_, response) => response.success('{"a":[1,null]}', "json"),
  binary: (_, response) => response.success(Uint8Array.of(0, 1, 255), "binary"),
  emptyText: (_, response) => response.success("", "text"),
  bytes: (_, response) => response.success("raw"),
  about: ({ context }, response) => response.success(JSON.stringify(context), "json"),
  fail: (_, response) => response.fail(400, "no"),
  unauthorized: (_, response) => response.fail(401),
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

/** Answers of a handler that is not made with the middleware. */
const garbage = {
  "user.html": ["text/html", "<p>"],
  "user.latin": ["text/plain", Buffer.of(0xe4)],
  "user.state": ["text/plain", "x", { "ce-connectionState": Buffer.of(0xe4).toString("latin1") }],
  "user.redirect": ["text/plain", "", { location: "/elsewhere" }, 302],
};

export const app = express();
app.use(`/events/${HUB}`, (request, response, next) => {
  const connect = { "sys.connect": garbageEntrances[request.get("ce-userId")] };
  const answer = { ...garbage, ...connect }[request.get("ce-type")?.replace("azure.webpubsub.", "")];
  if (answer === undefined) return next();
  const [type, body, headers, status] = answer;
  response.status(status ?? 200).set({ "content-type": type, ...headers }).end(body);
});

/** Makes the middleware for a hub. */
export const middleware = (hub, options) => new WebPubSubEventHandler(hub, { path: `/events/${hub}`, ...options }).getMiddleware();
app.use(
  middleware(HUB, {
    handleConnect: (request, response) => {
      tell(request.context, "connect");
      connects.set(request.context.userId, (connects.get(request.context.userId) ?? 0) + 1);
      (entrances[request.context.userId] ?? (() => response.success()))(request, response);
    },
    onConnected: ({ context }) => {
      tell(context, "connected");
      if (context.userId === "upset") throw new Error();
    },
    onDisconnected: ({ context, reason }) => {
      reasons.set(context.connectionId, reason);
      tell(context, `disconnected: ${typeof reason}`);
    },
    handleUserEvent: (request, response) => {
      const { context, data, dataType } = request;
      tell(context, context.eventName);
      const echo = () => response.success(dataType === "json" ? JSON.stringify(data) : data, dataType);
      (answers[context.eventName] ?? echo)(request, response);
    },
  }),
);
app.use(
  middleware("sdk_hasty", {
    handleConnect: ({ context }, response) => context.userId === "hanging" || response.success(),
    handleUserEvent: ({ context }, response) => context.eventName === "hang" || response.success("here", "text"),
  }),
);
// Says nothing of errors, which are on purpose.
app.use((_error, _request, response, _next) => response.status(500).end());
const listener = app.listen(0, "127.0.0.1");
await once(listener, "listening");

const { port } = listener.address();
const flags = [HUB, "sdk_hasty", "sdk_named", "sdk_elsewhere"].flatMap((hub) => [
  "--handler",
  `${hub}=http://127.0.0.1:${port}/events/{hub}/{event}`,
]);
if (!process.env.SERVER) throw new Error("SERVER is not set: start tests/sdk/run");
const config = ["--config", fileURLToPath(new URL("handlers.toml", import.meta.url))];
const server = spawn(process.env.SERVER, ["--listen", "127.0.0.1:0", ...config, ...flags], {
  stdio: ["ignore", "pipe", "ignore"],
});
after(() => {
  // At once: there is nobody left who would take its last events.
  server.kill("SIGKILL");
  listener.close();
  listener.closeAllConnections();
});
/** The endpoint of the server. */
export const endpoint = await new Promise((resolve, reject) => {
  createInterface(server.stdout).on("line", (line) => {
    const found = /Listening on (http:.*)/.exec(line);
    if (found) resolve(found[1]);
  });
  server.on("exit", () => reject(new Error("the server did not say where it listens")));
});

/** Makes a client of the JSON protocol that has not started yet. */
export async function made(options, { hub = HUB, query = "" } = {}) {
  return new Client((await clientUrl(hub, options, endpoint)) + query);
}

/** Starts a client of the JSON protocol. */
export async function started(t, options, where) {
  return (await made({ roles: EVERYTHING, ...options }, where)).started(t);
}
