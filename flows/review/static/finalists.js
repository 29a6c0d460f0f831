// Finalists in the order that the person chose, by mouse or keyboard; their price; and the confirmation to buy them.
import { armMark, byId, count, get, isFree, make, post, run, say } from "./page.js";
import * as shelf from "./shelf.js";

const POOL = 60;
let drafts = new Map();
let arms = {};
let dragged = null;

function move(id, by) {
  const ids = shelf.chosen();
  const from = ids.indexOf(id);
  const to = from + by;
  if (to < 0 || to >= ids.length) return;
  ids.splice(to, 0, ...ids.splice(from, 1));
  shelf.order(ids);
  byId("chosen").querySelector(`[data-id="${id}"]`)?.focus();
  say(`${drafts.get(id)?.name ?? "It"} is ${to + 1} of ${ids.length}.`);
}

function chosenLine(id, index) {
  const draft = drafts.get(id) ?? { name: id, arm: "?" };
  const price = shelf.shortlist().price.of_finalist?.[id];
  const button = (text, label, act) => make("button", { type: "button", className: "quiet round", textContent: text, "aria-label": `${label}: ${draft.name}`, on: { click: act } });
  return make("li", { className: "chosen-one", draggable: true, tabIndex: 0, data: { id, colour: arms[draft.arm] ?? 0 }, "aria-label": `${index + 1}. ${draft.name}` },
    make("span", { className: "place", textContent: index + 1 }),
    make("a", { href: `/runs/${run}#${id}`, draggable: false, "aria-label": `Enlarge ${draft.name}` }, make("img", { src: `/thumbnails/${id}`, alt: "", draggable: false })),
    make("div", { className: "chosen-text" }, make("p", {}, armMark(draft.arm, arms[draft.arm] ?? 0), make("b", { textContent: ` ${draft.name}` })),
      make("p", { className: "note", textContent: price ? `at most ${price} per attempt` : isDone(id) ? "has an accepted final" : shelf.isSaving() ? "pricing …" : "" })),
    make("div", { className: "chosen-buttons" }, button("↑", "Up", () => move(id, -1)), button("↓", "Down", () => move(id, 1)), button("✕", "Remove", () => shelf.toggle(id))));
}

const isDone = (id) => shelf.shortlist().finalists.some((one) => one.id === id && one.has_final);

function draw() {
  const focused = document.activeElement?.closest("[data-id]")?.dataset.id;
  const inChosen = document.activeElement?.closest("#chosen") !== null;
  const ids = shelf.chosen();
  const facts = shelf.shortlist();
  byId("chosen").replaceChildren(...ids.map(chosenLine));
  byId("chosen-none").hidden = ids.length > 0;
  byId("without").hidden = !facts.without.length || shelf.isSaving();
  byId("without").textContent = `Still without a finalist: ${facts.without.join(", ")}.`;
  byId("chosen-by").textContent = facts.revision ? `Chosen by ${facts.chosen_by}, revision ${facts.revision}.` : `Chosen by the campaign’s rule; you can change it. ${facts.rule}`;
  for (const tile of byId("pool").children) {
    const isChosen = shelf.isChosen(tile.dataset.id);
    tile.dataset.chosen = isChosen;
    tile.querySelector(".tick").setAttribute("aria-pressed", isChosen);
  }
  if (focused && inChosen) byId("chosen").querySelector(`[data-id="${focused}"]`)?.focus();
  drawPlan(facts, ids);
}

const line = (label, value, kind = "") => make("div", { className: kind }, make("dt", { textContent: label }), make("dd", { textContent: value }));

function drawPlan(facts, ids) {
  const { price } = facts;
  const isReady = !price.trouble && price.has_work && !shelf.isSaving() && !facts.is_buying;
  byId("buy").disabled = !isReady;
  const action = price.n_finals ? `Buy ${count(price.n_finals, "final")} for at most ${price.all}` : "End the promotion";
  byId("buy").textContent = isReady ? action : "Nothing to buy";
  byId("buy-note").textContent = buyNote(facts, ids);
  if (price.trouble) {
    byId("plan").replaceChildren(make("p", { className: "trouble", textContent: price.trouble }));
    return;
  }
  if (price.n_finals === 0) {
    byId("plan").replaceChildren(make("p", { className: "nothing", textContent: price.sentence }), make("dl", { className: "plan-lines" }, line(`Left in ${price.left_in}`, price.left)));
    return;
  }
  byId("plan").replaceChildren(make("dl", { className: "plan-lines" },
    line("Finals", `${price.n_finals} with ${price.model}`),
    line("If each first attempt is accepted", price.first),
    line("If every attempt is needed", price.all, "sum"),
    line(`Left in ${price.left_in}`, price.left, price.is_within ? "" : "short")),
  ...(price.is_within ? [] : [make("p", { className: "trouble", textContent: price.begins ? "The budget may be used up before the last attempt; the first finalists are bought first." : "The budget does not cover one attempt for each finalist; the first finalists are bought first." })]));
}

function buyNote(facts, ids) {
  if (shelf.isSaving()) return "Pricing …";
  if (facts.is_buying) return "The purchase is running: see Finals.";
  if (facts.confirmed) return `Confirmed by ${facts.confirmed}.${facts.price.n_finals ? ` ${count(facts.price.n_finals, "final")} not bought yet: buy here again, or with runoff promote ${run}` : ""}`;
  return ids.length ? "You will be asked to confirm." : "Select a picture first.";
}

function poolTile(draft) {
  return make("li", { className: "tile", data: { id: draft.id, colour: arms[draft.arm] ?? 0 } },
    make("button", { type: "button", className: "look", "aria-label": `Select ${draft.name}`, on: { click: () => shelf.toggle(draft.id) } },
      make("img", { src: `/thumbnails/${draft.id}`, alt: `${draft.name}, arm ${draft.arm}`, loading: "lazy", width: draft.width ?? 512, height: draft.height ?? 512, className: draft.clear ? "see-through" : "" })),
    make("button", { type: "button", className: "tick", "aria-pressed": "false", "aria-label": `Finalist: ${draft.name}`, textContent: "✓", on: { click: () => shelf.toggle(draft.id) } }),
    make("p", { className: "caption" }, armMark(draft.arm, arms[draft.arm] ?? 0), make("b", { textContent: draft.score === null ? "–" : draft.score.toFixed(2) }), draft.rank ? make("span", { textContent: `#${draft.rank}` }) : null));
}

function ask() {
  const { price } = shelf.shortlist();
  byId("confirm-pictures").replaceChildren(...shelf.chosen().filter((id) => price.of_finalist[id]).map((id) => make("li", {}, make("img", { src: `/thumbnails/${id}`, alt: drafts.get(id)?.name ?? "" }))));
  if (!price.n_finals) byId("confirm-text").replaceChildren(price.sentence);
  else byId("confirm-text").replaceChildren(`${count(price.n_finals, "final")} with ${price.model}: `, make("b", { textContent: `${price.first} to ${price.all}` }), `. ${price.left} is left in ${price.left_in}.`);
  byId("confirm-title").textContent = price.n_finals ? "Buy these finals?" : "End the promotion?";
  byId("confirm-note").hidden = !price.n_finals;
  byId("confirm-yes").textContent = price.n_finals ? `Buy for at most ${price.all}` : "End it";
  byId("confirm").showModal();
}

// A list that was confirmed before needs a new revision before it can be confirmed again.
async function buy() {
  byId("confirm-yes").disabled = true;
  try {
    if (shelf.shortlist().confirmed) await shelf.order(shelf.chosen());
    const { revision, price } = shelf.shortlist();
    const { finals } = await post(`/runs/${run}/confirm`, { revision, most_usd: price.most_usd });
    location.assign(finals);
  } catch (trouble) {
    byId("confirm").close();
    say(trouble.message, "trouble");
    await shelf.load();
  } finally {
    byId("confirm-yes").disabled = false;
  }
}

byId("buy").addEventListener("click", ask);
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", buy);

const list = byId("chosen");
list.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-id]");
  dragged.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
});
list.addEventListener("dragover", (event) => {
  if (!dragged) return;
  event.preventDefault();
  const over = event.target.closest("[data-id]");
  if (!over || over === dragged) return;
  const box = over.getBoundingClientRect();
  over[event.clientY > box.top + box.height / 2 ? "after" : "before"](dragged);
});
list.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  dragged = null;
  shelf.order([...list.children].map((one) => one.dataset.id));
});
addEventListener("keydown", (event) => {
  const one = document.activeElement?.closest("[data-id]");
  if (!one || !isFree(event)) return;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && one.closest("#chosen")) {
    event.preventDefault();
    move(one.dataset.id, event.key === "ArrowUp" ? -1 : 1);
  } else if (event.key === "x" && !event.altKey) shelf.toggle(one.dataset.id);
});

async function begin() {
  try {
    const [facts] = await Promise.all([get(`/runs/${run}/gallery.json`), shelf.load()]);
    drafts = new Map(facts.drafts.map((draft) => [draft.id, draft]));
    arms = facts.arms;
    const unique = facts.drafts.filter((draft) => draft.status === "survivor");
    unique.sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity));
    byId("pool").replaceChildren(...unique.slice(0, POOL).map(poolTile));
    shelf.onChange(draw);
    draw();
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

begin();
