// The pictures to be seen side by side, up to four, kept while the tab is open.
import { byId, count, make, run, say } from "./page.js";

const KEY = `runoff-side-by-side-${run}`;
const MOST = 4;
let ids = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");

export const isInTray = (id) => ids.includes(id);

// Put a picture beside the others, or take it away.
export function toggleTray(id) {
  if (!ids.includes(id) && ids.length === MOST) {
    say(`At most ${MOST} pictures are seen side by side: v shows them.`);
    return;
  }
  ids = ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id];
  sessionStorage.setItem(KEY, JSON.stringify(ids));
  drawTray();
}

// Show them; the picture that the key was pressed on comes along if there is none to compare with.
export function lookSideBySide(id) {
  if (!ids.includes(id) && ids.length < 2) toggleTray(id);
  if (ids.length < 2) say("s puts a second picture beside this one.");
  else location.href = address();
}

const address = () => `/runs/${run}/side-by-side?ids=${ids.join(",")}`;

export function drawTray() {
  const tray = byId("tray");
  tray.hidden = ids.length === 0;
  byId("tray-pictures").replaceChildren(...ids.map((id) => make("li", {}, make("button", { type: "button", className: "look", "aria-label": "Take away", on: { click: () => toggleTray(id) } }, make("img", { src: `/thumbnails/${id}`, alt: "" })))));
  byId("tray-link").textContent = ids.length > 1 ? `See ${ids.length} side by side` : `${count(ids.length, "picture")}: add another`;
  byId("tray-link").toggleAttribute("href", ids.length > 1);
  if (ids.length > 1) byId("tray-link").href = address();
}
