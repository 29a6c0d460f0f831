// The gallery: arms side by side for each prompt, or all pictures in one grid; duplicates collapsed under the picture that they repeat.
import { armMark, byId, count, get, isFree, make, post, run, say } from "./page.js";
import * as filters from "./filters.js";
import { currentId, goTo, inTabOrder, listen, takeUp } from "./hands.js";
import { madeTile, shownIds, showParts, tileOf } from "./parts.js";
import { madeFrom, words } from "./prompts.js";
import * as remarks from "./remarks.js";
import * as shelf from "./shelf.js";
import { drawTray, isInTray, lookSideBySide, toggleTray } from "./tray.js";
import { closeZoom, followAddress, onClose, redraw, zoom } from "./zoom.js";

const FIRST_OF_CELL = 24;
const place = byId("gallery");
const expanded = new Set();
const fullCells = new Set();
let facts = null;
let drafts = new Map();
let duplicatesOf = new Map();
let alike = new Map();
let onlyAlike = null;
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
  const shown = likes ? nearestFirst() : sideBySide(onlyAlike ? found.filter((draft) => draft.alike === onlyAlike) : found);
  place.style.setProperty("--size", `${wanted.size}px`);
  place.dataset.view = likes ? "all" : wanted.view;
  showParts(place, wanted.view === "all" || likes ? grid(shown) : bands(shown));
  if (!shown.length) place.replaceChildren(nothing());
  place.setAttribute("aria-busy", "false");
  const few = shown.length.toLocaleString("en");
  byId("tally").textContent = `${few} of ${count(facts.drafts.length, "draft")}`;
  byId("tools-tally").textContent = `${few} of ${facts.drafts.length.toLocaleString("en")}`;
  takeUp();
}

// Draw once for all that was typed until the screen is painted.
let isDue = false;
function drawSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; draw(); });
}

// The drafts most like one picture, with how many bits of their hashes differ; null while all are shown.
let likes = null;
const nearestFirst = () => [...likes.keys()].filter((id) => drafts.has(id)).map((id) => drafts.get(id));

async function findLike(id) {
  try {
    likes = new Map((await get(`/runs/${run}/like/${id}.json`)).like);
  } catch (trouble) {
    say(trouble.message, "trouble");
    return;
  }
  byId("like-name").textContent = drafts.get(id)?.name ?? id;
  byId("like").hidden = false;
  closeZoom();
  draw();
  goTo(id);
  byId("like").scrollIntoView({ block: "nearest" });
}

function endLike() {
  likes = null;
  byId("like").hidden = true;
  draw();
  goTo(currentId());
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

// Whole lines of pictures in chunks: only the chunks that are near are made.
const LINES_OF_CHUNK = 6;
function grid(shown) {
  const all = shown.flatMap(withDuplicates);
  columns = countColumns();
  const chunks = [];
  for (let from = 0; from < all.length; from += columns * LINES_OF_CHUNK) {
    const some = all.slice(from, from + columns * LINES_OF_CHUNK);
    chunks.push({ element: make("ul", { className: "tiles chunk" }), ids: some.map(({ draft }) => draft.id), fill: () => some.map(tile), height: heightOf(some.length, columns) });
  }
  return chunks;
}

const GAP_PX = 12;
const CAPTION_PX = 50;
let columns = 0;
const countColumns = () => Math.max(1, Math.floor((place.clientWidth + GAP_PX) / (Number(byId("size").value) + GAP_PX)));

// About how high so many tiles will be, so that the scroll bar is right before they are made.
function heightOf(number, across) {
  const { width, height } = facts.drafts.find((draft) => draft.width) ?? { width: 1, height: 1 };
  const each = (place.clientWidth / across) * (height / width) + CAPTION_PX;
  return Math.round(Math.ceil(number / across) * each);
}

function bands(shown) {
  const rows = Map.groupBy(shown, (draft) => draft.row);
  const arms = Object.keys(facts.arms).filter((arm) => shown.some((draft) => draft.arm === arm));
  return [...rows.keys()].sort((a, b) => a - b).map((row) => band(row, rows.get(row), arms));
}

function band(row, shown, arms) {
  const cells = Map.groupBy(shown, (draft) => draft.arm);
  const few = arms.map((arm) => fewOf(arm, row, cells.get(arm) ?? []));
  const element = make("section", { className: "band", "aria-label": `Row ${row + 1}` });
  element.style.setProperty("--arms", arms.length);
  return {
    element,
    ids: few.flatMap((some) => some.flatMap(withDuplicates)).map(({ draft }) => draft.id),
    fill: () => [bandTitle(row), make("div", { className: "cells" }, ...arms.map((arm, index) => cell(row, arm, few[index], cells.get(arm)?.length ?? 0)))],
    height: 100 + heightOf(Math.max(...few.map((some) => some.length)), Math.max(1, Math.floor(countColumns() / arms.length))),
  };
}

const bandTitle = (row) => make("h2", {}, make("span", { textContent: `Row ${row + 1}` }), facts.rows[row] ? ` ${facts.rows[row]}` : "");
const fewOf = (arm, row, shown) => (fullCells.has(`${arm}:${row}`) ? shown : shown.slice(0, FIRST_OF_CELL));

function cell(row, arm, few, all) {
  const key = `${arm}:${row}`;
  const more = all - few.length;
  return make("div", { className: "cell", data: { colour: colour(arm) } },
    make("p", { className: "cell-prompt" }, armMark(arm, colour(arm)), " ", make("span", { dir: "auto" }, ...words(facts.prompt_words[key] ?? facts.prompts[key] ?? ""))),
    few.length ? make("ul", { className: "tiles" }, ...few.flatMap(withDuplicates).map(tile)) : make("p", { className: "nothing", textContent: "None." }),
    more > 0 ? make("button", { type: "button", className: "more", textContent: `${count(more, "more picture")}`, on: { click: () => { fullCells.add(key); draw(); goTo(few.at(-1).id); } } }) : null);
}

// A picture, and after it its duplicates if they are expanded.
function withDuplicates(draft) {
  const own = duplicatesOf.get(draft.id) ?? [];
  return [{ draft, own, of: null }, ...(expanded.has(draft.id) ? own.map((duplicate) => ({ draft: duplicate, own: [], of: draft })) : [])];
}

function tile({ draft, own, of }) {
  const isChosen = shelf.isChosen(draft.id);
  const image = make("img", {
    src: `/thumbnails/${draft.id}`, alt: `${draft.name}, arm ${draft.arm}`, loading: "lazy", decoding: "async",
    width: draft.width ?? 512, height: draft.height ?? 512, className: draft.clear ? "see-through" : "",
  });
  const made = make("li", { className: "tile", data: { id: draft.id, colour: colour(draft.arm), status: draft.status, chosen: isChosen, duplicate: Boolean(of) } },
    make("button", { type: "button", className: "look", "aria-label": `Enlarge ${draft.name}`, data: { action: "look" } }, image),
    draft.status === "unfit" ? null : make("button", { type: "button", className: "tick", "aria-pressed": String(isChosen), "aria-label": `Finalist: ${draft.name}`, data: { action: "tick" }, textContent: "✓" }),
    make("p", { className: "caption" }, armMark(draft.arm, colour(draft.arm)),
      make("b", { textContent: draft.score === null ? "–" : draft.score.toFixed(2) }),
      draft.rank ? make("span", { textContent: `#${draft.rank}` }) : null,
      likes?.has(draft.id) ? make("span", { textContent: `${likes.get(draft.id)} bits` }) : null,
      draft.odd ? make("span", { className: "odd", title: draft.odd, textContent: "not as ordered" }) : null),
    remarks.line(draft.said),
    of ? duplicateLine(draft, of) : own.length ? duplicatesButton(draft, own) : null,
    of ? null : alikeButton(draft));
  inTabOrder(made, draft.id === currentId());
  return made;
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
  const beside = make("button", { type: "button", "aria-pressed": String(isInTray(facts.id)), textContent: "Side by side", on: { click: () => { toggleTray(facts.id); redraw(); } } });
  const similar = make("button", { type: "button", textContent: "Find similar", on: { click: () => findLike(facts.id) } });
  return [tick, beside, similar, facts.copy_of_id ? separate : merge];
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
  zoom(id, shownIds(), {
    buttons, about: shownAs, tick: (one) => { shelf.toggle(one); redraw(); },
    more: (facts) => {
      showSaid(facts.id, facts.said);
      return [madeFrom(facts.id, facts.made_from), remarks.panel(facts.id, facts.said)].filter(Boolean);
    },
    keys: { ...digits((one, digit) => remarks.press(digit, one, () => drafts.get(one).said)), s: (one) => { toggleTray(one); redraw(); }, v: lookSideBySide, l: findLike },
  });
}

const shownAs = (id) => ({ name: drafts.get(id).name, clear: drafts.get(id).clear, colour: colour(drafts.get(id).arm) });

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
    goTo(id, { part: ".duplicates" });
  },
  alike: (id) => {
    onlyAlike = onlyAlike ? null : drafts.get(id).alike;
    draw();
    goTo(id, { part: "[data-action=alike]" });
  },
  separate: (id) => decideDuplicate(id, drafts.get(id).of, false),
};

place.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-action]");
  if (button) ACTIONS[button.dataset.action](button.closest(".tile").dataset.id);
});

function digits(act) {
  return Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [String(digit), (id) => act(id, digit)]));
}

// What stands of a picture has changed, perhaps by somebody else: its tile and the enlarged picture show it.
function told(id, said) {
  showSaid(id, said);
  redraw();
}

function showSaid(id, said) {
  const draft = drafts.get(id);
  draft.said = said;
  const tile = madeTile(id);
  tile?.querySelector(".said-line")?.remove();
  const line = remarks.line(said);
  if (line) tile?.querySelector(".caption").after(line);
}

listen(place, { Enter: (id) => ACTIONS.look(id), " ": (id) => ACTIONS.tick(id), x: (id) => ACTIONS.tick(id), c: (id) => ACTIONS.duplicates(id), s: toggleTray, v: lookSideBySide, l: (id) => findLike(id), ...digits((id, digit) => remarks.press(digit, id, () => drafts.get(id).said)) });
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && picking !== null) endPicking();
  else if (event.key === "Escape" && likes && isFree(event)) endLike();
  if (event.key !== "/" || !isFree(event)) return;
  event.preventDefault();
  if (byId("text").checkVisibility() === false) showTools();
  byId("text").focus();
});
byId("text").addEventListener("keydown", (event) => {
  if (event.key !== "Escape" && event.key !== "Enter") return;
  event.preventDefault();
  event.stopPropagation();
  goTo(currentId());
});

onClose((id) => goTo(tileOf(id) ? id : currentId()));

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
    filters.fillSaid(facts.review);
    remarks.begin(facts.review, told);
    filters.restore();
    draw();
    followAddress(look, (id) => drafts.has(id));
    shelf.onChange(markChosen);
    shelf.drawShelf();
    document.querySelector(".tools").addEventListener("input", drawSoon);
    addEventListener("resize", () => { if (filters.read().view === "all" && countColumns() !== columns) draw(); });
    drawTray();
    byId("like-end").addEventListener("click", endLike);
    byId("picking-cancel").addEventListener("click", endPicking);
    byId("more-tools").addEventListener("click", showTools);
  } catch (trouble) {
    place.replaceChildren(make("p", { className: "nothing", textContent: trouble.message }));
  }
}

begin();
