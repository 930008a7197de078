// The cards of test clients: a form that makes them, and on each card what its client can do.

import { RELIABLE_PROTOCOL, TestClient } from "./client.js";
import { complain, copyOf, find, setText, tabs } from "./dom.js";
import { FrameList } from "./frames.js";

/** Fewer would be dull, more would be slow. */
const CARDS = 20;

const STATES = {
  connecting: { text: "connecting", state: "waiting" },
  open: { text: "connected", state: "good" },
  dropped: { text: "dropped", state: "waiting" },
  closed: { text: "closed", state: "off" },
};

/** Makes the form connect clients. `onConnect(hub)` is told of each one, `onRefused()` of a key that is missing. */
export function setUpClients({ mayAct, onConnect }) {
  const form = find("#connect");
  const error = find(".error", form);
  const { protocol } = form.elements;
  protocol.addEventListener("change", () => {
    find("[data-for=group]", form).hidden = protocol.value !== "group";
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain(error, "");
    if (!mayAct(error)) return;
    if (find("#cards").querySelectorAll(".card").length >= CARDS) {
      return complain(error, `There are ${CARDS} clients already: remove one first.`);
    }
    const settings = settingsOf(form);
    const client = new TestClient(settings);
    const card = cardOf(client);
    try {
      await client.connect();
    } catch (failure) {
      return complain(error, failure.message);
    }
    find("#no-cards").hidden = true;
    find("#cards").append(card);
    onConnect(settings.hub);
    suggestNextUser(form.elements.user);
  });
}

/** Reads the form: what the token will say, and which protocol is spoken. */
function settingsOf(form) {
  const { hub, user, protocol, plainGroup, groups } = form.elements;
  const isPlain = ["event", "group"].includes(protocol.value);
  return {
    hub: hub.value.trim(),
    user: user.value,
    groups: names(groups.value),
    roles: [...form.querySelectorAll("[data-role]")].flatMap(rolesOf),
    protocol: isPlain ? "" : protocol.value,
    plainGroup: protocol.value === "group" ? plainGroup.value : "",
  };
}

/** Roles are named `webpubsub.sendToGroup` for any group, `webpubsub.sendToGroup.news` for one of them. */
function rolesOf(row) {
  const [isGiven, groups] = row.querySelectorAll("input");
  if (!isGiven.checked) return [];
  const role = `webpubsub.${row.dataset.role}`;
  const only = names(groups.value);
  return only.length === 0 ? [role] : only.map((group) => `${role}.${group}`);
}

function names(text) {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** The second client is somebody else, unless somebody chose a name. */
function suggestNextUser(input) {
  const people = ["alice", "bob", "carol", "dave", "erin"];
  const place = people.indexOf(input.value);
  if (place >= 0) input.value = people[(place + 1) % people.length];
}

function cardOf(client) {
  const card = copyOf("card");
  const list = new FrameList(find(".frames", card));
  const error = find(".error", card);
  const { user, hub, protocol } = client.settings;
  setText(find("h3", card), user || "nobody");
  card.setAttribute("aria-label", `Client ${user || "nobody"}`);
  card.classList.toggle("plain-client", !client.isJson);
  tabs(find(".requests", card));
  if (!client.isJson) find("[data-tab=raw]", card).click();
  else find("[name=text]", card).value = '{"type":"joinGroup","group":"lobby","ackId":100}';

  client.addEventListener("frame", ({ detail }) => list.add(detail));
  client.addEventListener("ack", ({ detail }) => list.answer(detail));
  client.addEventListener("change", () => showState(card, client));
  showState(card, client);

  /** Does something and shows on the card what keeps it from being done. */
  const attempt = async (act) => {
    complain(error, "");
    try {
      await act();
    } catch (failure) {
      complain(error, failure.message);
    }
  };
  const requests = requestsOf(card, client);
  card.addEventListener("click", ({ target }) => {
    const what = target.closest("[data-do]")?.dataset.do;
    if (what === "remove") remove(card, client);
    else if (what) attempt(requests[what]);
  });
  card.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(requests[event.target.dataset.panel]);
  });
  return card;
}

/** What the buttons of a card do, by their names; forms by theirs. */
function requestsOf(card, client) {
  const field = (panel, name) => find(`[data-panel=${panel}] [name=${name}]`, card);
  const text = (panel, name) => field(panel, name).value;
  const content = (panel) => {
    const dataType = text(panel, "dataType");
    const data = text(panel, "data");
    return { dataType, data: dataType === "json" ? json(data, "The data") : data };
  };
  const group = () => text("group", "group");
  const event = () => ({ event: text("event", "event"), ...content("event") });
  return {
    ping: () => client.ping(),
    drop: () => client.drop(),
    recover: () => client.recover(),
    connect: () => client.connect(),
    disconnect: () => client.disconnect(),
    join: () => client.request({ type: "joinGroup", group: group() }),
    leave: () => client.request({ type: "leaveGroup", group: group() }),
    group: () =>
      client.request({
        type: "sendToGroup",
        group: group(),
        noEcho: field("group", "noEcho").checked,
        ...content("group"),
      }),
    event: () => client.request({ type: "event", ...event() }),
    invoke: () => client.invoke(event()),
    state: () =>
      client.request({
        type: "setGroupState",
        group: text("state", "group"),
        state: json(text("state", "state") || "null", "The state"),
      }),
    subscribe: () => client.request({ type: "subscribeGroupState", group: text("state", "group") }),
    unsubscribe: () => client.request({ type: "unsubscribeGroupState", group: text("state", "group") }),
    raw: () => client.sendText(text("raw", "text")),
  };
}

function json(text, what) {
  try {
    return JSON.parse(text);
  } catch (failure) {
    throw new Error(`${what} is not JSON: ${failure.message}`);
  }
}

function showState(card, client) {
  const { text, state } = STATES[client.state];
  const pill = find(".pill", card);
  setText(pill, text);
  pill.dataset.state = state;
  const isOpen = client.state === "open";
  const show = (what, isShown) => (find(`[data-do=${what}]`, card).hidden = !isShown);
  show("ping", isOpen && client.isJson);
  show("drop", isOpen && client.isReliable);
  show("recover", client.state === "dropped");
  show("connect", client.state === "closed");
  show("disconnect", isOpen || client.state === "dropped");
  const { hub, protocol, plainGroup } = client.settings;
  const speaks =
    {
      "": plainGroup ? `plain, to group ${plainGroup}` : "plain, messages are events",
      [RELIABLE_PROTOCOL]: "JSON, reliable",
    }[protocol] ?? "JSON";
  const facts = [client.connectionId, `hub ${hub}`, speaks];
  if (client.received > 0) facts.push(`got #${client.received}, acknowledged #${client.acknowledged}`);
  setText(find(".facts", card), facts.filter(Boolean).join(" · "));
}

function remove(card, client) {
  client.disconnect();
  card.remove();
  find("#no-cards").hidden = find("#cards .card") !== null;
}
