// The link to the server: asks once a second how it is, while somebody can see the page.

import { find, setText } from "./dom.js";

const EVERY = 1000;
const PATIENCE = 5000;

export class Link {
  #hub;
  #onState;
  #onRestart;
  #onBack;
  /** The number of the newest event that the page has seen. */
  #seen = 0;
  /** When the server started: another time means another run, which counts from 1 again. */
  #started = null;
  #isAway = false;
  #isAsking = false;
  #asksAgain = false;

  /**
   * `hub()` names the hub to ask for, `onState(state)` gets what the server answers, `onRestart()` is told of another
   * run of it, `onBack()` that it can be reached again.
   */
  constructor({ hub, onState, onRestart, onBack }) {
    this.#hub = hub;
    this.#onState = onState;
    this.#onRestart = onRestart;
    this.#onBack = onBack;
  }

  /** Begins to ask. */
  watch() {
    const pollIfSeen = () => document.visibilityState === "visible" && this.poll();
    setInterval(pollIfSeen, EVERY);
    document.addEventListener("visibilitychange", pollIfSeen);
    this.poll();
  }

  /** Asks now; while a question is under way, once more after that. */
  async poll() {
    this.#asksAgain = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#asksAgain) {
        this.#asksAgain = false;
        await this.#ask();
      }
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask() {
    const hub = this.#hub();
    const query = new URLSearchParams({ hub, after: this.#seen });
    let state;
    try {
      const answer = await fetch(`/console/state?${query}`, { signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      state = await answer.json();
    } catch {
      return this.#show(true);
    }
    this.#show(false);
    const isAnotherRun = this.#started !== null && this.#started !== state.started;
    this.#started = state.started;
    if (isAnotherRun) {
      this.#seen = 0;
      this.#asksAgain = true;
      return this.#onRestart();
    }
    this.#seen = state.activity.latest;
    this.#onState({ ...state, chosen: hub });
    // Somebody chose another one in the meantime.
    if (hub !== this.#hub()) this.#asksAgain = true;
  }

  #show(isAway) {
    const pill = find("#link");
    setText(pill, isAway ? "server away, trying again" : "live");
    pill.dataset.state = isAway ? "bad" : "good";
    document.body.classList.toggle("stale", isAway);
    if (this.#isAway && !isAway) this.#onBack();
    this.#isAway = isAway;
  }
}
