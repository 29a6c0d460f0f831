// A prompt with the words that are its own marked, and what a picture was made from.
import { make, run } from "./page.js";

// `parts` are pieces of the prompt, each with whether the other prompts lack it; or the prompt itself.
export function words(parts) {
  if (typeof parts === "string") return [parts];
  return parts.map(([text, isOwn]) => (isOwn ? make("mark", { textContent: text }) : text));
}

export const prompt = (parts) => make("p", { className: "prompt", dir: "auto" }, ...words(parts));

// The references and the mask that were sent with a picture's request.
export function madeFrom(id, shown) {
  if (!shown.length) return null;
  const address = (number) => `/runs/${run}/candidates/${id}/made-from/${number}`;
  return make("div", { className: "made-from", role: "group", "aria-label": "Made from" }, ...shown.map((one, number) => make("figure", {},
    make("a", { href: address(number) }, make("img", { src: address(number), alt: one.label, loading: "lazy", className: one.is_mask ? "see-through" : "" })), make("figcaption", { textContent: one.label }))));
}
