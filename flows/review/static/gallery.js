// The gallery: arms side by side for each prompt, or all pictures in one grid; duplicates collapsed under the picture that they repeat.
import { armMark, byId, count, get, isFree, make, post, run, say } from "./page.js";
import * as filters from "./filters.js";
import * as shelf from "./shelf.js";
import { closeZoom, redraw, zoom } from "./zoom.js";

const FIRST_OF_CELL = 24;
const place = byId("gallery");
const expanded = new Set();
const fullCells = new Set();
let facts = null;
let drafts = new Map();
let duplicatesOf = new Map();
let alike = new Map();
let onlyAlike = null;
let seen = [];
let picking = null;

const colour = (arm) => facts.arms[arm] ?? 0;

function take(answer) {
  facts = answer;
  drafts = new Map(facts.drafts.map((draft) => [draft.id, draft]));
  alike = Map.groupBy(facts.drafts.filter((draft) => draft.alike && draft.status === "survivor"), (draft) => draft.alike);
  duplicatesOf = Map.groupBy(facts.drafts.filter((draft) => drafts.has(draft.of)), (draft) => draft.of);
}

function draw() {
  const wanted = filters.read();
  filters.keep(wanted);
  const found = filters.sort(filters.choose(facts.drafts, wanted, facts.prompts, shelf.isChosen), wanted);
  const shown = sideBySide(onlyAlike ? found.filter((draft) => draft.alike === onlyAlike) : found);
  place.style.setProperty("--size", `${wanted.size}px`);
  place.dataset.view = wanted.view;
  place.replaceChildren(...(shown.length ? wanted.view === "all" ? grid(shown) : bands(shown) : [nothing()]));
  place.setAttribute("aria-busy", "false");
  seen = [...place.querySelectorAll(".tile")].map((tile) => tile.dataset.id);
  byId("tally").textContent = `${shown.length.toLocaleString("en")} of ${count(facts.drafts.length, "draft")}`;
}

// Pictures that look similar follow the first of them.
function sideBySide(shown) {
  const groups = Map.groupBy(shown, (draft) => (alike.get(draft.alike)?.length > 1 ? draft.alike : draft.id));
  return [...groups.values()].flat();
}

function nothing() {
  if (!facts.drafts.length) return make("p", { className: "nothing", textContent: "There are no pictures yet." });
  return make("div", { className: "nothing" }, make("p", { textContent: "No picture matches the filters." }),
    make("button", { type: "button", textContent: "Show all again", on: { click: () => { location.search = ""; } } }));
}

// Whole lines of pictures in chunks: the browser lays out only the chunks that are near.
const LINES_OF_CHUNK = 6;
function grid(shown) {
  const all = shown.flatMap(tiles);
  columns = countColumns();
  const chunks = [];
  for (let from = 0; from < all.length; from += columns * LINES_OF_CHUNK) {
    chunks.push(make("ul", { className: "tiles chunk" }, ...all.slice(from, from + columns * LINES_OF_CHUNK)));
  }
  return chunks;
}

const GAP_PX = 12;
let columns = 0;
const countColumns = () => Math.max(1, Math.floor((place.clientWidth + GAP_PX) / (Number(byId("size").value) + GAP_PX)));

function bands(shown) {
  const rows = Map.groupBy(shown, (draft) => draft.row);
  const arms = Object.keys(facts.arms).filter((arm) => shown.some((draft) => draft.arm === arm));
  return [...rows.keys()].sort((a, b) => a - b).map((row) => band(row, rows.get(row), arms));
}

function band(row, shown, arms) {
  const cells = Map.groupBy(shown, (draft) => draft.arm);
  const name = facts.rows[row];
  const section = make("section", { className: "band", "aria-label": `Row ${row + 1}` },
    make("h2", {}, make("span", { textContent: `Row ${row + 1}` }), name ? ` ${name}` : ""),
    make("div", { className: "cells" }, ...arms.map((arm) => cell(row, arm, cells.get(arm) ?? []))));
  section.style.setProperty("--arms", arms.length);
  return section;
}

function cell(row, arm, shown) {
  const key = `${arm}:${row}`;
  const few = fullCells.has(key) ? shown : shown.slice(0, FIRST_OF_CELL);
  const more = shown.length - few.length;
  return make("div", { className: "cell", data: { colour: colour(arm) } },
    make("p", { className: "cell-prompt" }, armMark(arm, colour(arm)), " ", make("span", { dir: "auto", textContent: facts.prompts[key] ?? "" })),
    few.length ? make("ul", { className: "tiles" }, ...few.flatMap(tiles)) : make("p", { className: "nothing", textContent: "None." }),
    more > 0 ? make("button", { type: "button", className: "more", textContent: `${count(more, "more picture")}`, on: { click: () => { fullCells.add(key); draw(); } } }) : null);
}

function tiles(draft) {
  const own = duplicatesOf.get(draft.id) ?? [];
  return [tile(draft, own), ...(expanded.has(draft.id) ? own.map((duplicate) => tile(duplicate, [], draft)) : [])];
}

function tile(draft, own, of = null) {
  const isChosen = shelf.isChosen(draft.id);
  const image = make("img", {
    src: `/thumbnails/${draft.id}`, alt: `${draft.name}, arm ${draft.arm}`, loading: "lazy", decoding: "async",
    width: draft.width ?? 512, height: draft.height ?? 512, className: draft.clear ? "see-through" : "",
  });
  return make("li", { className: "tile", data: { id: draft.id, colour: colour(draft.arm), status: draft.status, chosen: isChosen, duplicate: Boolean(of) } },
    make("button", { type: "button", className: "look", "aria-label": `Enlarge ${draft.name}`, data: { action: "look" } }, image),
    draft.status === "unfit" ? null : make("button", { type: "button", className: "tick", "aria-pressed": String(isChosen), "aria-label": `Finalist: ${draft.name}`, data: { action: "tick" }, textContent: "✓" }),
    make("p", { className: "caption" }, armMark(draft.arm, colour(draft.arm)),
      make("b", { textContent: draft.score === null ? "–" : draft.score.toFixed(2) }),
      draft.rank ? make("span", { textContent: `#${draft.rank}` }) : null,
      draft.odd ? make("span", { className: "odd", title: draft.odd, textContent: "not as ordered" }) : null),
    of ? duplicateLine(draft, of) : own.length ? duplicatesButton(draft, own) : null,
    of ? null : alikeButton(draft));
}

function alikeButton(draft) {
  const group = draft.status === "survivor" ? alike.get(draft.alike) ?? [] : [];
  if (group.length < 2) return null;
  const isOnly = onlyAlike === draft.alike;
  return make("button", { type: "button", className: "duplicates", "aria-pressed": String(isOnly), data: { action: "alike" },
    title: KEPT[draft.kind] ?? "The same composition with other details",
    textContent: isOnly ? "Show all pictures" : `${group.length} alike` });
}

const duplicatesButton = (draft, own) => make("button", {
  type: "button", className: "duplicates", "aria-expanded": String(expanded.has(draft.id)), data: { action: "duplicates" },
  textContent: `${expanded.has(draft.id) ? "Hide" : "Show"} ${count(own.length, "duplicate")}`,
});

const ALTERED = { mirrored: "A mirrored or turned copy", framed: "A copy with a border" };
const KEPT = { ...ALTERED, near: "The same picture in another arm" };
const HOW = { exact: "the same bytes", told: "marked by a person" };
const howNear = ({ kind, similarity, bits }) => {
  if (HOW[kind]) return HOW[kind];
  if (similarity === null) return `${bits} bits apart`;
  const altered = ALTERED[kind];
  return `${altered ? `${altered.toLowerCase()}, ` : ""}similarity ${similarity.toFixed(2)}`;
};
const duplicateLine = (draft, of) => make("p", { className: "duplicate-line" },
  make("span", { textContent: `duplicate of ${of.name}: ${howNear(draft)}` }),
  make("button", { type: "button", className: "duplicates", data: { action: "separate" }, textContent: "Not a duplicate" }));

async function decideDuplicate(copyId, ofId, isCopy) {
  try {
    take(await post(`/runs/${run}/folds`, { copy_id: copyId, of_id: ofId, is_copy: isCopy }));
    await shelf.load();
    draw();
    redraw();
    say(isCopy ? "Marked as a duplicate." : "No longer a duplicate.");
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

function buttons(facts) {
  const isChosen = shelf.isChosen(facts.id);
  const tick = make("button", { type: "button", className: isChosen ? "" : "primary", textContent: isChosen ? "Remove from finalists" : "Make it a finalist", on: { click: () => { shelf.toggle(facts.id); redraw(); } } });
  const separate = make("button", { type: "button", textContent: `Not a duplicate${facts.copy_of ? ` of ${facts.copy_of}` : ""}`, on: { click: () => decideDuplicate(facts.id, facts.copy_of_id, false) } });
  const merge = make("button", { type: "button", textContent: "Is a duplicate of …", on: { click: () => pick(facts) } });
  return [tick, facts.copy_of_id ? separate : merge];
}

function pick(facts) {
  closeZoom();
  picking = facts.id;
  byId("picking-name").textContent = facts.name;
  byId("picking").hidden = false;
  place.classList.add("is-picking");
}

function endPicking() {
  picking = null;
  byId("picking").hidden = true;
  place.classList.remove("is-picking");
}

function look(id) {
  zoom(id, seen, buttons, (one) => ({ name: drafts.get(one).name, clear: drafts.get(one).clear, colour: colour(drafts.get(one).arm) }));
}

const ACTIONS = {
  look: (id) => {
    if (picking === null) return look(id);
    const duplicate = picking;
    endPicking();
    return duplicate === id ? null : decideDuplicate(duplicate, id, true);
  },
  tick: (id) => shelf.toggle(id),
  duplicates: (id) => {
    if (!duplicatesOf.has(id)) return;
    if (expanded.has(id)) expanded.delete(id); else expanded.add(id);
    draw();
    focus(id, ".duplicates");
  },
  alike: (id) => {
    onlyAlike = onlyAlike ? null : drafts.get(id).alike;
    draw();
    focus(id, "[data-action=alike]");
  },
  separate: (id) => decideDuplicate(id, drafts.get(id).of, false),
};

const tileOf = (id) => place.querySelector(`[data-id="${CSS.escape(id)}"]`);
const focus = (id, part = ".look") => tileOf(id)?.querySelector(part)?.focus();

place.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-action]");
  if (button) ACTIONS[button.dataset.action](button.closest(".tile").dataset.id);
});

// An arrow key moves to the nearest picture in that direction on the screen.
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function neighbour(tile, [across, down]) {
  const all = [...place.querySelectorAll(".tile")];
  if (across) return all[all.indexOf(tile) + across];
  const own = tile.getBoundingClientRect();
  const middle = own.left + own.width / 2;
  const rest = down > 0 ? all.slice(all.indexOf(tile) + 1) : all.slice(0, all.indexOf(tile)).reverse();
  return rest.find((one) => {
    const box = one.getBoundingClientRect();
    return (box.top - own.top) * down > 4 && box.left <= middle && box.right >= middle;
  });
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && picking !== null) endPicking();
  if (!isFree(event)) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("text").focus();
    return;
  }
  const tile = document.activeElement.closest(".tile");
  if (!tile) return;
  if (DIRECTIONS[event.key]) {
    event.preventDefault();
    neighbour(tile, DIRECTIONS[event.key])?.querySelector(".look").focus();
  } else if (event.key === "x") ACTIONS.tick(tile.dataset.id);
  else if (event.key === "c") ACTIONS.duplicates(tile.dataset.id);
});

function markChosen() {
  for (const tile of place.querySelectorAll(".tile")) {
    const isChosen = shelf.isChosen(tile.dataset.id);
    if (String(isChosen) === tile.dataset.chosen) continue;
    tile.dataset.chosen = isChosen;
    tile.querySelector(".tick")?.setAttribute("aria-pressed", isChosen);
  }
  shelf.drawShelf();
}

// On a phone most filters are behind one button.
function showTools() {
  const tools = document.querySelector(".tools");
  const isOpen = tools.dataset.open !== "true";
  tools.dataset.open = isOpen;
  byId("more-tools").setAttribute("aria-expanded", isOpen);
}

async function begin() {
  try {
    const [answer] = await Promise.all([get(`/runs/${run}/gallery.json`), shelf.load()]);
    take(answer);
    filters.fillRows(facts.rows);
    filters.fillStatements(facts.statements);
    filters.restore();
    draw();
    shelf.onChange(markChosen);
    shelf.drawShelf();
    document.querySelector(".tools").addEventListener("input", draw);
    addEventListener("resize", () => { if (filters.read().view === "all" && countColumns() !== columns) draw(); });
    byId("picking-cancel").addEventListener("click", endPicking);
    byId("more-tools").addEventListener("click", showTools);
  } catch (trouble) {
    place.replaceChildren(make("p", { className: "nothing", textContent: trouble.message }));
  }
}

begin();
