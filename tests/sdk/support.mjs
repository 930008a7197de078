// Clients of the official SDKs, made ready for tests.

import { once } from "node:events";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebPubSubClient, WebPubSubJsonProtocol } from "@azure/web-pubsub-client";

const connectionString = process.env.CONNECTION_STRING;
if (!connectionString) throw new Error("CONNECTION_STRING is not set: start tests/sdk/run");

/** The port of the server. */
export const SERVER_PORT = Number(/Endpoint=http:\/\/[^;]*:(\d+)/.exec(connectionString)[1]);

/** The roles of a client that may do everything with groups. */
export const EVERYTHING = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/**
 * Returns a client URL whose token is signed by the official service SDK. A token is good for one endpoint: where a client
 * goes through a proxy, that is the endpoint of the proxy.
 */
export async function clientUrl(hub, options, endpoint) {
  return (await service(hub, endpoint).getClientAccessToken(options)).url;
}

/** A started client of the official client SDK that remembers what it is told. */
export class Client {
  /** Connects with the JSON protocol; ends with the test. */
  static async start(t, hub, options) {
    return new Client(await clientUrl(hub, options)).started(t);
  }

  /** Connects with the protocol that the SDK takes by default, the reliable one; ends with the test. */
  static async startReliable(t, hub, options, { through, ...sdkOptions } = {}) {
    return new Client(await clientUrl(hub, options, through?.endpoint), sdkOptions).started(t);
  }

  constructor(url, sdkOptions) {
    this.sdk = new WebPubSubClient(
      url,
      sdkOptions ?? {
        protocol: WebPubSubJsonProtocol(),
        autoReconnect: false,
        messageRetryOptions: { maxRetries: 0 },
      },
    );
    this.events = { connected: [], "group-message": [], "server-message": [], disconnected: [], stopped: [] };
    this.arrived = new EventTarget();
    for (const [name, list] of Object.entries(this.events)) {
      this.sdk.on(name, (event) => {
        if (name === "connected") this.connected = event;
        list.push(event);
        this.arrived.dispatchEvent(new Event(name));
      });
    }
  }

  /** Connects; ends with the test. */
  async started(t) {
    t.after(() => this.sdk.stop());
    await this.sdk.start();
    await this.take("connected");
    return this;
  }

  /** Waits for the next event of a kind and takes it. */
  async take(name) {
    if (this.events[name].length === 0) await once(this.arrived, name);
    return this.events[name].shift();
  }

  /** Waits for the next group message and takes what it says. */
  async takeMessage() {
    const { message } = await this.take("group-message");
    return { group: message.group, from: message.fromUserId, type: message.dataType, data: message.data };
  }
}

/** Returns a client of the service SDK for a hub, of another server or a proxy where an endpoint is given. */
export function service(hub, endpoint) {
  const connection = endpoint ? connectionString.replace(/Endpoint=[^;]+/, `Endpoint=${endpoint}`) : connectionString;
  return new WebPubSubServiceClient(connection, hub, { allowInsecureConnection: true });
}

/** Takes the next message of a kind: where it came from, its type and its data. */
export async function sent(client, kind) {
  const { message } = await client.take(kind);
  const data = message.dataType === "binary" ? Buffer.from(message.data) : message.data;
  return [message.group ?? "server", message.dataType, data];
}

/** Takes all messages of a kind up to the one with this data, and returns the data of the others. */
export async function heard(client, kind, last) {
  const all = [];
  for (;;) {
    const [, , data] = await sent(client, kind);
    if (data === last) return all;
    all.push(data);
  }
}

/** Tells whether a request was refused with this status. */
export const refused = (status) => (error) => error.statusCode === status;

/** Waits for an operation to fail and returns the error of its ack. */
export async function ackError(operation) {
  try {
    await operation;
  } catch (error) {
    if (error.errorDetail) return error.errorDetail;
    throw error;
  }
  throw new Error("it should have failed");
}
