// The grid of a run; a picture is enlarged with all its facts, as in the gallery.
import { byId, get, make, run, say } from "./page.js";
import { followAddress, zoom } from "./zoom.js";

const place = byId("grid");
try {
  const facts = await get(`/runs/${run}/grid.json`);
  const known = new Map(facts.cells.filter((cell) => cell.best).map((cell) => [cell.best.id, cell.best]));
  const about = (id) => ({ name: known.get(id)?.name ?? id, clear: known.get(id)?.clear ?? false, colour: facts.colours[known.get(id)?.arm] ?? 0 });
  const look = (id, ids = [...known.keys()]) => zoom(id, ids, { about });
  if (known.size) drawGrid(place, facts, (picture, pictures) => look(picture.id, pictures.map((one) => one.id)));
  else place.replaceChildren(make("p", { className: "nothing", textContent: "There are no pictures yet." }));
  followAddress(look, (id) => known.has(id));
} catch (trouble) {
  say(trouble.message, "trouble");
}
place.setAttribute("aria-busy", "false");
