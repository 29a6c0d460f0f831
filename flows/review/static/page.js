// Shared by all pages: requests to the server, the person's name, short messages, and keyboard help.
const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
export const run = document.body.dataset.run;
export const byId = (id) => document.getElementById(id);

// Make an element. Text is inserted as text, so that prompts are never parsed as markup.
export function make(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "data") Object.assign(element.dataset, value);
    else if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Names a purchase. Over plain HTTP from another machine a browser has no randomUUID.
export const newKey = () => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16).padStart(8, "0")).join("");
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
export const armMark = (arm, colour) => make("span", { className: "arm", textContent: arm, data: { colour } });

async function read(answer) {
  if (answer.ok) return answer.json();
  const text = await answer.text();
  let message = text;
  try { message = JSON.parse(text).message ?? text; } catch { /* plain text */ }
  throw Object.assign(new Error(message), { status: answer.status });
}

export async function get(path) {
  return read(await fetch(path, { headers: { accept: "application/json" } }));
}

export async function post(path, fields) {
  const body = JSON.stringify({ ...fields, by: await name() });
  return read(await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-runoff-csrf": meta("csrf") },
    body,
  }));
}

let saying;
export function say(message, kind = "info") {
  const place = byId("say");
  place.textContent = message;
  place.dataset.kind = kind;
  place.hidden = false;
  clearTimeout(saying);
  saying = setTimeout(() => { place.hidden = true; }, kind === "trouble" ? 12000 : 3500);
}

const KEY = "runoff-name";
const isNamed = meta("is-named") === "yes"; // by an invitation or a proxy: nobody votes in another name
export const knownName = () => (isNamed ? meta("person") : localStorage.getItem(KEY) || meta("person"));

// The person's name; asked for once if it is not known.
export async function name() {
  return knownName() || askName();
}

function askName() {
  const dialog = byId("naming");
  byId("name").value = knownName();
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener("close", () => {
      const given = byId("name").value.trim().slice(0, 60);
      if (dialog.returnValue !== "kept" || !given) {
        reject(new Error("Nothing was saved: a name is required."));
        return;
      }
      localStorage.setItem(KEY, given);
      showName();
      resolve(given);
    }, { once: true });
    dialog.returnValue = "";
  });
}

function showName() {
  byId("name-button").textContent = knownName() || "Your name";
  byId("name-button").setAttribute("aria-label", `Your name: ${knownName() || "none yet"}. Change it`);
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("runoff-theme", root.dataset.theme);
}

// Whether a key press is for the page, not for a field or a dialog.
export function isFree(event) {
  if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return false;
  const { tagName, type } = event.target;
  return !(tagName === "SELECT" || tagName === "TEXTAREA" || (tagName === "INPUT" && type !== "checkbox" && type !== "radio"));
}

showName();
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
byId("name-button").disabled = isNamed;
byId("name-button").addEventListener("click", () => { askName().catch(() => {}); });
byId("sign-out")?.addEventListener("click", async () => {
  await post("/sign-out", {});
  location.reload();
});
byId("theme-button").addEventListener("click", switchTheme);
byId("help-button").addEventListener("click", () => byId("help").showModal());
addEventListener("keydown", (event) => {
  if (event.key === "?" && isFree(event)) byId("help").showModal();
});
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
