// Clients and tokens that the official JavaScript service SDK makes: what each option of a token lets a client do.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import test from "node:test";
import { AzureKeyCredential, WebPubSubServiceClient } from "@azure/web-pubsub";
import { ackError, Client, heard, refused, SERVER_PORT, service } from "./support.mjs";

const HUB = "tokens_js";
const TEXT = { contentType: "text/plain" };
const INSECURE = { allowInsecureConnection: true };
const KEY = /AccessKey=([^;]*)/.exec(process.env.CONNECTION_STRING)[1];
const ENDPOINT = /Endpoint=([^;]*)/.exec(process.env.CONNECTION_STRING)[1];

/** Reads what is in a token. */
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** Connects with a token that has these options. */
async function started(t, options) {
  const { url } = await service(HUB).getClientAccessToken(options);
  return new Client(url).started(t);
}

test("a token without options lets a client in that is nobody and may do nothing", async (t) => {
  const { token, baseUrl, url } = await service(HUB).getClientAccessToken();
  assert.equal(baseUrl, `${ENDPOINT.replace("http", "ws").replace(/\/$/, "")}/client/hubs/${HUB}`);
  assert.equal(url, `${baseUrl}?access_token=${token}`);
  const client = await new Client(url).started(t);
  assert.ok(!client.connected.userId);
  assert.equal((await ackError(client.sdk.joinGroup("any"))).name, "Forbidden");
  assert.equal((await ackError(client.sdk.sendToGroup("any", "x", "text"))).name, "Forbidden");
});

test("the user and the groups of a token are those of the connection", async (t) => {
  const client = await started(t, { userId: "älice", groups: ["left", "right"] });
  assert.equal(client.connected.userId, "älice");
  assert.equal(await service(HUB).userExists("älice"), true);
  for (const group of ["left", "right"]) {
    await service(HUB).group(group).sendToAll(group, TEXT);
    assert.equal((await client.takeMessage()).group, group);
  }
});

test("each role of a token permits what it says", async (t) => {
  const may = async (roles) => {
    const client = await started(t, { roles });
    const tries = {
      "join room": () => client.sdk.joinGroup("room"),
      "join other": () => client.sdk.joinGroup("other"),
      "send room": () => client.sdk.sendToGroup("room", "x", "text"),
      "send other": () => client.sdk.sendToGroup("other", "x", "text"),
    };
    const permitted = [];
    for (const [name, act] of Object.entries(tries)) {
      const error = await ackError(act()).catch(() => undefined);
      if (error === undefined) permitted.push(name);
      else assert.equal(error.name, "Forbidden");
    }
    return permitted;
  };
  assert.deepEqual(await may(["webpubsub.joinLeaveGroup"]), ["join room", "join other"]);
  assert.deepEqual(await may(["webpubsub.joinLeaveGroup.room"]), ["join room"]);
  assert.deepEqual(await may(["webpubsub.joinLeaveGroups.r*"]), ["join room"]);
  assert.deepEqual(await may(["webpubsub.sendToGroup"]), ["send room", "send other"]);
  assert.deepEqual(await may(["webpubsub.sendToGroup.other"]), ["send other"]);
  assert.deepEqual(await may(["webpubsub.sendToGroups.?oom"]), ["send room"]);
  assert.deepEqual(await may(["webpubsub.sendToGroup.room", "webpubsub.joinLeaveGroup.other"]), ["join other", "send room"]);
  assert.deepEqual(await may(["unknown", "webpubsub.sendtogroup"]), []);
});

test("a token is good as long as it says", async (t) => {
  const { token, url } = await service(HUB).getClientAccessToken({ userId: "alice", expirationTimeInMinutes: 5 });
  const { exp, iat } = claims(token);
  assert.equal(exp - iat, 300);
  await new Client(url).started(t);
  const past = await service(HUB).getClientAccessToken({ userId: "alice", expirationTimeInMinutes: -10 });
  await assert.rejects(new Client(past.url).sdk.start(), /401/);
});

test("a token is good for its own protocol, hub, endpoint and key", async (t) => {
  await started(t, { clientProtocol: "default" });
  const get = async (client, options) => (await client.getClientAccessToken(options)).url;
  const at = (url) => new URL(url).searchParams.get("access_token");
  const { baseUrl } = await service(HUB).getClientAccessToken();
  const elsewhere = process.env.CONNECTION_STRING.replace(/Endpoint=[^;]*/, "Endpoint=http://elsewhere.example");
  const otherKey = process.env.CONNECTION_STRING.replace(/AccessKey=[^;]*/, `AccessKey=${"x".repeat(44)}`);
  const urls = {
    mqtt: await get(service(HUB), { clientProtocol: "mqtt" }),
    socketio: await get(service(HUB), { clientProtocol: "socketio" }),
    hub: await get(service("tokens_other")),
    endpoint: await get(new WebPubSubServiceClient(elsewhere, HUB, INSECURE)),
    key: await get(new WebPubSubServiceClient(otherKey, HUB, INSECURE)),
  };
  for (const [what, url] of Object.entries(urls)) {
    await assert.rejects(new Client(`${baseUrl}?access_token=${at(url)}`).sdk.start(), /401/, what);
  }
  // These protocols are not spoken here.
  for (const protocol of ["mqtt", "socketio"]) await assert.rejects(new Client(urls[protocol]).sdk.start(), /404|501/, protocol);
});

test("a client that is made of an endpoint and a key does what one of a connection string does", async (t) => {
  const hub = new WebPubSubServiceClient(ENDPOINT, new AzureKeyCredential(KEY), HUB, INSECURE);
  const client = await new Client((await hub.getClientAccessToken({ userId: "alice" })).url).started(t);
  await hub.sendToConnection(client.connected.connectionId, "by key", TEXT);
  assert.deepEqual(await heard(client, "server-message", "by key"), []);
});

test("a client goes through a reverse proxy, with tokens for the endpoint behind it", async (t) => {
  let passed = 0;
  const proxy = createServer((request, response) => {
    passed += 1;
    const { method, url: path, headers } = request;
    const onward = { host: "127.0.0.1", port: SERVER_PORT, method, path, headers: { ...headers, host: new URL(ENDPOINT).host } };
    const forward = httpRequest(onward, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forward);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => proxy.close());
  const reverseProxyEndpoint = `http://127.0.0.1:${proxy.address().port}`;
  const hub = new WebPubSubServiceClient(process.env.CONNECTION_STRING, HUB, { ...INSECURE, reverseProxyEndpoint });
  const client = await new Client((await hub.getClientAccessToken()).url).started(t);
  await hub.sendToConnection(client.connected.connectionId, "by proxy", TEXT);
  assert.deepEqual(await heard(client, "server-message", "by proxy"), []);
  assert.equal(passed, 1);
});

test("a wrong key gets nothing done", async (t) => {
  const client = await started(t, { userId: "alice" });
  const stranger = new WebPubSubServiceClient(ENDPOINT, new AzureKeyCredential("x".repeat(44)), HUB, INSECURE);
  await assert.rejects(stranger.sendToAll("x", TEXT), refused(401));
  await assert.rejects(stranger.closeAllConnections(), refused(401));
  await assert.rejects(stranger.connectionExists(client.connected.connectionId), refused(401));
  await assert.rejects(stranger.grantPermission(client.connected.connectionId, "sendToGroup", { targetName: "g" }), refused(401));
  await service(HUB).sendToConnection(client.connected.connectionId, "the end", TEXT);
  assert.deepEqual(await heard(client, "server-message", "the end"), []);
});
