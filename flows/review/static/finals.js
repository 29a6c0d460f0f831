// Drafts against finals: a divider between the two, the decision on each final, and the progress of the purchase.
import { armMark, byId, count, get, isFree, make, post, run, say } from "./page.js";

const EVERY_MS = 900;
const places = new Map();
const tries = new Map();
let drawn = "";

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`);

function card(one) {
  const attempt = one.tries[tries.get(one.key) ?? best(one)] ?? null;
  return make("article", { className: "final", tabIndex: 0, data: { id: one.key, colour: one.colour, final: attempt?.id ?? "" }, "aria-label": one.name },
    make("h2", {}, armMark(one.arm, one.colour), ` ${one.name}${one.edition ? ` · ${one.edition}` : ""} `, chip(one, attempt)),
    attempt ? slider(one, attempt) : waiting(one),
    make("p", { className: "prompt", dir: "auto", textContent: one.prompt }),
    attempt ? make("p", { className: "figures-line" }, "Fidelity ", make("b", { textContent: number(attempt.fidelity) }), ` · structure ${number(attempt.ssim)} · colours ${number(attempt.palette)} · zoom ${percent(attempt.zoom)} · shift ${percent(attempt.shift)} · tone ${percent(attempt.tone)} · ${attempt.cost}`) : null,
    ...[one.trouble, attempt?.trouble].filter(Boolean).map((text) => make("p", { className: "trouble", textContent: text })),
    attempt?.reason ? make("p", { className: "note", textContent: attempt.reason }) : null,
    one.tries.length > 1 ? tabs(one, attempt) : null,
    ...one.without.filter((order) => order.state !== "planned" && order.state !== "sent").map((order) => make("p", { className: "trouble", textContent: `No picture: ${order.state}${order.why ? `, ${order.why}` : ""}` })),
    attempt ? verdicts(attempt) : null,
    attempt ? make("p", {}, make("a", { href: `/runs/${run}/side-by-side?ids=${[one.id, ...one.tries.map((each) => each.id)].slice(0, 4).join(",")}`, textContent: "Draft and finals side by side" })) : null);
}

// The accepted attempt, otherwise the last undecided one, otherwise the last one.
function best(one) {
  const accepted = one.tries.findIndex((each) => each.is_accepted);
  const open = one.tries.findLastIndex((each) => each.is_accepted === null);
  return accepted >= 0 ? accepted : open >= 0 ? open : one.tries.length - 1;
}

function chip(one, attempt) {
  const [state, text] = attempt === null ? ["waiting", one.without.some((order) => order.state === "sent") ? "In progress" : "Not bought yet"]
    : attempt.is_accepted ? ["accepted", attempt.said_by ? `Accepted by ${attempt.said_by}` : "Accepted"]
      : attempt.is_accepted === false ? ["rejected", attempt.said_by ? `Rejected by ${attempt.said_by}` : "Not faithful"] : ["waiting", "Not compared yet"];
  return make("span", { className: "chip", textContent: text, data: { state } });
}

function slider(one, attempt) {
  const width = attempt.width ?? one.width ?? 1;
  const height = attempt.height ?? one.height ?? 1;
  const box = make("div", { className: "compare" },
    make("img", { className: "of-final", src: `/pictures/${attempt.id}`, alt: `Final ${attempt.name}` }),
    make("img", { className: "of-draft", src: `/pictures/${one.id}`, alt: `Draft ${one.name}` }),
    make("span", { className: "label at-left", textContent: "Draft", "aria-hidden": "true" }), make("span", { className: "label at-right", textContent: "Final", "aria-hidden": "true" }),
    make("span", { className: "line", "aria-hidden": "true" }));
  const range = make("input", { type: "range", min: 0, max: 100, value: places.get(one.key) ?? 50, "aria-label": `How much of the draft ${one.name} is visible`, "aria-valuetext": "" });
  const set = () => {
    places.set(one.key, range.value);
    box.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} % draft`);
  };
  range.addEventListener("input", set);
  box.style.setProperty("--shape", `${width} / ${height}`);
  set();
  box.append(range);
  return box;
}

function waiting(one) {
  const box = make("div", { className: "compare is-waiting" }, make("img", { src: `/pictures/${one.id}`, alt: `Draft ${one.name}` }), make("span", { className: "label at-left", textContent: "Draft" }));
  box.style.setProperty("--shape", `${one.width ?? 1} / ${one.height ?? 1}`);
  return box;
}

const tabs = (one, attempt) => make("div", { className: "tries", role: "group", "aria-label": `Attempts at ${one.name}` },
  ...one.tries.map((each, index) => make("button", { type: "button", "aria-pressed": String(each === attempt), textContent: `Attempt ${index + 1}${each.is_accepted ? " ✓" : ""}`, on: { click: () => { tries.set(one.key, index); redraw(); } } })));

const verdicts = (attempt) => make("div", { className: "pair-of-buttons" },
  make("button", { type: "button", className: "accept", "aria-pressed": String(attempt.is_accepted === true), textContent: "Accept", on: { click: () => decide(attempt.id, true) } }),
  make("button", { type: "button", className: "reject", "aria-pressed": String(attempt.is_accepted === false), textContent: "Reject", on: { click: () => decide(attempt.id, false) } }));

async function decide(id, isAccepted) {
  try {
    take(await post(`/runs/${run}/acceptances`, { candidate_id: id, is_accepted: isAccepted }));
    say(isAccepted ? "Accepted." : "Rejected. Buy another attempt under Finalists.");
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

let known = null;
function take(answer) {
  known = answer;
  redraw();
}

function redraw() {
  const { finalists } = known;
  const focused = document.activeElement?.closest(".final")?.dataset.id;
  const content = JSON.stringify([finalists, [...tries]]);
  showProgress();
  if (content === drawn) return;
  drawn = content;
  const isAny = known.is_running || finalists.some((one) => one.tries.length || one.without.length);
  byId("finals").replaceChildren(...(isAny ? finalists.map(card) : []));
  byId("finals-none").hidden = isAny;
  byId("zip").hidden = known.n_accepted === 0;
  byId("zip").textContent = `Download ${count(known.n_accepted, "accepted final")} (zip)`;
  if (focused) byId("finals").querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
}

function showProgress() {
  const { finalists } = known;
  const done = finalists.filter((one) => one.tries.length).length;
  byId("spent").textContent = known.spent;
  byId("finals-usd").textContent = known.finals_usd;
  for (const element of document.querySelectorAll('[data-count="finals"]')) element.textContent = finalists.reduce((sum, one) => sum + one.tries.length, 0);
  byId("purchase").hidden = !known.is_running && !known.is_failed;
  byId("purchase").dataset.failed = known.is_failed;
  byId("purchase-title").textContent = known.is_failed ? "The purchase ended early." : "Buying …";
  byId("purchase-text").textContent = known.is_failed ? `${known.message} Buy the rest under Finalists, or with: runoff promote ${run}` : done === 0 && !known.has_charges ? "Starting." : `${done} of ${count(finalists.length, "final")} received, ${known.finals_usd} for finals so far`;
  byId("purchase-bar").max = Math.max(finalists.length, 1);
  byId("purchase-bar").value = done;
}

async function watch() {
  try {
    take(await get(`/runs/${run}/finals.json`));
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
  if (known === null || known.is_running) setTimeout(watch, EVERY_MS);
}

addEventListener("keydown", (event) => {
  const one = document.activeElement?.closest(".final");
  if (!one?.dataset.final || (!isFree(event) && event.target.type !== "range")) return;
  if (event.key === "a") decide(one.dataset.final, true);
  if (event.key === "r") decide(one.dataset.final, false);
});

watch();
