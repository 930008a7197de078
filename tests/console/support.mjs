// A server, a browser, and a page that shows the console of that server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** Only ends a test that hangs; nothing takes this long when all is well. */
const PATIENCE = 20_000;

/** A running server. */
export class Server {
  /** Starts a server on a free port, or on the one that is named; ends with the test. */
  static async start(t, flags = [], port = 0) {
    const child = spawn(process.env.SERVER, ["--listen", `127.0.0.1:${port}`, ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const server = new Server(child);
    t.after(() => server.stop());
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("Listening on ")) server.endpoint = line.slice("Listening on ".length);
      // With the access key in its fragment.
      if (line.includes("/#key=")) server.console = line.trim();
      if (line.startsWith("Ctrl+C")) return server;
    }
    throw new Error("the server ended");
  }

  constructor(child) {
    this.child = child;
  }

  get port() {
    return Number(new URL(this.endpoint).port);
  }

  /** Ends the server. */
  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Starts a browser. Names under `console.test` lead to this machine, but are no secure place to browsers. */
export function startBrowser() {
  const args = ["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"];
  return chromium.launch({ executablePath: process.env.CHROMIUM, args });
}

/** The console, as somebody sees it who uses it. */
export class Console {
  /** Whatever went wrong in the page. */
  problems = [];
  /** The URLs that it asked for. */
  requests = [];

  /** Opens the console at an address; ends with the test. */
  static async open(t, browser, address, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    t.after(() => context.close());
    context.setDefaultTimeout(PATIENCE);
    const opened = new Console();
    opened.page = await context.newPage();
    opened.page.on("pageerror", (error) => opened.problems.push(error.message));
    opened.page.on(
      "console",
      (message) => message.type() === "error" && opened.problems.push(message.text()),
    );
    opened.page.on("request", (request) => opened.requests.push(request.url()));
    opened.page.on("websocket", (socket) => opened.requests.push(socket.url()));
    await opened.page.goto(address);
    await opened.shows("#link", "live");
    return opened;
  }

  /** Waits until an element shows a text, a part of one or a pattern. */
  async shows(selector, text) {
    await this.page.locator(selector, { hasText: text }).first().waitFor();
  }

  /** Waits until a table has a row with all these cells. */
  async showsRow(table, ...cells) {
    let rows = this.page.locator(`${table} tbody tr`);
    for (const name of cells) rows = rows.filter({ has: this.page.getByRole("cell", { name, exact: true }) });
    await rows.first().waitFor();
  }

  /** Fills in the form and connects a client; returns its card once that is connected. */
  async connect({ roles = [], ...fields }) {
    const form = this.page.locator("#connect");
    const cards = this.page.locator(".card");
    const before = await cards.count();
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name=${name}]`);
      if (name === "protocol") await field.selectOption(value);
      else await field.fill(value);
    }
    for (const role of roles) await form.locator(`[data-role=${role}] [type=checkbox]`).check();
    await form.getByRole("button", { name: "Connect" }).click();
    const card = new Card(cards.nth(before));
    await card.is("connected");
    return card;
  }
}

/** The card of a test client. */
export class Card {
  constructor(root) {
    this.root = root;
  }

  /** Waits for a state. */
  async is(state) {
    await this.root.locator("header .pill", { hasText: new RegExp(`^${state}$`) }).waitFor();
  }

  /** Clicks on a button. */
  async click(name) {
    await this.root.getByRole("button", { name, exact: true }).click();
  }

  /** Goes to one kind of requests. */
  async tab(name) {
    await this.root.getByRole("tab", { name }).click();
  }

  /** Fills in a field of the requests that are shown. */
  async fill(field, text) {
    await this.root.locator(`[data-panel]:visible [name=${field}]`).fill(text);
  }

  /** Waits for a frame whose line in the list fits a pattern. */
  async frame(direction, pattern) {
    await this.root.locator(`.frame.${direction}`, { hasText: pattern }).first().waitFor();
  }
}
