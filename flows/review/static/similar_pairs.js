// Pairs of similar pictures, the nearest to the limit first: one key says whether it is the same picture.
import { byId, count, get, isFree, post, run, say } from "./page.js";

let facts = null;
let at = 0;
let isBusy = false;
const said = { true: "you said: the same", false: "you said: not the same" };

function show() {
  const pair = facts.pairs[at];
  byId("sides").hidden = byId("foot").hidden = pair === undefined;
  byId("ended").hidden = pair !== undefined;
  showProgress();
  if (pair === undefined) {
    byId("about").textContent = "";
    return;
  }
  const byLimit = pair.similarity >= facts.limit ? "a duplicate by the limit" : "kept by the limit";
  const parts = [`Similarity ${pair.similarity.toFixed(2)}`, pair.alteration ?? byLimit, said[pair.is_same]];
  byId("about").textContent = parts.filter(Boolean).join(" · ");
  for (const [side, id, name] of [["one", pair.one, pair.names[0]], ["other", pair.other, pair.names[1]]]) {
    byId(side).src = `/pictures/${id}`;
    byId(side).alt = name;
    byId(`${side}-name`).textContent = name;
  }
  byId("difference").src = `/runs/${run}/differences/${pair.one}/${pair.other}`;
  byId("back").disabled = at === 0;
  byId("next").disabled = at === facts.pairs.length - 1;
}

function showProgress() {
  const { n_answers: done, n_wanted: wanted, n_pairs: all, suggestion } = facts;
  byId("progress").max = wanted;
  byId("progress").value = Math.min(done, wanted);
  byId("progress-text").textContent = `${count(done, "answer")} · pair ${Math.min(at + 1, all)} of ${all}`;
  byId("suggestion").hidden = suggestion === null;
  if (suggestion === null) return;
  const share = (value) => `${Math.round(value * 100)} %`;
  byId("suggestion").textContent = `A limit of ${suggestion.min_similarity.toFixed(2)} fits your answers: precision ${share(suggestion.precision)}, `
    + `recall ${share(suggestion.recall)}. Keep it with: runoff duplicates ${run} --write`;
}

function step(by) {
  at = Math.max(0, Math.min(facts.pairs.length - 1, at + by));
  show();
}

// One answer at a time; the order of the pairs stays as it was when the page was opened.
async function answer(isSame) {
  const pair = facts?.pairs[at];
  if (isBusy || !pair) return;
  isBusy = true;
  try {
    await post(`/runs/${run}/folds`, { copy_id: pair.other, of_id: pair.one, is_copy: isSame });
    const { pairs, n_answers: done, suggestion } = await get(`/runs/${run}/pairs.json`);
    facts.n_answers = done;
    facts.suggestion = suggestion;
    pair.is_same = pairs.find((one) => one.one === pair.one && one.other === pair.other)?.is_same ?? isSame;
    step(1);
  } catch (trouble) {
    say(trouble.message, "trouble");
  } finally {
    isBusy = false;
  }
}

const KEYS = { s: () => answer(true), n: () => answer(false), ArrowLeft: () => step(-1), ArrowRight: () => step(1) };
addEventListener("keydown", (event) => {
  if (!isFree(event) || event.repeat || !KEYS[event.key] || facts === null) return;
  event.preventDefault();
  KEYS[event.key]();
});
byId("same").addEventListener("click", () => answer(true));
byId("not-same").addEventListener("click", () => answer(false));
byId("back").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));

try {
  facts = await get(`/runs/${run}/pairs.json`);
  at = Math.max(0, facts.pairs.findIndex((pair) => pair.is_same === null));
  show();
} catch (trouble) {
  byId("about").textContent = trouble.message;
}
