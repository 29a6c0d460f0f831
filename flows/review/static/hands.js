// The picture that keys act on. One picture of the gallery is in the tab order at a time; arrow keys move to the next one.
import { isFree, run } from "./page.js";
import { isShown, madeTile, shownIds, tileOf, tilesAround } from "./parts.js";

const LAST_SEEN = `runoff-seen-${run}`;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let current = null;
let seenBefore = cameBack() ? sessionStorage.getItem(LAST_SEEN) : null;

// Whoever comes back to the page, or loads it again, is at the picture seen last.
function cameBack() {
  const [how] = performance.getEntriesByType("navigation");
  return ["back_forward", "reload"].includes(how?.type);
}

export const currentId = () => current;

// Let keys act on a picture, and bring it into view.
export function goTo(id, { part = ".look", isQuiet = false } = {}) {
  const tile = tileOf(id);
  if (!tile) return;
  become(id);
  const target = tile.querySelector(part) ?? tile.querySelector(".look");
  target.focus({ preventScroll: isQuiet });
  if (!isQuiet) tile.scrollIntoView({ block: "nearest" });
}

function become(id) {
  const last = current;
  current = id;
  sessionStorage.setItem(LAST_SEEN, id);
  for (const one of new Set([last, id])) if (one !== null) inTabOrder(madeTile(one), one === id);
}

// Only the buttons of the current picture can be reached by Tab.
export function inTabOrder(tile, isIn) {
  for (const button of tile?.querySelectorAll("button") ?? []) button.tabIndex = isIn ? 0 : -1;
}

// After the gallery was drawn: keys act on the same picture as before, else on the first one. What is typed into a filter keeps its focus.
export function takeUp() {
  const isAway = document.activeElement !== document.body && document.activeElement !== null;
  const wanted = [current, seenBefore].find(isShown) ?? shownIds()[0];
  if (wanted === undefined) return;
  if (isAway) become(wanted);
  else goTo(wanted, { isQuiet: wanted !== seenBefore });
  seenBefore = null;
}

// An arrow key moves to the nearest picture in that direction on the screen.
function neighbour(id, [across, down]) {
  if (across) return shownIds()[shownIds().indexOf(id) + across];
  const near = tilesAround(id);
  const tile = tileOf(id);
  const own = tile.getBoundingClientRect();
  const middle = own.left + own.width / 2;
  const place = near.indexOf(tile);
  const rest = (down > 0 ? near.slice(place + 1) : near.slice(0, place).reverse())
    .map((one) => ({ one, box: one.getBoundingClientRect() })).filter(({ box }) => (box.top - own.top) * down > 4);
  const isAbove = ({ box }) => box.left <= middle && box.right >= middle;
  return (rest.find(isAbove) ?? rest[0])?.one.dataset.id;
}

// The picture that a key is for: the one in focus, or the current one while nothing else has the focus.
function target() {
  const focused = document.activeElement;
  const tile = focused?.closest(".tile");
  if (tile) return tile.dataset.id;
  return (focused === document.body || focused?.id === "main") && isShown(current) ? current : null;
}

// `keys` maps a key to what it does with the picture's id; a space counts only where no button takes it.
export function listen(place, keys) {
  place.addEventListener("focusin", ({ target: focused }) => {
    const tile = focused.closest(".tile");
    if (tile && tile.dataset.id !== current) become(tile.dataset.id);
  });
  const isForButton = (event) => event.key === " " && document.activeElement?.closest("button:not(.look), a, input");
  addEventListener("keydown", (event) => {
    const id = isFree(event) ? target() : null;
    if (id === null || isForButton(event)) return;
    if (DIRECTIONS[event.key]) {
      event.preventDefault();
      const next = neighbour(id, DIRECTIONS[event.key]);
      if (next) goTo(next);
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      goTo(shownIds().at(event.key === "Home" ? 0 : -1));
    } else if (keys[event.key] && !event.repeat) {
      event.preventDefault();
      keys[event.key](id);
    }
  });
  // A button acts on a space when it is released.
  addEventListener("keyup", (event) => {
    if (event.key === " " && document.activeElement?.closest(".look")) event.preventDefault();
  });
}
