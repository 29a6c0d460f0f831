// The grid of factors, drawn from its facts; the report and the review page share it.
// `place` is where it goes, `facts` come from tasks/report_page/grid.py, and `open(picture, pictures)` enlarges one.
globalThis.drawGrid = (place, facts, open) => {
  const make = (tag, given = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), given);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const names = facts.axes.map((axis) => axis.name);
  const values = Object.fromEntries(facts.axes.map((axis) => [axis.name, axis.values]));
  const chosen = Object.fromEntries(names.map((name) => [name, facts.top.includes(name) ? "top" : facts.side.includes(name) ? "side" : "best"]));
  const along = (edge) => names.filter((name) => chosen[name] === edge);
  const combine = (axes) => axes.reduce((found, axis) => found.flatMap((one) => values[axis].map((_, index) => [...one, index])), [[]]);

  const merged = () => {
    const axes = [...along("top"), ...along("side")].map((name) => names.indexOf(name));
    const fixed = names.map((name, axis) => [axis, Number(chosen[name])]).filter(([, value]) => !Number.isNaN(value));
    const cells = new Map();
    for (const cell of facts.cells) {
      if (!fixed.every(([axis, value]) => cell.at[axis] === value)) continue;
      const key = axes.map((axis) => cell.at[axis]).join();
      const known = cells.get(key);
      if (!known) { cells.set(key, { ...cell }); continue; }
      for (const sum of ["pictures", "scored", "total", "without"]) known[sum] += cell[sum];
      if (cell.best && (!known.best || cell.best.place < known.best.place)) known.best = cell.best;
    }
    return cells;
  };

  const source = (picture) => picture.src ?? document.querySelector(`img[data-picture="${picture.id}"]`)?.src ?? "";
  const table = make("table", { className: "grid" });
  const scroll = make("div", { className: "grid-scroll", tabIndex: 0, role: "region", ariaLabel: "Grid of factors" }, table);
  const legend = make("p", { className: "grid-legend", hidden: true });
  let shown = [];

  const cellOf = (cell, label, low, high) => {
    if (!cell) return make("td", {}, make("span", { className: "grid-empty", textContent: "not made" }));
    if (!cell.best) return make("td", {}, make("span", { className: "grid-empty", textContent: cell.without ? `no picture of ${count(cell.without, "request")}` : "not made yet" }));
    const mean = cell.scored ? cell.total / cell.scored : null;
    const src = source(cell.best);
    const image = src ? make("img", { src, className: cell.best.clear ? "see-through transparent" : "", alt: `${cell.best.name}: ${label}`, loading: "lazy" }) : make("span", { className: "grid-empty", textContent: "No picture on disk" });
    const button = make("button", { type: "button", className: "grid-picture", onclick: () => open(cell.best, shown) }, image);
    const caption = make("p", { className: "grid-caption" },
      make("b", { textContent: mean === null ? "no score" : mean.toFixed(2) }),
      make("span", { textContent: count(cell.pictures, "picture") + (cell.without ? `, ${cell.without} without` : "") }));
    const found = make("td", {}, button, caption);
    if (mean !== null) found.style.setProperty("--heat", high > low ? ((mean - low) / (high - low)).toFixed(3) : "0.5");
    shown.push(cell.best);
    return found;
  };

  const heading = (axis, index, facts_) => {
    const text = axis === "row" || axis === "arm" ? values[axis][index] : `${axis}: ${values[axis][index]}`;
    return make("th", { ...facts_, textContent: text });
  };

  const draw = () => {
    const [top, side] = [along("top"), along("side")];
    const cells = merged();
    const scores = [...cells.values()].filter((cell) => cell.scored).map((cell) => cell.total / cell.scored);
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const [columns, lines] = [combine(top), combine(side)];
    shown = [];
    const head = top.map((axis, level) => {
      const span = combine(top.slice(level + 1)).length;
      const line = columns.filter((_, index) => index % span === 0).map((one) => heading(axis, one[level], { scope: "colgroup", colSpan: span }));
      return make("tr", {}, ...(level === 0 && side.length ? [make("td", { colSpan: side.length, rowSpan: top.length, className: "grid-corner" })] : []), ...line);
    });
    const body = lines.map((line, number) => {
      const heads = side.map((axis, level) => {
        const span = combine(side.slice(level + 1)).length;
        return number % span === 0 ? heading(axis, line[level], { scope: "rowgroup", rowSpan: span, className: level === 0 ? "grid-side" : "" }) : null;
      });
      const label = (column) => [...top.map((axis, index) => [axis, column[index]]), ...side.map((axis, index) => [axis, line[index]])].map(([axis, index]) => values[axis][index]).join(", ");
      return make("tr", {}, ...heads.filter((one) => one !== null), ...columns.map((column) => cellOf(cells.get([...column, ...line].join()), label(column), low, high)));
    });
    table.replaceChildren(make("thead", {}, ...head), make("tbody", {}, ...body));
    table.style.setProperty("--columns", columns.length);
    legend.replaceChildren(...(scores.length ? [make("span", { textContent: low.toFixed(2) }), make("i", {}), make("span", { textContent: high.toFixed(2) }), make("span", { textContent: "mean score" })] : []));
  };

  // An edge holds two axes: a third one takes the place of the first.
  const choose = (name, value) => {
    chosen[name] = value;
    const others = along(value).filter((other) => other !== name);
    if ((value === "top" || value === "side") && others.length > 1) chosen[others[0]] = "best";
    selects.forEach((select, axis) => { select.value = chosen[axis]; });
    draw();
  };
  const selects = new Map(names.map((name) => [name, make("select", { onchange: ({ target }) => choose(name, target.value) },
    make("option", { value: "top", textContent: "along the top" }), make("option", { value: "side", textContent: "down the side" }),
    make("option", { value: "best", textContent: "best of all" }),
    ...values[name].map((value, index) => make("option", { value: String(index), textContent: `only ${value}` })))]));
  selects.forEach((select, name) => { select.value = chosen[name]; });
  const colour = make("input", { type: "checkbox", onchange: ({ target }) => { table.classList.toggle("is-coloured", target.checked); legend.hidden = !target.checked; } });
  const tools = make("div", { className: "grid-tools", role: "group", ariaLabel: "What the grid shows" },
    ...[...selects].map(([name, select]) => make("label", {}, make("span", { textContent: name }), select)),
    make("label", { className: "grid-colour" }, colour, make("span", { textContent: "Colour by score" })), legend);
  draw();
  place.replaceChildren(tools, scroll);
};
