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

// The grid of factors: a picture is enlarged from its file; where that was not handed on, from its thumbnail.
(() => {
  const held = document.getElementById("grid-facts");
  if (!held) return;
  const byId = (name) => document.getElementById(`grid-zoom${name}`);
  const dialog = byId("");
  let shown = null;
  let pictures = [];
  const show = (picture) => {
    shown = picture;
    const image = byId("-image");
    image.onerror = () => { image.onerror = null; image.src = picture.src ?? document.querySelector(`img[data-picture="${picture.id}"]`)?.src ?? ""; };
    image.src = picture.file.split("/").map(encodeURIComponent).join("/");
    image.alt = picture.name;
    byId("-name").textContent = picture.name;
    byId("-score").textContent = picture.score === null ? "no score" : picture.score.toFixed(2);
    byId("-file").href = image.src;
    byId("-prompt").textContent = picture.prompt;
  };
  const step = (by) => { const next = pictures[pictures.indexOf(shown) + by]; if (next) show(next); };
  byId("-back").addEventListener("click", () => step(-1));
  byId("-next").addEventListener("click", () => step(1));
  byId("-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", ({ key }) => step(key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0));
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  drawGrid(document.getElementById("grid"), JSON.parse(held.textContent), (picture, all) => {
    pictures = all;
    show(picture);
    dialog.showModal();
  });
})();
