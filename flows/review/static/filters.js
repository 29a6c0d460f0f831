// Filters and sort order of the gallery, read from its controls and kept in the URL.
import { byId } from "./page.js";

const FIELDS = ["row", "status", "sort", "low", "high", "text", "size"];
const searchTexts = new Map();

export function fillRows(rows) {
  rows.forEach((name, row) => byId("row").append(new Option(`Row ${row + 1}${name ? `: ${name.slice(0, 60)}` : ""}`, row)));
}

// Pictures of which a statement is not true; the campaign's statements are known only with the pictures.
export function fillStatements(statements) {
  if (!statements.length) return;
  const group = Object.assign(document.createElement("optgroup"), { label: "Fails" });
  group.append(...statements.map((text, index) => new Option(text.slice(0, 70), `fails:${index}`)));
  byId("status").append(group);
}

// Pictures of which people said something: a label, stars, a comment.
export function fillSaid({ labels, stars }) {
  const options = [...labels.map((label) => [`Labelled ${label}`, `label:${label}`]), ["With a comment", "said:comment"]];
  if (stars) options.unshift(["With stars", "said:stars"]);
  byId("status").append(Object.assign(document.createElement("optgroup"), { label: "People say" }));
  byId("status").lastElementChild.append(...options.map(([text, value]) => new Option(text, value)));
}

export function read() {
  const values = Object.fromEntries(FIELDS.map((id) => [id, byId(id).value]));
  const view = document.querySelector("[name=view]:checked").value;
  const arms = new Set([...document.querySelectorAll("[name=arm]:checked")].map((box) => box.value));
  return { ...values, view, arms, low: Number(values.low), high: Number(values.high || 1), words: values.text.toLowerCase().split(/\s+/).filter(Boolean) };
}

export function keep(wanted) {
  const params = new URLSearchParams();
  for (const id of FIELDS) if (byId(id).value !== byId(id).dataset.first) params.set(id, byId(id).value);
  if (wanted.view !== "prompts") params.set("view", wanted.view);
  const all = document.querySelectorAll("[name=arm]").length;
  if (wanted.arms.size !== all) params.set("arms", [...wanted.arms].join(","));
  history.replaceState(history.state, "", `${location.pathname}${params.size ? `?${params}` : ""}${location.hash}`);
}

export function restore() {
  const params = new URLSearchParams(location.search);
  for (const id of FIELDS) {
    byId(id).dataset.first = byId(id).value;
    if (params.has(id)) byId(id).value = params.get(id);
  }
  const view = document.querySelector(`[name=view][value="${params.get("view") === "all" ? "all" : "prompts"}"]`);
  view.checked = true;
  if (params.has("arms")) {
    const arms = params.get("arms").split(",");
    for (const box of document.querySelectorAll("[name=arm]")) box.checked = arms.includes(box.value);
  }
}

const STATUS = {
  "": () => true,
  shown: (draft) => draft.status !== "duplicate",
  finalist: (draft, isChosen) => isChosen(draft.id),
  copied: (draft) => draft.copies > 0,
  duplicate: (draft) => draft.status === "duplicate",
  unfit: (draft) => draft.status === "unfit",
};

// `fails:3`, `label:hands`, `said:comment`: pictures with something that is known only from the run.
function withPart(status) {
  const [kind, ...rest] = status.split(":");
  const name = rest.join(":");
  if (kind === "label") return (draft) => name in (draft.said?.labels ?? {});
  if (name === "stars") return (draft) => Object.keys(draft.said?.stars ?? {}).length > 0;
  if (name === "comment") return (draft) => (draft.said?.n_comments ?? 0) > 0;
  return (draft) => draft.fails.includes(Number(name));
}

export function choose(drafts, wanted, prompts, isChosen) {
  const fits = STATUS[wanted.status] ?? withPart(wanted.status);
  return drafts.filter((draft) =>
    wanted.arms.has(draft.arm)
    && (wanted.row === "" || draft.row === Number(wanted.row))
    && fits(draft, isChosen)
    && isWithin(draft.score, wanted)
    && wanted.words.every((word) => searchText(draft, prompts).includes(word)));
}

// Pictures without a score are shown unless the score range is narrowed.
function isWithin(score, { low, high }) {
  if (low <= 0 && high >= 1) return true;
  return score !== null && score >= low && score <= high;
}

function searchText(draft, prompts) {
  let text = searchTexts.get(draft.id);
  if (text === undefined) {
    text = `${draft.name} ${draft.id} ${prompts[`${draft.arm}:${draft.row}`] ?? ""}`.toLowerCase();
    searchTexts.set(draft.id, text);
  }
  return text;
}

const rank = (draft) => draft.rank ?? Infinity;
const score = (draft) => draft.score ?? -1;
const ORDERS = {
  rank: (a, b) => rank(a) - rank(b) || score(b) - score(a),
  worst: (a, b) => (a.score ?? 2) - (b.score ?? 2),
  made: () => 0,
  copies: (a, b) => b.copies - a.copies || rank(a) - rank(b),
};

export const sort = (drafts, wanted) => [...drafts].sort(ORDERS[wanted.sort]);
