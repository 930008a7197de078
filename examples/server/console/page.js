// The console: sets up its parts, and asks the server once a second how it is.

import {
  accessKey,
  canSign,
  cannotSign,
  endpoint,
  isKeyGood,
  setAccessKey,
  takeKeyFromAddress,
} from "./access.js";
import { Activity } from "./activity.js";
import { setUpClients } from "./cards.js";
import { complain, find, setText } from "./dom.js";
import { Link } from "./link.js";
import { setUpSender } from "./sender.js";
import { setUpTables } from "./tables.js";

let chosenHub = "chat";
const activity = new Activity();
const sender = setUpSender({ hub: () => chosenHub, mayAct });
const showTables = setUpTables({
  onChoose: choose,
  onAim: (kind, name) => sender.aimAt(kind, name),
  onClose: (connection) => sender.close(connection),
});
const link = new Link({
  hub: () => chosenHub,
  onState(state) {
    setText(find("#version"), state.version);
    activity.add(state.activity.entries);
    showTables(state);
  },
  onRestart: () => activity.restarted(),
  onBack: showKey,
});

start();

function start() {
  takeKeyFromAddress();
  setText(find("#endpoint"), endpoint);
  find("#copy-endpoint").addEventListener("click", copyEndpoint);
  complain(find("#cannot-sign"), canSign ? "" : cannotSign);
  setUpKey();
  setUpClients({ mayAct, onConnect: choose });
  activity.choose(chosenHub);
  addEventListener("hashchange", () => {
    takeKeyFromAddress();
    showKey();
  });
  link.watch();
}

/** Shows another hub. */
function choose(hub) {
  chosenHub = hub;
  find("#connect").elements.hub.value = hub;
  activity.choose(hub);
  link.poll();
}

// The access key

function setUpKey() {
  const input = find("#key");
  find("#key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setAccessKey(input.value.trim());
    input.value = "";
    showKey();
  });
  find("#forget-key").addEventListener("click", () => {
    setAccessKey("");
    showKey();
    input.focus();
  });
  showKey();
}

/** Shows whether there is a key, and whether the server knows it. */
async function showKey() {
  const hasKey = accessKey() !== "";
  for (const id of ["key", "use-key"]) find(`#${id}`).hidden = hasKey;
  for (const id of ["key-state", "forget-key"]) find(`#${id}`).hidden = !hasKey;
  find("#no-key").hidden = hasKey || !canSign;
  const pill = find("#key-state");
  const say = (text, state) => {
    setText(pill, text);
    pill.dataset.state = state;
  };
  if (!hasKey) return;
  if (!canSign) return say("cannot be used here", "bad");
  say("checking", "waiting");
  const key = accessKey();
  const isGood = await isKeyGood().catch(() => null);
  if (key !== accessKey()) return;
  if (isGood === null) say("not checked", "waiting");
  else say(isGood ? "accepted" : "not the server's key", isGood ? "good" : "bad");
}

/** Tells whether this page may change something; says in a box what is missing. */
function mayAct(box) {
  const problem = canSign
    ? accessKey()
      ? ""
      : "This needs the access key: enter it at the top of the page."
    : cannotSign;
  complain(box, problem);
  if (problem && canSign) find("#key").focus();
  return problem === "";
}

async function copyEndpoint({ target }) {
  await navigator.clipboard?.writeText(endpoint);
  setText(target, "Copied");
  setTimeout(() => setText(target, "Copy"), 1500);
}
