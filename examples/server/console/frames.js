// The list of frames in a card: what went out and what came in, with acks beside their requests.

import { element, shortened, time } from "./dom.js";

/** The most frames in a list. */
const FRAMES = 300;

const ARROWS = { sent: "↑", received: "↓", note: "•" };
const SPOKEN = { sent: "sent", received: "received", note: "" };

export class FrameList {
  #list;
  #waiting = [];
  #rows = new Map();

  /** `list`: the element that rows are added to. */
  constructor(list) {
    this.#list = list;
  }

  /** Adds a frame below the others. Many of them are shown at once. */
  add(frame) {
    if (this.#waiting.length === 0) requestAnimationFrame(() => this.#show());
    this.#waiting.push(frame);
    // In a tab that nobody sees they are never shown.
    if (this.#waiting.length > FRAMES) this.#waiting.shift();
  }

  /** Shows the answer to a request. */
  answer(frame) {
    const row = this.#rows.get(frame);
    if (row) showAnswer(row, frame);
  }

  #show() {
    const list = this.#list;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    for (const frame of this.#waiting) {
      const row = rowOf(frame);
      this.#rows.set(frame, row);
      list.append(row);
    }
    this.#waiting = [];
    // A map keeps its order: the first ones are the oldest.
    for (const [frame, row] of this.#rows) {
      if (this.#rows.size <= FRAMES) break;
      this.#rows.delete(frame);
      row.remove();
    }
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  }
}

function rowOf(frame) {
  const { title, target, text } = describe(frame);
  const arrow = element("span", "arrow", ARROWS[frame.direction]);
  arrow.setAttribute("aria-hidden", "true");
  const summary = element(
    "summary",
    "",
    arrow,
    element("span", "unseen", SPOKEN[frame.direction]),
    element("time", "", time(frame.time)),
    element(
      "span",
      "what",
      element("b", "", title),
      target && element("span", "target", target),
      " ",
      shortened(text, 300),
    ),
    element("span", "outcome"),
  );
  const details = element("details", "", summary);
  details.addEventListener("toggle", () => showWhole(details, frame), { once: true });
  const row = element("li", `frame ${frame.direction}`, details);
  if (frame.isBad) row.classList.add("bad");
  if (frame.isRepeated) row.classList.add("repeated");
  showAnswer(row, frame);
  return row;
}

/** Shows a frame as it was on the wire, and its answer too. */
function showWhole(details, frame) {
  const whole = frame.answer ? `${frame.text}\n\n${frame.answer.text}` : frame.text;
  details.append(element("pre", "", shortened(whole, 20_000)));
}

function showAnswer(row, frame) {
  const outcome = row.querySelector(".outcome");
  const answer = frame.answer;
  if (!answer) {
    outcome.textContent = frame.isUnanswered ? "no answer" : "";
    return;
  }
  const { success, error, data } = answer.message;
  row.classList.add(success ? "succeeded" : "failed");
  const reply = data === undefined ? "" : ` ${shortened(plain(data), 300)}`;
  outcome.classList.toggle("long", !success || reply !== "");
  outcome.textContent = success
    ? `✓ ${answer.after} ms${reply}`
    : `✗ ${error?.name ?? "failed"}: ${error?.message ?? ""}`;
}

/** Says in few words what a frame is. */
function describe(frame) {
  const message = frame.message ?? (frame.direction === "sent" ? parsed(frame.text) : null);
  if (!message?.type) return { title: "", target: "", text: frame.text };
  const {
    type,
    event,
    group,
    from,
    fromUserId,
    sequenceId,
    data,
    state,
    userId,
    streamId,
    message: says,
  } = message;
  const number = sequenceId === undefined ? "" : `#${sequenceId} `;
  if (type === "system") {
    return {
      title: event,
      target: "",
      text: event === "connected" ? `as ${userId || "nobody"}` : (says ?? ""),
    };
  }
  const sender = type === "message" ? `${from === "group" ? fromUserId || "nobody" : "server"}: ` : "";
  const rest = data ?? state ?? message.states ?? message.items;
  return {
    title: type,
    target: group ?? event ?? streamId ?? "",
    text: `${number}${sender}${rest === undefined || rest === null ? "" : plain(rest)}`,
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function plain(data) {
  return typeof data === "string" ? data : JSON.stringify(data);
}
