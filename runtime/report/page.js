// Tables sort by a click on a heading; pictures grow by a click; layers are leafed through by a
// slider. The page is complete without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const key = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.tabIndex = 0;
    const sort = () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const compare = (a, b) => {
        const [left, right] = [key(a, column), key(b, column)];
        const numbers = left !== "" && right !== "" && !isNaN(left) && !isNaN(right);
        return numbers ? left - right : left.localeCompare(right, "en", { numeric: true });
      };
      const rows = [...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
      body.append(...rows);
    };
    heading.addEventListener("click", sort);
    heading.addEventListener("keydown", (event) => event.key === "Enter" && sort());
  });
}
for (const image of document.querySelectorAll(".gallery:not(.small) img")) {
  image.addEventListener("click", () => image.closest("figure").classList.toggle("wide"));
}
for (const layers of document.querySelectorAll(".layers")) {
  const views = [...layers.querySelectorAll(".layer")];
  if (views.length < 2) continue;
  const bar = document.createElement("div");
  bar.className = "slider";
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: views.length - 1, value: 0 });
  slider.setAttribute("aria-label", "block");
  const name = document.createElement("output");
  const all = Object.assign(document.createElement("button"), { type: "button" });
  let sliding = true;
  const show = () => {
    layers.classList.toggle("sliding", sliding);
    views.forEach((view, index) => (view.hidden = sliding && index !== Number(slider.value)));
    name.textContent = sliding ? views[slider.value].dataset.name : "";
    all.textContent = sliding ? "show all below each other" : "leaf through";
  };
  slider.addEventListener("input", () => { sliding = true; show(); });
  all.addEventListener("click", () => { sliding = !sliding; show(); });
  bar.append(slider, name, all);
  layers.prepend(bar);
  show();
}
