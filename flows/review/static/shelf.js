// The list of finalists that all pages share, with its revision and price.
import { byId, count, get, make, post, run, say } from "./page.js";

let facts = null;
let wanted = [];
let saving = null;
const watchers = [];

export const isChosen = (id) => wanted.includes(id);
export const chosen = () => [...wanted];
export const shortlist = () => facts;
export const onChange = (act) => watchers.push(act);

function take(answer) {
  facts = answer;
  wanted = answer.finalists.map((one) => one.id);
  notify();
}

function notify() {
  for (const element of document.querySelectorAll('[data-count="finalists"]')) element.textContent = wanted.length;
  watchers.forEach((act) => act());
}

export async function load() {
  take(await get(`/runs/${run}/shortlist.json`));
}

export function toggle(id) {
  order(isChosen(id) ? wanted.filter((one) => one !== id) : [...wanted, id]);
}

// Change the list at once, and save it after the previous change has been saved.
export function order(ids) {
  wanted = ids;
  notify();
  saving ??= save();
  return saving;
}

async function save() {
  try {
    let written;
    do {
      written = wanted;
      facts = await post(`/runs/${run}/shortlist`, { candidate_ids: written, after: facts.revision });
    } while (written !== wanted);
  } catch (trouble) {
    say(trouble.message, "trouble");
    await load();
  } finally {
    saving = null;
    notify();
  }
}

export const isSaving = () => saving !== null;

// The bar at the bottom of the gallery.
export function drawShelf() {
  const shelf = byId("shelf");
  if (!shelf || !facts) return;
  shelf.hidden = wanted.length === 0;
  byId("shelf-pictures").replaceChildren(...wanted.slice(0, 8).map((id) => make("li", {}, make("img", { src: `/thumbnails/${id}`, alt: "" }))));
  const isBought = !facts.price.trouble && facts.price.n_finals === 0 && !isSaving();
  byId("shelf-link").textContent = isBought ? "See the finals" : "Order and buy";
  byId("shelf-link").href = `/runs/${run}/${isBought ? "finals" : "finalists"}`;
  byId("shelf-summary").replaceChildren(make("b", { textContent: count(wanted.length, "finalist") }), priceLine());
}

function priceLine() {
  if (isSaving()) return " · pricing …";
  const { price } = facts;
  if (price.trouble) return "";
  return price.n_finals ? ` · ${price.first} to ${price.all}` : " · all bought";
}
