// The gallery's buttons, Escape, and the bands of a large run, which are built when they are near the viewport.
(() => {
  const gallery = document.getElementById("gallery");
  if (!gallery) return;
  const showsDuplicates = () => gallery.querySelector("[data-duplicates]").getAttribute("aria-pressed") === "true";
  const fill = (band) => {
    const held = band.querySelector("script");
    if (!held) return;
    band.insertAdjacentHTML("beforeend", held.textContent);
    held.remove();
    delete band.dataset.waits;
    if (showsDuplicates()) band.querySelectorAll(".duplicates").forEach((list) => { list.open = true; });
  };
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      fill(target);
      watch.unobserve(target);
    }
  }, { rootMargin: "1200px" });
  const waiting = gallery.querySelectorAll("[data-waits]");
  waiting.forEach((band) => watch.observe(band));
  addEventListener("beforeprint", () => waiting.forEach(fill));
  const tools = gallery.querySelector(".tools");
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  tools.hidden = false;
  tools.addEventListener("click", ({ target }) => {
    if (target.dataset.show) {
      gallery.dataset.show = target.dataset.show;
      tools.querySelectorAll("[data-show]").forEach((button) => press(button, button === target));
    } else if ("duplicates" in target.dataset) {
      const open = target.getAttribute("aria-pressed") !== "true";
      press(target, open);
      gallery.querySelectorAll(".duplicates").forEach((list) => { list.open = open; });
    }
  });
  gallery.addEventListener("keydown", ({ key }) => {
    const open = key === "Escape" && gallery.querySelector(".look[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
