// Small things for building the page. Names and messages come from strangers: they only ever become text, never markup.

/** Finds one element. */
export function find(selector, within = document) {
  return within.querySelector(selector);
}

/** Makes an element: `element("td", "number", "42")`. */
export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  // Strings become text nodes.
  made.append(...content);
  return made;
}

/** Copies the only element of a template. */
export function copyOf(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

/** Sets a text only where it changed, so that selections survive. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const number = new Intl.NumberFormat("en");

/** Writes a count with separators. */
export function count(value) {
  return number.format(value);
}

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

/** Writes a time of day, to the millisecond. */
export function time(milliseconds) {
  return clock.format(milliseconds);
}

/** Shortens a text for display. */
export function shortened(text, most = 2000) {
  return text.length > most ? `${text.slice(0, most)}… (${count(text.length)} characters)` : text;
}

/** Shortens a connection id, whose beginning tells little. */
export function shortId(id) {
  return id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-8)}` : id;
}

/** Says in the place for it how many rows are left out. */
export function sayMore(place, { total, rows }) {
  place.hidden = total <= rows.length;
  setText(place, `and ${count(total - rows.length)} more`);
}

/** Shows in a box what went wrong, or with "" that nothing did. */
export function complain(box, text) {
  box.textContent = text;
  box.hidden = text === "";
}

let tabsEver = 0;

/** Has a group of buttons with `role="tab"` show one of the panels that they name. */
export function tabs(container) {
  const all = [...container.querySelectorAll("[role=tab]")];
  const panelOf = (tab) => find(`[data-panel="${tab.dataset.tab}"]`, container);
  for (const tab of all) {
    tabsEver += 1;
    panelOf(tab).id = `panel-${tabsEver}`;
    tab.setAttribute("aria-controls", panelOf(tab).id);
  }
  const choose = (chosen) => {
    for (const tab of all) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      panelOf(tab).hidden = !isChosen;
    }
  };
  all.forEach((tab, place) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = all[(place + step + all.length) % all.length];
      choose(next);
      next.focus();
    });
  });
  choose(all[0]);
}
