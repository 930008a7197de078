// A TCP proxy between clients and the server that mistreats the connections: at random, or as it is told.
//
// As a program it says where it listens, and obeys the lines that it reads, such as "cut": node proxy.mjs PORT SEED

import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";

/** Numbers from 0 to 1 that look random; the same seed gives the same ones. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** How much of a handshake and the first message is safely behind: requests with a token are longer than answers. */
const HANDSHAKE = { up: 3_000, down: 1_000 };

export class Proxy {
  /** Listens on a free port, and leaves connections alone until it is told otherwise. */
  static async start(port, { seed = 0, spareHandshakes = false } = {}) {
    const proxy = new Proxy(port, random(seed), spareHandshakes);
    proxy.server.listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    return proxy;
  }

  constructor(target, next, spareHandshakes) {
    Object.assign(this, { target, next, spareHandshakes });
    this.links = new Set();
    /** How many connections were cut. */
    this.cuts = 0;
    /** How many connections are to be cut. */
    this.planned = 0;
    /** How many connections were refused. */
    this.refused = 0;
    this.isRefusing = false;
    this.isHolding = false;
    this.onCut = () => {};
    this.server = net.createServer((client) => this.accept(client));
  }

  /** The endpoint that clients and tokens have to name. */
  get endpoint() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  accept(client) {
    if (this.isRefusing) {
      this.refused += 1;
      client.resetAndDestroy();
      return;
    }
    this.links.add(new Link(this, client, this.cuts < this.planned ? this.fate() : {}));
  }

  /** Draws what happens to a connection, in bytes of each direction. */
  fate() {
    const upTo = (most) => Math.floor(this.next() * most);
    const oneIn = (many) => this.next() < 1 / many;
    const fate = { down: upTo(18_000), up: Infinity, stallAt: Infinity, ending: "reset" };
    // Each of the two is often in the middle of the handshake.
    if (oneIn(8)) fate.up = upTo(2_000);
    if (oneIn(16)) fate.down = upTo(500);
    if (oneIn(3)) fate.stallAt = upTo(fate.down);
    fate.stallMs = 10 + upTo(140);
    fate.ending = ["reset", "end", "vanish"][upTo(3)];
    if (this.spareHandshakes) {
      fate.up += HANDSHAKE.up;
      fate.down += HANDSHAKE.down;
      fate.stallAt += HANDSHAKE.down;
    }
    return fate;
  }

  /**
   * Cuts so many connections, at first those that are there, then each new one at a random place; some are stalled for a
   * while before. `spareHandshakes` says that none is cut before it is well under way.
   */
  misbehave(cuts) {
    this.planned = this.cuts + cuts;
    this.cut();
  }

  /** Holds back what the server sends from now on. */
  hold() {
    this.isHolding = true;
    for (const link of this.links) link.upstream.pause();
  }

  /** Cuts every connection; what was held back is lost. */
  cut() {
    this.isHolding = false;
    for (const link of [...this.links]) link.cut("reset");
  }

  /** Refuses connections from now on, or accepts them again. */
  refuse(isRefusing) {
    this.isRefusing = isRefusing;
  }

  close() {
    this.server.close();
    for (const link of [...this.links]) link.drop();
  }
}

/** A connection of a client and the one to the server that belongs to it. */
class Link {
  constructor(proxy, client, fate) {
    Object.assign(this, { proxy, client, fate });
    this.passed = { up: 0, down: 0 };
    this.upstream = net.connect(proxy.target, "127.0.0.1");
    this.isCut = false;
    for (const [from, to, direction] of [
      [this.client, this.upstream, "up"],
      [this.upstream, this.client, "down"],
    ]) {
      from.setNoDelay(true);
      from.on("data", (chunk) => this.pass(chunk, from, to, direction));
      from.on("error", () => {});
      from.on("close", () => {
        if (!this.isCut) to.end();
        proxy.links.delete(this);
      });
    }
    if (proxy.isHolding) this.upstream.pause();
  }

  pass(chunk, from, to, direction) {
    if (this.isCut) return;
    const before = this.passed[direction];
    this.passed[direction] += chunk.length;
    const most = this.fate[direction] ?? Infinity;
    if (this.passed[direction] > most) {
      // Often in the middle of a frame.
      to.write(chunk.subarray(0, most - before), () => this.cut(this.fate.ending));
      this.isCut = true;
      return;
    }
    const hasRoom = to.write(chunk);
    if (direction === "down" && this.passed.down > (this.fate.stallAt ?? Infinity)) {
      this.fate.stallAt = Infinity;
      for (const socket of [this.client, this.upstream]) socket.pause();
      setTimeout(() => {
        for (const socket of [this.client, this.upstream]) socket.resume();
      }, this.fate.stallMs);
    } else if (!hasRoom) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  }

  /** Ends it, each time in a way that real networks have. */
  cut(ending) {
    this.isCut = true;
    this.proxy.cuts += 1;
    this.proxy.links.delete(this);
    switch (ending) {
      case "reset":
        this.client.resetAndDestroy();
        this.upstream.resetAndDestroy();
        break;
      case "end":
        this.client.destroy();
        this.upstream.destroy();
        break;
      case "vanish":
        // The server is not told, and finds out when the client is back.
        this.client.destroy();
        this.upstream.resume();
        break;
    }
    this.proxy.onCut(this.proxy.cuts);
  }

  drop() {
    this.client.destroy();
    this.upstream.destroy();
  }
}

if (import.meta.filename === process.argv[1]) {
  const [port, seed] = process.argv.slice(2).map(Number);
  const proxy = await Proxy.start(port, { seed, spareHandshakes: true });
  proxy.onCut = (count) => console.log(`cut ${count}`);
  console.log(proxy.endpoint);
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const [command, argument] = line.split(" ");
      proxy[command](Number(argument));
      console.log(`done ${line}`);
    })
    .on("close", () => process.exit(0));
}
