// The parts of a long gallery, each filled when it comes near the screen: until then ten thousand pictures are ten thousand names.
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
  watcher = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => fill(Number(one.target.dataset.part))), { rootMargin: NEAR });
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
  watcher.unobserve(part.element);
  part.element.style.height = "";
  part.element.replaceChildren(...part.fill());
  return true;
}

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
