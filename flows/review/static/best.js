// The best combination of factors: what is predicted for it, its price when asked, and one confirmation to make it.
import { byId, get, make, newKey, post, run, say } from "./page.js";

const path = `/runs/${run}/best`;
const mayBuy = document.body.dataset.may === "buy";
const TITLES = { running: "Making it …", done: "It was made.", failed: "It did not go through." };
let price = null;
let key = newKey();
let isStarted = false;

const line = (label, value, name = "") => make("div", { className: name }, make("dt", { textContent: label }), make("dd", { textContent: value }));

async function show() {
  const { best } = await get(`${path}.json`);
  if (!best) return;
  byId("best").hidden = false;
  byId("best-headline").textContent = best.headline;
  byId("best-make").textContent = best.is_made ? "Make more of it" : "Make it";
  byId("best-make").hidden = !mayBuy;
}

async function askPrice() {
  byId("best-make").disabled = true;
  try {
    const found = await get(`${path}/price.json`);
    if (found.trouble) return say(found.trouble, "trouble");
    price = found;
    byId("best-what").textContent = `${price.what}.`;
    byId("best-price").replaceChildren(
      ...(price.judging ? [line("Questions to the judge, of it", price.judging)] : []),
      line("At most", price.most, "sum"),
      line(`Left in ${price.left_in}`, price.left, price.is_within ? "" : "short"));
    const before = price.n_before ? [`Exactly this was bought ${price.n_before === 1 ? "once" : `${price.n_before} times`} before.`] : [];
    byId("best-notes").replaceChildren(...[...before, ...price.notes].map((note) => make("li", { textContent: note })));
    byId("best-yes").disabled = !price.is_within;
    byId("best-yes").textContent = price.is_within ? "Buy" : "The budget does not cover it";
    byId("best-confirm").showModal();
  } catch (trouble) {
    say(trouble.message, "trouble");
  } finally {
    byId("best-make").disabled = false;
  }
}

async function buy() {
  byId("best-yes").disabled = true;
  try {
    await post(path, { key, most_usd: price.most_usd });
    key = newKey();
    isStarted = true;
    follow();
  } catch (trouble) {
    say(trouble.message, "trouble");
  } finally {
    byId("best-confirm").close();
  }
}

async function follow() {
  try {
    const found = await get(`${path}/state.json`);
    isStarted ||= found.state === "running";
    byId("best-progress").hidden = !isStarted;
    byId("best-progress-title").textContent = TITLES[found.state] ?? "";
    byId("best-progress-text").textContent = found.state === "done" ? "Load this page again to see it." : found.message;
    if (found.state === "running") setTimeout(follow, 1500);
    else if (isStarted) show();
  } catch (trouble) {
    say(trouble.message, "trouble");
  }
}

if (byId("best")) {
  byId("best-make").addEventListener("click", askPrice);
  byId("best-no").addEventListener("click", () => byId("best-confirm").close());
  byId("best-yes").addEventListener("click", buy);
  show().catch((trouble) => say(trouble.message, "trouble"));
  follow();
}
