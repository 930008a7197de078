// A test client: one logical connection over WebSocket. It knows the protocols and nothing of the page; whoever wants
// to know listens to its events "frame", "ack" and "change".

import { clientToken, endpoint } from "./access.js";

export const RELIABLE_PROTOCOL = "json.reliable.webpubsub.azure.v1";

/** How often received messages are acknowledged at most. */
const ACKNOWLEDGE_EVERY = 1000;

export class TestClient extends EventTarget {
  /** "connecting", "open", "dropped" (can be recovered) or "closed". */
  state = "closed";
  connectionId = "";
  reconnectionToken = "";
  /** The highest sequence id that came, and the highest that was acknowledged. */
  received = 0;
  acknowledged = 0;
  #socket = null;
  #lastAckId = 0;
  #pending = new Map();
  #acknowledging = null;

  /** `settings`: hub, user, roles, groups, protocol (a name, or "" for a plain client), plainGroup ("" for events). */
  constructor(settings) {
    super();
    this.settings = settings;
  }

  get isJson() {
    return this.settings.protocol !== "";
  }

  get isReliable() {
    return this.settings.protocol === RELIABLE_PROTOCOL;
  }

  /** Connects as a new connection, with a new token. */
  async connect() {
    this.connectionId = this.reconnectionToken = "";
    this.received = this.acknowledged = 0;
    this.#forgetRequests();
    const query = { access_token: await clientToken(this.settings) };
    const { plainGroup } = this.settings;
    if (!this.isJson && plainGroup)
      Object.assign(query, { webpubsub_mode: "sendToGroup", group: plainGroup });
    this.#open(query);
  }

  /** Takes the connection up again after a drop: what was missed comes after that, in order. */
  recover() {
    this.#open({ awps_connection_id: this.connectionId, awps_reconnection_token: this.reconnectionToken });
  }

  /** Ends the connection for good. */
  disconnect() {
    this.#socket?.close(1000);
    // Where there is no socket there is nothing to be recovered any more.
    if (this.state === "dropped") this.#turn("closed");
  }

  /** Ends the transport only, as a bad network does. A reliable connection can be recovered for 30 s. */
  drop() {
    this.#socket?.close(4000, "dropped by the console");
  }

  /** Sends a request that is answered with an ack: `request({ type: "joinGroup", group: "lobby" })`. */
  request(message) {
    this.#lastAckId += 1;
    this.#sendJson({ ...message, ackId: this.#lastAckId }, this.#lastAckId);
  }

  /** Sends an event that is answered with data of its handler. */
  invoke(message) {
    this.#lastAckId += 1;
    const invocationId = `console-${this.#lastAckId}`;
    this.#sendJson({ ...message, type: "invoke", target: "event", invocationId }, invocationId);
  }

  /** Asks for a sign of life. */
  ping() {
    this.#sendJson({ type: "ping" });
  }

  /** Sends a text as it is. Where it asks for an ack, it gets one. */
  sendText(text) {
    let ackId;
    try {
      const message = this.isJson && JSON.parse(text);
      ackId = message?.ackId ?? (message?.type === "invoke" ? message.invocationId : undefined);
    } catch {
      // It may well be what somebody wants to try.
    }
    this.#send(text, ackId);
  }

  #sendJson(message, ackId) {
    this.#send(JSON.stringify(message), ackId);
  }

  #send(text, ackId) {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw new Error("The client is not connected.");
    this.#socket.send(text);
    const frame = this.#note({ direction: "sent", text });
    if (ackId !== undefined) this.#pending.set(ackId, frame);
  }

  #open(query) {
    const url = new URL(
      `/client/hubs/${encodeURIComponent(this.settings.hub)}`,
      endpoint.replace(/^http/, "ws"),
    );
    url.search = new URLSearchParams(query);
    const socket = new WebSocket(url, this.isJson ? [this.settings.protocol] : []);
    socket.binaryType = "arraybuffer";
    this.#socket?.close();
    this.#socket = socket;
    this.#turn("connecting");
    // What an earlier socket still has to say is of no interest.
    const on = (name, act) => socket.addEventListener(name, (event) => socket === this.#socket && act(event));
    on("open", () => this.#opened());
    on("message", ({ data }) => this.#receive(data));
    on("close", (event) => this.#closed(event));
  }

  #opened() {
    this.#turn("open");
    if (!this.isJson)
      this.#note({ direction: "note", text: "Connected. A plain client is not told its connection id." });
    if (this.isReliable) this.#acknowledging = setInterval(() => this.#acknowledge(), ACKNOWLEDGE_EVERY);
  }

  #closed({ code, reason }) {
    clearInterval(this.#acknowledging);
    const wasRefused = this.state === "connecting" && code === 1006;
    const isRecoverable =
      this.isReliable && this.reconnectionToken !== "" && (code >= 4000 || [1001, 1005, 1006].includes(code));
    this.#socket = null;
    this.#forgetRequests();
    const text = wasRefused
      ? "Could not connect. Browsers do not say why; the last events may. Otherwise the access key is wrong, or the " +
        "server is away."
      : `Closed with code ${code}${reason && `: ${reason}`}.${isRecoverable ? " It can be recovered for 30 s." : ""}`;
    this.#note({ direction: "note", text, isBad: ![1000, 1005, 4000].includes(code) });
    this.#turn(isRecoverable ? "dropped" : "closed");
  }

  #receive(data) {
    if (typeof data !== "string") {
      const bytes = new Uint8Array(data);
      const start = [...bytes.slice(0, 32)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      this.#note({
        direction: "received",
        text: `${bytes.length} bytes: ${start}${bytes.length > 32 ? " …" : ""}`,
      });
      return;
    }
    const message = this.isJson ? JSON.parse(data) : null;
    if (message?.type === "ack" || message?.type === "invokeResponse") {
      const asked = this.#pending.get(message.ackId ?? message.invocationId);
      if (asked) return this.#answered(asked, message, data);
    }
    if (message?.type === "system" && message.event === "connected") {
      this.connectionId = message.connectionId;
      this.reconnectionToken = message.reconnectionToken ?? "";
    }
    const sequence = message?.sequenceId;
    const isRepeated = sequence !== undefined && sequence <= this.received;
    if (sequence > this.received) this.received = sequence;
    this.#note({ direction: "received", text: data, message, isRepeated });
    this.#changed();
  }

  #answered(asked, message, text) {
    this.#pending.delete(message.ackId ?? message.invocationId);
    asked.answer = { message, text, after: Date.now() - asked.time };
    this.dispatchEvent(new CustomEvent("ack", { detail: asked }));
  }

  /** Tells the server what has come, so that it need not keep it any longer. */
  #acknowledge() {
    if (this.received === this.acknowledged || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.acknowledged = this.received;
    this.#sendJson({ type: "sequenceAck", sequenceId: this.received });
    this.#changed();
  }

  // Acks are lost with the transport.
  #forgetRequests() {
    for (const asked of this.#pending.values()) {
      asked.isUnanswered = true;
      this.dispatchEvent(new CustomEvent("ack", { detail: asked }));
    }
    this.#pending.clear();
  }

  #note(frame) {
    const noted = { time: Date.now(), ...frame };
    this.dispatchEvent(new CustomEvent("frame", { detail: noted }));
    return noted;
  }

  #turn(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
