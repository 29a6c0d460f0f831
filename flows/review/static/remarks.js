// What people say about a picture: a label or stars by one digit, and comments. Everybody sees what the others say.
import { count, knownName, make, post, run, say } from "./page.js";

let review = { labels: [], stars: 0 };
let tell = () => {};
let last = Promise.resolve();

// `facts` says what can be said; `told(id, said)` is called with what stands of a picture after a change.
export function begin(facts, told) {
  review = facts;
  tell = told;
}

// One change after the other, `fields()` made by what stands when its turn comes; returns what stands then, `undefined` if it failed.
function send(path, id, fields) {
  last = last.then(async () => {
    try {
      const { said } = await post(`/runs/${run}/${path}`, { candidate_id: id, ...fields() });
      tell(id, said);
      return said;
    } catch (trouble) {
      say(trouble.message, "trouble");
      return undefined;
    }
  });
  return last;
}

const isMine = (said, label) => (said?.labels[label] ?? []).includes(knownName());
const toggle = (id, label, said) => send("labels", id, () => ({ label, is_set: !isMine(said(), label) }));
const giveStars = (id, stars, said) => send("stars", id, () => ({ stars: said()?.stars[knownName()] === stars ? 0 : stars }));

// `said()` is what stands of the picture. A digit gives the label of that number, or as many stars; the same digit again takes it back, and so does 0 with stars.
export async function press(digit, id, said) {
  const label = review.labels[digit - 1];
  if (label !== undefined) {
    const now = await toggle(id, label, said);
    if (now !== undefined) say(isMine(now, label) ? `Labelled: ${label}.` : `No longer labelled: ${label}.`);
  } else if (review.stars && digit <= review.stars) {
    const now = await giveStars(id, digit, said);
    const own = now?.stars[knownName()];
    if (now !== undefined) say(own ? `${count(own, "star")}.` : "Stars taken back.");
  }
}

const mean = (stars) => Object.values(stars).reduce((sum, one) => sum + one, 0) / Object.values(stars).length;

// The line under a tile; null if nobody said anything.
export function line(said) {
  if (!said) return null;
  const parts = Object.entries(said.labels).map(([label, people]) => make("span", { className: "label-chip", title: people.join(", "), textContent: people.length > 1 ? `${label} ${people.length}` : label }));
  if (Object.keys(said.stars).length) parts.push(make("span", { className: "stars", title: Object.entries(said.stars).map(([who, n]) => `${who}: ${n}`).join(", "), textContent: `★ ${mean(said.stars).toFixed(1)}` }));
  if (said.n_comments) parts.push(make("span", { textContent: count(said.n_comments, "comment") }));
  return make("p", { className: "said-line" }, ...parts);
}

// What is said and can be said about an enlarged picture.
export function panel(id, said) {
  return make("section", { className: "said", "aria-label": "What people say" },
    make("h3", { textContent: "What people say" }), review.labels.length ? labels(id, said) : stars(id, said),
    make("ul", { className: "comments" }, ...(said?.comments ?? []).map((one) => comment(id, one))), form(id));
}

function labels(id, said) {
  return make("div", { className: "buttons", role: "group", "aria-label": "Labels" }, ...review.labels.map((label, index) => {
    const people = said?.labels[label] ?? [];
    return make("button", { type: "button", "aria-pressed": String(isMine(said, label)), title: people.join(", "), on: { click: () => toggle(id, label, () => said) } },
      make("kbd", { textContent: index + 1 }), ` ${label}${people.length ? ` ${people.length}` : ""}`);
  }));
}

function stars(id, said) {
  const own = said?.stars[knownName()] ?? 0;
  const others = Object.entries(said?.stars ?? {}).filter(([who]) => who !== knownName()).map(([who, n]) => `${who} ${n}`);
  return make("div", { className: "star-row", role: "group", "aria-label": "Your stars" },
    ...Array.from({ length: review.stars }, (_, index) => make("button", { type: "button", className: "star quiet", "aria-pressed": String(index < own), "aria-label": count(index + 1, "star"), textContent: index < own ? "★" : "☆", on: { click: () => giveStars(id, index + 1, () => said) } })),
    others.length ? make("span", { className: "note", textContent: others.join(", ") }) : null);
}

function comment(id, one) {
  const when = new Date(one.at);
  return make("li", {},
    make("p", { dir: "auto", textContent: one.text }),
    make("p", { className: "note" }, `${one.by}, `, make("time", { dateTime: one.at, textContent: when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) }),
      one.by === knownName() ? make("button", { type: "button", className: "quiet", textContent: "Take back", on: { click: () => send("comments/take-back", id, () => ({ remark_id: one.id })) } }) : null));
}

// What somebody is writing stays, and keeps the focus, when the panel is drawn again.
const begun = new Map();
function keepWriting(field, id) {
  field.addEventListener("input", () => begun.set(id, field.value));
  const focused = document.activeElement;
  if (focused?.dataset.of !== id) return;
  const at = focused.selectionStart;
  queueMicrotask(() => { field.focus({ preventScroll: true }); field.setSelectionRange(at, at); });
}

function form(id) {
  const field = make("textarea", { value: begun.get(id) ?? "", data: { of: id }, rows: 2, maxLength: 1000, placeholder: "Say why", "aria-label": "Your comment" });
  const button = make("button", { type: "submit", textContent: "Comment" });
  const add = async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    begun.delete(id);
    if (await send("comments", id, () => ({ text })) === undefined) begun.set(id, text);
  };
  // Keys of the gallery are not for who writes; Ctrl and Enter send.
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) add(event);
  });
  keepWriting(field, id);
  return make("form", { className: "comment-form", on: { submit: add } }, field, button);
}
