// More of one picture: what to ask for, its price as one types, one confirmation, and what grew from the picture.
import { byId, count, get, make, newKey, post, run, say } from "./page.js";

const page = byId("more");
const { id, words, template } = page.dataset;
const form = byId("more-form");
const path = `/runs/${run}/more/${id}`;
let price = null;
let key = newKey();
let asking = 0;

const kind = () => form.elements.kind.value;

function asked() {
  const given = byId("prompt").value.trim();
  const base = kind() === "like" || (kind() === "words" && byId("with-picture").checked) ? "like" : "row";
  return {
    base,
    n: Number(byId("n").value),
    prompt: kind() === "words" && given ? given : null,
    model: kind() === "model" ? byId("model").value : null,
  };
}

function showFields() {
  byId("words-field").hidden = kind() !== "words";
  if (byId("model-field")) byId("model-field").hidden = kind() !== "model";
}

const line = (label, value, name = "") => make("div", { className: name }, make("dt", { textContent: label }), make("dd", { textContent: value }));

function showPrice(found) {
  price = found.trouble ? null : found;
  byId("price-trouble").hidden = !found.trouble;
  byId("price-trouble").textContent = found.trouble ?? "";
  byId("price").replaceChildren(...(price ? [
    line("Drafts", `${count(asked().n, "draft")} with ${price.model}`),
    ...(price.judging ? [line("Questions to the judge, of it", price.judging)] : []),
    line("At most", price.most, "sum"),
    line(`Left in ${price.left_in}`, price.left, price.is_within ? "" : "short"),
  ] : []));
  const before = price?.n_before ? [`Exactly this was bought ${price.n_before === 1 ? "once" : `${price.n_before} times`} before.`] : [];
  byId("price-notes").replaceChildren(...[...before, ...(price?.notes ?? [])].map((note) => make("li", { textContent: note })));
  const buy = byId("buy");
  buy.disabled = !price?.is_within;
  buy.textContent = !price ? "Cannot be bought" : price.is_within ? `Buy ${count(asked().n, "draft")} for at most ${price.most}` : "The budget does not cover it";
}

async function findPrice() {
  const turn = ++asking;
  byId("buy").disabled = true;
  byId("buy").textContent = "Pricing …";
  if (kind() === "words" && !byId("prompt").value.trim()) return showPrice({ trouble: "Write a prompt first." });
  if (!byId("n").checkValidity()) return showPrice({ trouble: "How many: a whole number within the limits." });
  const query = new URLSearchParams(Object.entries(asked()).filter(([, value]) => value !== null));
  try {
    const found = await get(`${path}/price.json?${query}`);
    if (turn === asking) showPrice(found);
  } catch (trouble) {
    if (turn === asking) showPrice({ trouble: trouble.message });
  }
}

let waiting;
function change() {
  showFields();
  key = newKey();
  byId("buy").disabled = true;
  clearTimeout(waiting);
  waiting = setTimeout(findPrice, 250);
}

form.addEventListener("input", change);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!price?.is_within) return;
  byId("confirm-text").textContent = `${price.what}, ${price.model}: at most ${price.most}. ${price.left} is left in ${price.left_in}.`;
  byId("confirm-prompt").textContent = price.prompt;
  byId("confirm-yes").textContent = `Buy for at most ${price.most}`;
  byId("confirm").showModal();
});
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", async () => {
  byId("confirm-yes").disabled = true;
  try {
    await post(path, { ...asked(), key, most_usd: price.most_usd });
    key = newKey();
    byId("confirm").close();
    isStarted = true;
    follow();
  } catch (trouble) {
    byId("confirm").close();
    say(trouble.message, "trouble");
    findPrice();
  } finally {
    byId("confirm-yes").disabled = false;
  }
});

function branch(one) {
  return make("li", {},
    make("figure", { className: one.id === id ? "is-here" : "" },
      make("a", { href: `/runs/${run}/more/${one.id}`, "aria-label": `More of ${one.name}` }, make("img", { src: `/thumbnails/${one.id}`, alt: "", loading: "lazy" })),
      make("figcaption", {}, make("b", { textContent: one.kind }), ` ${one.name}`, one.score === null ? null : make("span", { textContent: ` ${one.score.toFixed(2)}` }),
        one.status === "duplicate" ? make("span", { className: "chip", textContent: "duplicate" }) : null, make("br"),
        make("span", { className: "note", dir: "auto", textContent: one.words }))),
    one.children.length ? make("ul", {}, ...one.children.map(branch)) : null);
}

const TITLES = { running: "Buying …", done: "They have come.", failed: "It did not go through." };

// What was bought before this page was opened may be of another picture: only what goes on is shown then.
let isStarted = false;

async function follow() {
  try {
    const found = await get(`${path}/state.json`);
    byId("family-part").hidden = !found.family.children.length;
    byId("family").replaceChildren(branch(found.family));
    isStarted ||= found.state === "running";
    byId("progress").hidden = !isStarted;
    byId("progress-title").textContent = TITLES[found.state] ?? "";
    byId("progress-text").textContent = found.message;
    if (found.state === "running") setTimeout(follow, 1500);
    else if (isStarted) findPrice();
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

byId("prompt").value = template || words;
showFields();
findPrice();
follow();
