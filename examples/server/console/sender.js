// What a backend does: send to clients, close connections, through the REST API.

import { ask } from "./access.js";
import { find } from "./dom.js";

/** Makes the form send. `hub()` is the hub that is shown; `mayAct(box)` tells whether there is a key. */
export function setUpSender({ hub, mayAct }) {
  const form = find("#sender");
  const { target, name, contentType, body } = form.elements;
  const showName = () => (find("[data-for=name]", form).hidden = target.value === "hub");
  target.addEventListener("change", showName);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = find(".result", form);
    if (!mayAct(result)) return result.classList.add("bad");
    const audience = target.value === "hub" ? [] : [target.value, name.value];
    const message = { verb: "send", contentType: contentType.value, body: body.value };
    await show(result, () => ask("POST", ["hubs", hub(), ...audience], message));
  });

  return {
    /** Fills in who gets the next message. */
    aimAt(kind, named) {
      target.value = kind;
      name.value = named;
      showName();
    },
    /** Closes a connection. */
    async close(connection) {
      const result = find(".result", form);
      if (!mayAct(result)) return result.classList.add("bad");
      const query = { reason: "closed from the console" };
      await show(result, () => ask("DELETE", ["hubs", hub(), "connections", connection], { query }));
    },
  };
}

/** Shows what a request led to. */
async function show(result, request) {
  const start = performance.now();
  let text;
  let isGood = false;
  try {
    const answer = await request();
    isGood = answer.ok;
    const took = Math.round(performance.now() - start);
    text = `${answer.status} ${answer.statusText} · ${took} ms${isGood ? "" : ` · ${await whyNot(answer)}`}`;
  } catch (failure) {
    text = failure.message;
  }
  result.textContent = text;
  result.classList.toggle("bad", !isGood);
  result.hidden = false;
}

async function whyNot(answer) {
  if (answer.status === 401) return "the server does not know this access key";
  const text = await answer.text();
  try {
    const problem = JSON.parse(text);
    return problem.message ?? problem.error?.message ?? text;
  } catch {
    return text;
  }
}
