// The console in a browser: what it shows, and what it lets people do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Console, Server, startBrowser } from "./support.mjs";

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const RELIABLE = "json.reliable.webpubsub.azure.v1";

/** What people do first: two clients in a group, one sends, both get it, the ack stands beside the request. */
test("two clients", async (t) => {
  const server = await Server.start(t, ["--handler", "chat=echo:"]);
  const opened = await Console.open(t, browser, server.console);
  const { page } = opened;
  assert.equal(page.url(), `${server.endpoint}/`, "the key is taken out of the address");
  await opened.shows("#key-state", "accepted");

  const alice = await opened.connect({ user: "alice" });
  const bob = await opened.connect({ user: "bob", protocol: RELIABLE });
  for (const card of [alice, bob]) {
    await card.frame("received", "connected");
    await card.click("Join");
    await card.frame("sent", /joinGroup.*lobby.*✓ \d+ ms/);
  }
  await alice.fill("data", "Good morning");
  await alice.click("Send to group");
  await alice.frame("sent", /sendToGroup.*Good morning.*✓/);
  await alice.frame("received", /message.*lobby.*alice: Good morning/);
  await bob.frame("received", /message.*lobby.*#1 alice: Good morning/);
  await bob.frame("sent", "sequenceAck");

  await opened.shows("#hubs [aria-pressed=true]", /chat2 connections · 1 group · 2 users/);
  await opened.showsRow("#groups", "lobby", "2");
  await opened.showsRow("#users", "alice", "1");
  await opened.showsRow("#connections", "alice", "JSON", "lobby", "open", "0");
  await opened.showsRow("#connections", "bob", "JSON, reliable", "lobby", "open", "0");

  await bob.tab("Event");
  await bob.click("Send event");
  await bob.frame("sent", /event.*hello.*✓/);
  await bob.frame("received", /message.*server: How are you\?/);
  await bob.click("Invoke");
  await bob.frame("sent", /invoke.*hello.*✓ \d+ ms How are you\?/);
  await bob.fill("event", "fail");
  await bob.click("Send event");
  await bob.frame("sent", /event.*fail.*✗ InternalServerError: /);
  await opened.showsRow("#activity", "handler hello", "chat", "bob", "echo:", "✓");
  await opened.showsRow("#activity", "handler fail", "chat", "bob", "echo:", "✗ the handler failed");
  await opened.showsRow("#activity", "connection connected", "chat", "alice", "JSON");

  const shown = page.locator("#activity tbody tr:visible");
  await page.getByLabel("Only failures").check();
  assert.equal(await shown.count(), 1);
  await page.getByLabel("Only failures").uncheck();
  assert.ok((await shown.count()) > 5);

  const foreign = opened.requests.filter((url) => new URL(url).host !== new URL(server.endpoint).host);
  assert.deepEqual(foreign, [], "nothing comes from elsewhere");
  assert.deepEqual(opened.problems, []);
  await look(page);
});

/** Writes pictures of the page in both colours and three widths. */
async function look(page) {
  for (const [name, width, colorScheme] of [
    ["light", 1280, "light"],
    ["dark", 1280, "dark"],
    ["narrow", 800, "light"],
    ["wide", 1920, "dark"],
  ]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: `out/${name}.png`, fullPage: true });
    await fits(page, name);
  }
}

/** Checks that nothing is wider than the page. */
async function fits(page, name) {
  const surplus = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(surplus <= 0, `${name}: ${surplus} px too wide`);
}

/** A reliable client that lost its transport gets what it missed when it recovers. */
test("drop and recover", async (t) => {
  const server = await Server.start(t);
  const opened = await Console.open(t, browser, server.console);
  const alice = await opened.connect({ user: "alice", groups: "lobby" });
  const bob = await opened.connect({ user: "bob", groups: "lobby", protocol: RELIABLE });
  await bob.click("Drop");
  await bob.is("dropped");
  await opened.showsRow("#connections", "bob", "JSON, reliable", "lobby", "detached");
  await alice.fill("data", "Missed");
  await alice.click("Send to group");
  await alice.frame("sent", /sendToGroup.*✓/);
  await opened.showsRow("#connections", "bob", "detached", "1");
  await bob.click("Recover");
  await bob.is("connected");
  await bob.frame("received", /#1 alice: Missed/);
  await opened.showsRow("#activity", "connection lost its transport", "chat", "bob");
  await opened.showsRow("#activity", "connection recovered", "chat", "bob");
  await bob.click("Disconnect");
  await bob.is("closed");
  await opened.showsRow("#activity", "connection ended", "chat", "bob");
  await bob.click("Connect again");
  await bob.is("connected");
  assert.deepEqual(opened.problems, []);
});

/** What a client may not do is answered with the error beside its request, and roles can be for one group. */
test("roles", async (t) => {
  const server = await Server.start(t);
  const opened = await Console.open(t, browser, server.console);
  const only = opened.page.getByLabel("Groups to join and leave");
  await only.fill("lobby, hall");
  const alice = await opened.connect({ user: "alice", roles: ["setGroupState", "getGroupState"] });
  for (const group of ["lobby", "hall"]) {
    await alice.fill("group", group);
    await alice.click("Join");
    await alice.frame("sent", new RegExp(`joinGroup.*${group}.*✓`));
  }
  await alice.fill("group", "cellar");
  await alice.click("Join");
  await alice.frame("sent", /joinGroup.*cellar.*✗ Forbidden: The client does not have permission/);
  await alice.tab("State");
  await alice.click("Watch states");
  await alice.frame("sent", /subscribeGroupState.*✓/);
  await alice.click("Set state");
  await alice.frame("received", /groupStateUpdate.*lobby.*typing/);
  await alice.tab("Frame");
  await alice.fill("text", '{"type":"nonsense"}');
  await alice.click("Send frame");
  await alice.frame("note", "1007");
  await alice.is("closed");
});

/** Plain clients send what they are given, to a handler or to a group. */
test("plain clients", async (t) => {
  const server = await Server.start(t, ["--handler", "chat=echo:"]);
  const opened = await Console.open(t, browser, server.console);
  const member = await opened.connect({ user: "member", groups: "lobby" });
  const plain = await opened.connect({ user: "plain", protocol: "event", groups: "" });
  await plain.fill("text", "just words");
  await plain.click("Send frame");
  await plain.frame("received", "just words");
  await opened.showsRow("#connections", "plain", "plain", "open");
  const publisher = await opened.connect({ user: "publisher", protocol: "group" });
  await publisher.fill("text", "to everybody");
  await publisher.click("Send frame");
  await member.frame("received", /lobby.*publisher: to everybody/);
});

/** The server side sends to everybody, to a name that was clicked, and closes a connection. */
test("the server side", async (t) => {
  const server = await Server.start(t);
  const opened = await Console.open(t, browser, server.console);
  const { page } = opened;
  const alice = await opened.connect({ user: "alice", groups: "a/b %2F" });
  const sender = page.locator("#sender");
  const send = () => sender.getByRole("button", { name: "Send" }).click();

  await sender.locator("[name=target]").selectOption("hub");
  await send();
  await opened.shows("#sender .result", "202");
  await alice.frame("received", /message.*server: Hello from the server/);

  await page.locator("#users").getByRole("button", { name: "alice" }).click();
  await sender.locator("[name=contentType]").selectOption("application/json");
  await sender.locator("[name=body]").fill('{"x":');
  await send();
  await opened.shows("#sender .result.bad", /400 .*JSON/);
  await sender.locator("[name=body]").fill('{"x":1}');
  await send();
  await alice.frame("received", /message.*server: {"x":1}/);

  // Browsers would make a request for the whole hub out of the first one.
  for (const name of ["..", "a/b %2F", ""]) {
    await sender.locator("[name=name]").fill(name);
    await send();
    await opened.shows("#sender .result.bad", `cannot name “${name}”`);
  }
  await sender.locator("[name=name]").fill(":send");
  await send();
  await opened.shows("#sender .result:not(.bad)", "202");

  await page
    .locator("#connections")
    .getByRole("button", { name: /^Close connection/ })
    .click();
  await alice.frame("received", /disconnected.*closed from the console/);
  await alice.is("closed");
  await opened.shows("#connections .empty", "Nobody is connected.");
});

/** Without the key everything can be seen and nothing changed; a wrong one is said to be wrong. */
test("the access key", async (t) => {
  const secret = "+/=&#%20 ä key of thirty-two bytes or more";
  const server = await Server.start(t, ["--access-key", secret]);
  const opened = await Console.open(t, browser, server.endpoint);
  const { page } = opened;
  const connect = page.locator("#connect").getByRole("button", { name: "Connect" });
  const send = page.locator("#sender").getByRole("button", { name: "Send" });
  await opened.shows("#no-key", "Without the access key");
  await connect.click();
  await opened.shows("#connect .error", "needs the access key");
  await send.click();
  await opened.shows("#sender .result", "needs the access key");
  assert.equal(await page.locator(".card").count(), 0);
  assert.ok(
    opened.requests.every((url) => url.startsWith("http:") && !url.includes("/api/")),
    "nothing was tried",
  );

  const enter = async (key) => {
    await page.locator("#key").fill(key);
    await page.keyboard.press("Enter");
  };
  await enter("this is not the key of that server");
  await opened.shows("#key-state", "not the server's key");
  await connect.click();
  await page.locator(".card .frame.note.bad", { hasText: "the access key is wrong" }).waitFor();
  await page.getByRole("button", { name: "Remove this client" }).click();
  await page.locator("#forget-key").click();
  await enter(secret);
  await opened.shows("#key-state", "accepted");
  await opened.connect({ user: "alice" });
  await page.locator("#forget-key").click();
  await page.goto(server.console);
  await opened.shows("#key-state", "accepted");
  assert.equal(page.url(), `${server.endpoint}/`);
  await page.reload();
  await opened.shows("#key-state", "accepted");
});

/** Where a browser keeps cryptography from a page, the page says so and what to do; the tables work. */
test("an insecure place", async (t) => {
  const server = await Server.start(t);
  const key = server.console.split("#")[1];
  const opened = await Console.open(t, browser, `http://console.test:${server.port}/#${key}`);
  await opened.shows("#cannot-sign", `http://localhost:${server.port}/`);
  await opened.page.locator("#connect").getByRole("button", { name: "Connect" }).click();
  await opened.shows("#connect .error", "cannot sign tokens");
});

/** Names that are markup and script stay names, wherever they are shown. */
test("hostile names", async (t) => {
  const server = await Server.start(t, ["--handler", "chat=echo:"]);
  const opened = await Console.open(t, browser, server.console);
  const { page } = opened;
  const attack = (place) =>
    `<img src=x onerror="globalThis.attacked='${place}'"><script>attacked=1</script>${"long".repeat(25)}`;
  const [user, group] = [attack("user"), attack("group")];
  const card = await opened.connect({ user, groups: group });
  await card.fill("group", group);
  await card.fill("data", attack("data"));
  await card.click("Send to group");
  await card.frame("received", "onerror");
  await card.root.locator(".frame.received summary").last().click();
  await card.root.locator(".frame.received pre", { hasText: "onerror" }).waitFor();
  await card.tab("Event");
  await card.fill("data", attack("reply"));
  await card.click("Send event");
  await card.frame("received", /server: <img/);
  await card.click("Disconnect");
  await card.is("closed");
  await opened.showsRow("#activity", "connection ended", user);
  await card.click("Connect again");
  await opened.showsRow("#users", user);
  await opened.showsRow("#groups", group);
  await opened.showsRow("#connections", user, group);
  await page.setViewportSize({ width: 800, height: 900 });
  await fits(page, "hostile names");
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.evaluate(() => globalThis.attacked), undefined);
  // Were it ever taken for markup, the browser would still refuse.
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<b>markup</b>";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, "TypeError");
});

/** A server that goes away is said to be away; another run of it is shown from its beginning. */
test("another run of the server", async (t) => {
  const server = await Server.start(t);
  const opened = await Console.open(t, browser, server.console);
  const alice = await opened.connect({ user: "alice" });
  await opened.showsRow("#activity", "connection connected", "alice");
  await server.stop();
  await opened.shows("#link", "server away");
  await alice.is("closed");
  await Server.start(t, [], server.port);
  await opened.shows("#link", "live");
  await opened.shows("#activity", "The server was started again.");
  await opened.shows("#connections .empty", "Nobody is connected.");
  await opened.connect({ user: "bob" });
  await opened.showsRow("#activity", "connection connected", "bob");
  await opened.showsRow("#connections", "bob");
});
