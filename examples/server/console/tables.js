// The tables of hubs, connections, groups and users.

import { count, element, find, sayMore, setText, shortId } from "./dom.js";

const PROTOCOLS = {
  "json.webpubsub.azure.v1": "JSON",
  "json.reliable.webpubsub.azure.v1": "JSON, reliable",
  "protobuf.webpubsub.azure.v1": "protobuf",
  "protobuf.reliable.webpubsub.azure.v1": "protobuf, reliable",
};

/** Writes the subprotocol of a connection in few words. */
export function protocolName(name) {
  return name === null ? "plain" : (PROTOCOLS[name] ?? name);
}

/** A user as a cell: `null` and "" are nobody. */
export function userText(user) {
  return user || "nobody";
}

/**
 * Sets the tables up; returns a function that shows the newest state. Of clicks are told: `onChoose(hub)`,
 * `onAim(kind, name)` and `onClose(connectionId)`.
 */
export function setUpTables({ onChoose, onAim, onClose }) {
  const hubs = new Rows(find("#hubs"), (hub) => hubRow(hub, onChoose));
  const connections = new Rows(find("#connections tbody"), (row) => connectionRow(row, onAim, onClose));
  const groups = new Rows(find("#groups tbody"), (row) => countRow(row, "groups", onAim));
  const users = new Rows(find("#users tbody"), (row) => countRow(row, "users", onAim));
  return (state) => {
    const { hub, chosen } = state;
    hubs.show(
      state.hubs.rows.map((row) => ({ ...row, key: row.name, isChosen: row.name === chosen.toLowerCase() })),
    );
    find("#no-hubs").hidden = state.hubs.total > 0;
    sayMore(find("#more-hubs"), state.hubs);
    setText(find("#hub-title"), `Hub ${chosen}`);
    setText(find("#hub-says"), hub ? limit(hub) : "There is no such hub yet: its first client makes it.");
    const nothing = { total: 0, rows: [] };
    showTable(find("#connections"), connections, hub?.connection_table ?? nothing, "Nobody is connected.");
    showTable(find("#groups"), groups, hub?.group_table ?? nothing, "No group has a member.");
    showTable(find("#users"), users, hub?.user_table ?? nothing, "No user is connected.");
  };
}

/** Rows of a table that stay in place while their content changes. */
class Rows {
  #body;
  #make;
  #shown = new Map();

  /** `make(row)` makes an element and returns it with a function that shows another state of the same row. */
  constructor(body, make) {
    this.#body = body;
    this.#make = make;
  }

  /** Shows rows, each with a `key` of its own, in their order. */
  show(rows) {
    const before = this.#shown;
    this.#shown = new Map();
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const made = before.get(row.key) ?? this.#make(row);
      before.delete(row.key);
      this.#shown.set(row.key, made);
      made.update(row);
      if (made.element === place) place = place.nextElementSibling;
      else this.#body.insertBefore(made.element, place);
    }
    for (const { element: gone } of before.values()) gone.remove();
  }
}

function showTable(panel, rows, table, emptyText) {
  setText(find("h3 .number", panel), count(table.total));
  const keyed = table.rows.map((row) => ({ ...row, key: row.id ?? row.name }));
  rows.show(keyed.sort((one, other) => compare(nameOf(one), nameOf(other)) || compare(one.key, other.key)));
  const empty = find(".empty", panel);
  setText(empty, emptyText);
  empty.hidden = table.total > 0;
  find("table", panel).hidden = table.total === 0;
  sayMore(find(".more", panel), table);
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}

function nameOf(row) {
  return row.name ?? row.user ?? "";
}

function limit({ connections, connections_max: most }) {
  return Number.isSafeInteger(most) ? `${count(connections)} of at most ${count(most)} connections` : "";
}

function hubRow(hub, onChoose) {
  const counts = element("span", "quiet");
  const button = element("button", "hub-choice", element("b", "", hub.name), counts);
  button.type = "button";
  button.addEventListener("click", () => onChoose(hub.name));
  const update = ({ connections, groups, users, isChosen }) => {
    setText(
      counts,
      `${plural(connections, "connection")} · ${plural(groups, "group")} · ${plural(users, "user")}`,
    );
    button.setAttribute("aria-pressed", String(isChosen));
  };
  return { element: element("li", "", button), update };
}

function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A name that can be clicked to send to it. */
function aim(text, title, act) {
  const button = element("button", "link", text);
  button.type = "button";
  button.title = title;
  button.addEventListener("click", act);
  return button;
}

function countRow({ name }, kind, onAim) {
  const number = element("td", "number");
  const label = aim(name || "(empty name)", `Send to ${name}`, () => onAim(kind, name));
  const update = ({ connections }) => setText(number, count(connections));
  return { element: element("tr", "", element("td", "name", label), number), update };
}

function connectionRow({ id, user }, onAim, onClose) {
  const [protocol, groups, state, waiting] = ["", "groups", "", "number"].map((name) => element("td", name));
  const pill = element("span", "pill");
  state.append(pill);
  const close = element("button", "small plain", "Close");
  close.type = "button";
  close.setAttribute("aria-label", `Close connection ${id}`);
  close.addEventListener("click", () => onClose(id));
  const name = element(
    "td",
    "name",
    user ? aim(user, `Send to user ${user}`, () => onAim("users", user)) : userText(user),
  );
  const label = element(
    "td",
    "id",
    aim(shortId(id), `Send to connection ${id}`, () => onAim("connections", id)),
  );
  const update = (row) => {
    setText(protocol, protocolName(row.protocol));
    const more = row.groups.total - row.groups.rows.length;
    setText(groups, row.groups.rows.sort().join(", ") + (more > 0 ? ` and ${count(more)} more` : ""));
    setText(pill, row.is_detached ? "detached" : row.is_paused ? "paused" : "open");
    pill.dataset.state = row.is_detached || row.is_paused ? "waiting" : "good";
    setText(waiting, count(row.waiting + row.queued));
    waiting.title =
      `${count(row.waiting)} messages wait to be handed over, ${count(row.unacknowledged)} are not acknowledged, ` +
      `${count(row.queued)} requests wait behind an event`;
  };
  return {
    element: element("tr", "", name, label, protocol, groups, state, waiting, element("td", "number", close)),
    update,
  };
}
