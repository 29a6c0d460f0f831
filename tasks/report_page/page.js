// The page reads well without this: it only adds the gallery's buttons and Escape.
(() => {
  const gallery = document.getElementById("gallery");
  if (!gallery) return;
  const tools = gallery.querySelector(".tools");
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  tools.hidden = false;
  tools.addEventListener("click", ({ target }) => {
    if (target.dataset.show) {
      gallery.dataset.show = target.dataset.show;
      tools.querySelectorAll("[data-show]").forEach((button) => press(button, button === target));
    } else if ("unfold" in target.dataset) {
      const open = target.getAttribute("aria-pressed") !== "true";
      press(target, open);
      gallery.querySelectorAll(".copies").forEach((copies) => { copies.open = open; });
    }
  });
  gallery.addEventListener("keydown", ({ key }) => {
    const open = key === "Escape" && gallery.querySelector(".look[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
