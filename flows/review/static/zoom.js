// One enlarged picture with all its facts and the reason for each score. Its address is that of the gallery and the picture's id.
import { prompt } from "./prompts.js";
import { armMark, byId, get, make, run, say } from "./page.js";

const dialog = byId("zoom");
let around = { ids: [], keys: {} };
let shown = null;

// Open a picture; `ids` lists the pictures in the order shown, `buttons(facts)` makes its buttons, `about(id)` is what the gallery knows of it.
export function zoom(id, ids, { about, buttons = () => [], tick = () => {}, more = () => [], keys = {} }) {
  around = { ids, buttons, about, tick, more, keys };
  if (location.hash !== `#${id}`) history.pushState({ isZoom: true }, "", `#${id}`);
  show(id);
  if (!dialog.open) dialog.showModal();
}

// Close it by going back to the gallery's own address, so that Back never opens it again.
export function closeZoom() {
  if (location.hash && history.state?.isZoom) return history.back();
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (dialog.open) dialog.close();
}

// Back closes the enlarged picture, and who opens its address sees it, if the page has it.
export function followAddress(open, isKnown) {
  const follow = () => {
    const id = location.hash.slice(1);
    if (isKnown(id)) open(id);
    else closeZoom();
  };
  addEventListener("popstate", follow);
  follow();
}

let closed = () => {};
export const onClose = (act) => { closed = act; };

async function show(id) {
  shown = id;
  const image = byId("zoom-image");
  image.src = `/pictures/${id}`;
  const { name, clear } = around.about(id);
  image.alt = name;
  image.classList.toggle("see-through", clear);
  try {
    const facts = await get(`/runs/${run}/candidates/${id}.json`);
    if (shown === id) byId("zoom-facts").replaceChildren(...details(facts));
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

export const redraw = () => dialog.open && show(shown);

function details(facts) {
  const { colour } = around.about(facts.id);
  return [
    make("h2", {}, armMark(facts.arm, colour), ` ${facts.name}`),
    prompt(facts.prompt),
    make("p", { className: "why", textContent: facts.why ?? "Not decided yet." }),
    make("div", { className: "buttons" }, ...around.buttons(facts), make("a", { className: "button", href: `/runs/${run}/more/${facts.id}`, textContent: "More like this …" })),
    ...around.more(facts),
    ...scores(facts),
    make("dl", { className: "facts" }, ...facts.facts.map(([label, value]) =>
      make("div", {}, make("dt", { textContent: label }), make("dd", { textContent: value })))),
  ];
}

function scores(facts) {
  if (!facts.scores.length) return [make("p", { className: "note", textContent: "Not scored." })];
  const total = facts.score === null ? "–" : facts.score.toFixed(2);
  return [
    make("h3", {}, "Score ", make("b", { textContent: total })),
    make("ul", { className: "scores" }, ...facts.scores.map((score) => make("li", {},
      make("p", {}, make("span", { textContent: score.name }), make("b", { textContent: score.value === null ? "–" : score.value.toFixed(2) })),
      make("meter", { min: 0, max: 1, value: score.value ?? 0, "aria-label": score.name }),
      make("p", { className: "note", textContent: score.reason || "no reason given" })))),
  ];
}

function step(by) {
  const place = around.ids.indexOf(shown);
  const next = around.ids[place + by];
  if (!next) return;
  history.replaceState(history.state, "", `#${next}`);
  show(next);
  const after = around.ids[place + 2 * by];
  if (after) new Image().src = `/pictures/${after}`;
}

byId("zoom-close").addEventListener("click", closeZoom);
byId("zoom-back").addEventListener("click", () => step(-1));
byId("zoom-next").addEventListener("click", () => step(1));
dialog.addEventListener("cancel", (event) => {
  if (event.target !== dialog) return;
  event.preventDefault();
  closeZoom();
});
dialog.addEventListener("close", () => {
  closeZoom();
  closed(shown);
});
const KEYS = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), x: () => around.tick(shown), " ": () => around.tick(shown) };
dialog.addEventListener("keydown", (event) => {
  const act = KEYS[event.key] ?? around.keys[event.key];
  if (!act || event.ctrlKey || event.metaKey || (event.key === " " && event.target.closest("button, a"))) return;
  event.preventDefault();
  act(shown);
});
