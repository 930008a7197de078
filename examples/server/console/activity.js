// The last events: connections that come, go or are refused, and calls of event handlers.

import { element, find, shortId, time } from "./dom.js";
import { protocolName } from "./tables.js";

/** The most rows. */
const ROWS = 300;
/** The most connections whose users are remembered. */
const USERS = 2000;

const NAMES = {
  ConnectionStarted: "connected",
  ConnectionRefused: "refused",
  ConnectionDetached: "lost its transport",
  ConnectionRecovered: "recovered",
  ConnectionRecoveryRefused: "recovery refused",
  ConnectionEnded: "ended",
  ConnectionAborted: "aborted",
  EventUnhandled: "no handler for",
};

export class Activity {
  #body = find("#activity tbody");
  #thisHub = find("#this-hub");
  #failures = find("#failures");
  /** Webhook calls name connections; whose they are was said when they started. */
  #users = new Map();
  #hub = "";

  constructor() {
    for (const choice of [this.#thisHub, this.#failures])
      choice.addEventListener("change", () => this.#filter());
  }

  /** Adds what is new on top. */
  add(entries) {
    for (const entry of entries) {
      if (entry.connection && entry.user) this.#users.set(entry.connection, entry.user);
      const row = rowOf(entry, entry.user ?? this.#users.get(entry.connection));
      row.hidden = !this.#isWanted(row);
      this.#body.prepend(row);
    }
    while (this.#body.rows.length > ROWS) this.#body.lastElementChild.remove();
    for (const connection of this.#users.keys()) {
      if (this.#users.size <= USERS) break;
      this.#users.delete(connection);
    }
    this.#showWhetherEmpty();
  }

  /** Says which hub is shown. */
  choose(hub) {
    this.#hub = hub.toLowerCase();
    this.#filter();
  }

  /** Draws a line between two runs of the server. */
  restarted() {
    const cell = element("td", "", "The server was started again.");
    cell.colSpan = 8;
    this.#body.prepend(element("tr", "line", cell));
  }

  #filter() {
    for (const row of this.#body.rows) row.hidden = !this.#isWanted(row);
    this.#showWhetherEmpty();
  }

  #isWanted(row) {
    const isHere = !this.#thisHub.checked || row.dataset.hub === this.#hub;
    return isHere && (!this.#failures.checked || row.classList.contains("failed"));
  }

  #showWhetherEmpty() {
    const isEmpty = [...this.#body.rows].every((row) => row.hidden);
    find("#activity .empty").hidden = !isEmpty;
    find("#activity table").hidden = isEmpty;
  }
}

function rowOf(entry, user) {
  const isConnection = entry.kind === "connection";
  const name = (isConnection && NAMES[entry.name]) || entry.name;
  const place = isConnection
    ? startProtocol(entry)
    : entry.kind === "listener"
      ? "told to a listener"
      : entry.target;
  const row = element(
    "tr",
    entry.has_failed ? "failed" : "",
    element("td", "time", time(entry.time)),
    element(
      "td",
      "name",
      element("span", `kind ${entry.kind}`, isConnection ? "connection" : entry.kind),
      " ",
      name,
    ),
    element("td", "name", entry.hub),
    element("td", "name", user ?? ""),
    element("td", "id", shortId(entry.connection ?? "")),
    element("td", "name", place ?? ""),
    element("td", "outcome", outcome(entry)),
    element("td", "number", entry.duration === null ? "" : `${entry.duration} ms`),
  );
  row.dataset.hub = entry.hub;
  return row;
}

function startProtocol(entry) {
  return entry.name === "ConnectionStarted" ? protocolName(entry.target) : entry.target;
}

function outcome({ kind, status, has_failed: hasFailed, reason }) {
  const isAnswer = kind === "handler" && status === null && reason === null;
  return [hasFailed ? "✗" : "", status ?? "", reason ?? "", isAnswer ? "✓" : ""]
    .filter((part) => part !== "")
    .join(" ");
}
