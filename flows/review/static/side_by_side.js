// Up to four pictures side by side, zoomed and moved together; flicker while a key is held; and what differs from the first.
import { armMark, byId, get, isFree, make, run } from "./page.js";
import { madeFrom, prompt } from "./prompts.js";

const place = byId("panes");
const ids = new URLSearchParams(location.search).get("ids") ?? "";
const MOST = 16;
const view = { scale: 1, x: 0, y: 0 };
const pointers = new Map();

function pane(picture, next, first) {
  const layer = (one, kind) => (one ? make("img", { className: kind, src: `/pictures/${one.id}`, alt: kind === "own" ? one.name : "", draggable: false }) : null);
  const layers = make("div", { className: "layers" }, layer(picture, "own"), layer(next, "next"), layer(first, "first"));
  const stage = make("div", { className: "stage", tabIndex: 0, role: "group", "aria-label": `${picture.name}: arrow keys move all pictures` }, layers);
  listen(stage);
  return make("figure", { className: "pane", data: { id: picture.id, colour: picture.colour } }, stage,
    make("figcaption", {}, armMark(picture.arm, picture.colour), make("b", { textContent: picture.name }), picture.stage === "final" ? make("span", { textContent: "final" }) : null,
      picture.score === null ? null : make("span", { textContent: picture.score.toFixed(2) }), make("a", { href: `/runs/${run}#${picture.id}`, textContent: "Facts" }),
      prompt(picture.prompt), madeFrom(picture.id, picture.made_from)));
}

// The same part of every picture stays in sight: places are shares of a stage.
function apply() {
  view.scale = Math.min(MOST, Math.max(1, view.scale));
  view.x = Math.min(0, Math.max(1 - view.scale, view.x));
  view.y = Math.min(0, Math.max(1 - view.scale, view.y));
  place.style.setProperty("--scale", view.scale);
  place.style.setProperty("--x", view.x);
  place.style.setProperty("--y", view.y);
  place.dataset.sharp = view.scale >= 4;
  byId("scale").textContent = `${Math.round(view.scale * 100)} %`;
}

// Zoom about a point, given as shares of the stage.
function zoomBy(factor, at = { x: 0.5, y: 0.5 }) {
  const before = view.scale;
  view.scale = Math.min(MOST, Math.max(1, before * factor));
  const real = view.scale / before;
  view.x = at.x - (at.x - view.x) * real;
  view.y = at.y - (at.y - view.y) * real;
  apply();
}

function move(byX, byY) {
  view.x += byX;
  view.y += byY;
  apply();
}

function share(stage, { clientX, clientY }) {
  const box = stage.getBoundingClientRect();
  return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
}

function listen(stage) {
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 400), share(stage, event));
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => zoomBy(view.scale > 1 ? 1 / MOST : 3, share(stage, event)));
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, share(stage, event));
  });
  stage.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const now = share(stage, event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) zoomBy(apart(now, other) / Math.max(apart(last, other), 0.01), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    else move(now.x - last.x, now.y - last.y);
    pointers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => pointers.delete(event.pointerId));
}

const apart = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

function flicker(isOn) {
  place.classList.toggle("is-flickering", isOn);
  byId("flicker").setAttribute("aria-pressed", isOn);
}

function toggle(button, name) {
  const isOn = place.classList.toggle(name);
  byId(button).setAttribute("aria-pressed", isOn);
}

const STEP = 0.08;
const KEYS = {
  "+": () => zoomBy(1.4), "=": () => zoomBy(1.4), "-": () => zoomBy(1 / 1.4), 0: () => zoomBy(1 / MOST),
  ArrowLeft: () => move(STEP, 0), ArrowRight: () => move(-STEP, 0), ArrowUp: () => move(0, STEP), ArrowDown: () => move(0, -STEP),
  d: () => toggle("difference", "is-difference"), m: () => toggle("madefrom", "shows-made-from"), f: () => flicker(true),
};

// As many columns as show the first picture's shape largest.
const CAPTION_PX = 56;
function arrange(pictures) {
  const { width, height } = place.getBoundingClientRect();
  const { shape } = pictures[0];
  const size = (across) => Math.min(width / across, (height / Math.ceil(pictures.length / across) - CAPTION_PX) * shape);
  const columns = pictures.map((_, index) => index + 1);
  const across = columns.reduce((best, one) => (size(one) > size(best) ? one : best));
  place.style.setProperty("--across", across);
  place.style.setProperty("--down", Math.ceil(pictures.length / across));
}

function begin(pictures) {
  byId("tools").hidden = false;
  arrange(pictures);
  place.replaceChildren(...pictures.map((one, index) => pane(one, pictures[(index + 1) % pictures.length], index ? pictures[0] : null)));
  byId("flicker").disabled = byId("difference").disabled = pictures.length < 2;
  byId("madefrom").hidden = pictures.every((one) => !one.made_from.length);
  addEventListener("keydown", (event) => {
    if (!isFree(event) || !KEYS[event.key]) return;
    event.preventDefault();
    if (event.repeat && ["f", "d", "m"].includes(event.key)) return;
    KEYS[event.key]();
  });
  addEventListener("keyup", (event) => { if (event.key === "f") flicker(false); });
  addEventListener("blur", () => flicker(false));
  byId("flicker").addEventListener("pointerdown", () => flicker(true));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) byId("flicker").addEventListener(end, () => flicker(false));
  byId("flicker").addEventListener("contextmenu", (event) => event.preventDefault());
  byId("difference").addEventListener("click", KEYS.d);
  byId("madefrom").addEventListener("click", KEYS.m);
  byId("in").addEventListener("click", KEYS["+"]);
  byId("out").addEventListener("click", KEYS["-"]);
  byId("fit").addEventListener("click", KEYS[0]);
  addEventListener("resize", () => { arrange(pictures); apply(); });
  apply();
  place.querySelector(".stage").focus({ preventScroll: true });
}

try {
  const { pictures } = await get(`/runs/${run}/side-by-side.json?ids=${encodeURIComponent(ids)}`);
  if (pictures.length) begin(pictures);
  else place.replaceChildren(make("p", { className: "nothing" }, "Choose up to four pictures in the ", make("a", { href: `/runs/${run}`, textContent: "gallery" }), ": the key s puts the one in focus beside others."));
} catch (trouble) {
  place.replaceChildren(make("p", { className: "nothing", textContent: trouble.message }));
}
place.setAttribute("aria-busy", "false");
