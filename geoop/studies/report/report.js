"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  table.tHead.rows[0].querySelectorAll("th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");  // empty cells stay at the end
        const [p, q] = [Number(x), Number(y)];
        const order = Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y, undefined, { numeric: true }) : p - q;
        return down ? -order : order;
      };
      body.append(...rows.slice().sort(compare));
    });
  });
}
const tools = document.getElementById("tools");
if (tools) {
  const words = document.getElementById("words");
  const level = document.getElementById("level");
  const count = document.getElementById("count");
  const rows = Array.from(document.querySelectorAll("#cases tbody tr"));
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(wanted.every((word) => text.includes(word)) && (!level.value || row.dataset.level === level.value));
      shown += !row.hidden;
    }
    count.textContent = shown === rows.length ? `${rows.length} cases` : `${shown} of ${rows.length} cases`;
  };
  words.addEventListener("input", filter);
  level.addEventListener("change", filter);
  tools.hidden = false;
  filter();
}
