// The list of runs stays as it is in the ledger: other machines may make runs while the page is open.
import { byId } from "./page.js";

const EVERY_MS = 4000;
let seen = byId("main").innerHTML;

async function renew() {
  if (document.hidden) return;
  const answer = await fetch("/", { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const told = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  if (told.innerHTML === seen) return;
  seen = told.innerHTML;
  const focused = document.activeElement?.closest(".run-link")?.getAttribute("href");
  byId("main").replaceChildren(...told.childNodes);
  if (focused) byId("main").querySelector(`.run-link[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function watch() {
  try {
    await renew();
  } catch { /* the server is away; the next look may find it again */ }
  setTimeout(watch, EVERY_MS);
}

watch();
