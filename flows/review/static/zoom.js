// One enlarged picture with all its facts and the reason for each score.
import { armMark, byId, get, make, run, say } from "./page.js";

const dialog = byId("zoom");
let around = { ids: [], buttons: () => [] };
let shown = null;

// Open a picture; `ids` lists the pictures in the order shown, `buttons(facts)` makes its buttons.
export function zoom(id, ids, buttons, about) {
  around = { ids, buttons, about };
  show(id);
  if (!dialog.open) dialog.showModal();
}

export const closeZoom = () => dialog.close();

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
    make("p", { className: "prompt", dir: "auto", textContent: facts.prompt }),
    make("p", { className: "why", textContent: facts.why ?? "Not decided yet." }),
    make("div", { className: "buttons" }, ...around.buttons(facts)),
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
  if (next) show(next);
}

byId("zoom-close").addEventListener("click", closeZoom);
byId("zoom-back").addEventListener("click", () => step(-1));
byId("zoom-next").addEventListener("click", () => step(1));
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
