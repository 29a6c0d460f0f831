// Refreshes the list of runs: other machines may make runs while the page is open.
import { byId } from "./page.js";

const EVERY_MS = 4000;
let seen = byId("main").innerHTML;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch("/", { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const latest = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  if (latest.innerHTML === seen) return;
  seen = latest.innerHTML;
  const focused = document.activeElement?.closest(".run-link")?.getAttribute("href");
  byId("main").replaceChildren(...latest.childNodes);
  if (focused) byId("main").querySelector(`.run-link[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function watch() {
  try {
    await refresh();
  } catch { /* the server does not answer; the next refresh may succeed */ }
  setTimeout(watch, EVERY_MS);
}

watch();
