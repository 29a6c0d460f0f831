// The parts of a long gallery: each is filled while it is near the screen, so that ten thousand pictures are mostly names.
const NEAR = "1200px 0px";
let parts = [];
let order = [];
let partOf = new Map();
let watcher = null;

// Show parts in order: `ids` are the pictures of one, `fill()` makes its content, `height` is about how high it will be.
export function showParts(place, wanted) {
  watcher?.disconnect();
  parts = wanted;
  order = parts.flatMap((part) => part.ids);
  partOf = new Map(parts.flatMap((part, index) => part.ids.map((id) => [id, index])));
  watcher = new IntersectionObserver((seen) => seen.forEach((one) => (one.isIntersecting ? fill : clear)(Number(one.target.dataset.part))), { rootMargin: NEAR });
  for (const [index, { element, height }] of parts.entries()) {
    element.dataset.part = index;
    element.style.height = `${height}px`;
    watcher.observe(element);
  }
  place.replaceChildren(...parts.map((part) => part.element));
  if (parts.length) fill(0);
}

// Fill a part; returns whether there is one.
function fill(index) {
  const part = parts[index];
  if (!part) return false;
  if (part.isFilled) return true;
  part.isFilled = true;
  part.element.style.height = "";
  part.element.replaceChildren(...part.fill());
  return true;
}

// Empty a part that is far away, at its height, unless keys act on a picture in it.
function clear(index) {
  const part = parts[index];
  if (!part?.isFilled || part.element.querySelector('.look[tabindex="0"]') || part.element.contains(document.activeElement)) return;
  part.isFilled = false;
  part.element.style.height = `${part.element.offsetHeight}px`;
  part.element.replaceChildren();
}

// A picture's tile if it has been made.
export const madeTile = (id) => (partOf.has(id) ? parts[partOf.get(id)].element.querySelector(`[data-id="${CSS.escape(id)}"]`) : null);

export const shownIds = () => order;
export const isShown = (id) => partOf.has(id);

// A picture's tile, which is made now if it was not yet; null if the filters hide it.
export function tileOf(id) {
  if (!partOf.has(id)) return null;
  const index = partOf.get(id);
  fill(index);
  return parts[index].element.querySelector(`[data-id="${CSS.escape(id)}"]`);
}

// The tiles of a picture's part, the one before and the one after it, in order.
export function tilesAround(id) {
  const index = partOf.get(id);
  return [index - 1, index, index + 1].filter(fill).flatMap((near) => [...parts[near].element.querySelectorAll(".tile")]);
}
