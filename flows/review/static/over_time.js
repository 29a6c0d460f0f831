// A campaign's runs: those that are ticked are laid beside one another.
import { byId, say } from "./page.js";

const button = byId("compare");
const most = Number(button?.dataset.most);

button?.addEventListener("click", () => {
  const ticked = [...document.querySelectorAll("input[name=run]:checked")].map((box) => box.value);
  if (ticked.length < 2 || ticked.length > most) return say(`Tick 2 to ${most} runs; ${ticked.length} are ticked.`, "trouble");
  location.assign(`/compare?${new URLSearchParams(ticked.map((id) => ["run", id]))}`);
});
