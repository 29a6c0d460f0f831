// Duels: blind comparisons of two pictures. The next pair comes with the answer to a vote and is shown once both pictures are loaded.
import { byId, count, get, isFree, make, name, post, run, say } from "./page.js";

let duel = null;
let isBusy = false;
const judged = [];

const address = (one, side) => `/duels/${one.id}/${side}`;

async function load(one) {
  await Promise.all(["left", "right"].map(async (side) => {
    const image = new Image();
    image.src = address(one, side);
    await image.decode().catch(() => {});
  }));
}

async function show(state) {
  duel = state.duel;
  byId("sides").hidden = byId("foot").hidden = duel === null;
  byId("ended").hidden = duel !== null;
  showProgress(state);
  if (duel === null) {
    showEnd(state);
    return;
  }
  await load(duel);
  showMadeFrom(duel);
  byId("about").textContent = duel.about || "Which one is better?";
  byId("left-image").src = address(duel, "left");
  byId("right-image").src = address(duel, "right");
  byId("sides").classList.remove("is-out");
  delete byId("sides").dataset.won;
}

// What both pictures were made from; it opens in full when clicked.
function showMadeFrom({ id, n_made_from: number }) {
  const sources = Array.from({ length: number }, (_, index) => `/duels/${id}/made-from/${index}`);
  byId("made-from").hidden = number === 0;
  byId("made-from").replaceChildren(...sources.map((src) => make("a", { href: src, target: "_blank" }, make("img", { src, alt: "What both were made from", className: "see-through" }))));
}

function showProgress({ n_done: done, n_wanted: wanted, n_skipped: skipped }) {
  byId("progress").max = Math.max(wanted, 1);
  byId("progress").value = Math.min(done, wanted);
  byId("progress-text").textContent = done >= wanted && wanted ? `${count(done, "duel")}: enough for a ranking` : `${done} of ${wanted}`;
  if (skipped) byId("progress-text").textContent += ` · ${skipped} skipped`;
  byId("undo").disabled = judged.length === 0;
}

function showEnd({ n_done: done, n_skipped: skipped }) {
  byId("about").textContent = "";
  const isAny = done + skipped > 0;
  byId("ended-title").textContent = isAny ? "You have seen every pair." : "There is nothing to compare.";
  byId("ended-text").textContent = isAny ? `${count(done, "duel")}${skipped ? `, ${skipped} skipped` : ""}. Thank you.` : "A duel needs two different pictures of one row.";
}

// One action at a time: a key that is held down must not vote on pictures that were never shown.
async function once(act) {
  if (isBusy) return;
  isBusy = true;
  try {
    await act();
  } catch (trouble) {
    say(trouble.message, "trouble");
    if (trouble.status === 404) await show(await next());
  } finally {
    isBusy = false;
  }
}

const next = async () => get(`/runs/${run}/duel.json?voter=${encodeURIComponent(await name())}`);

const vote = (outcome) => once(async () => {
  if (duel === null) return;
  byId("sides").dataset.won = outcome;
  byId("sides").classList.add("is-out");
  const state = await post(`/runs/${run}/votes`, { duel_id: duel.id, outcome });
  judged.push(duel.id);
  await show(state);
});

const undo = () => once(async () => {
  const last = judged.pop();
  if (last === undefined) return;
  await show(await post(`/runs/${run}/votes/undo`, { duel_id: last }));
  say("Vote undone.");
});

const KEYS = { ArrowLeft: () => vote("left"), ArrowRight: () => vote("right"), ArrowDown: () => vote("tie"), b: () => vote("both bad"), s: () => vote("skip"), z: undo };
addEventListener("keydown", (event) => {
  if (!isFree(event) || event.repeat || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
byId("left").addEventListener("click", () => vote("left"));
byId("right").addEventListener("click", () => vote("right"));
byId("tie").addEventListener("click", () => vote("tie"));
byId("both-bad").addEventListener("click", () => vote("both bad"));
byId("skip").addEventListener("click", () => vote("skip"));
byId("undo").addEventListener("click", undo);

once(async () => show(await next()));
