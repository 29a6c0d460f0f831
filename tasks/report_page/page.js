// The gallery's buttons, Escape, and the pictures of a large run, which load as they come near.
(() => {
  const gallery = document.getElementById("gallery");
  if (!gallery) return;
  const later = [...gallery.querySelectorAll("[data-later]")];
  const load = (image) => { image.src = image.dataset.later; };
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      load(target);
      watch.unobserve(target);
    }
  }, { rootMargin: "1200px" });
  later.forEach((image) => watch.observe(image));
  addEventListener("beforeprint", () => later.forEach(load));
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
