// The table of a collection, scrolled through to the end: rows come in blocks as they are reached, and only those near the
// window stand in the page. Columns are pulled wider and moved, and kept for whoever has signed in. 45-cells.js walks and
// writes in it, through sheet.rows. Without this the table has pages.
(() => {
  "use strict";
  const sheet = document.querySelector(".sheet[data-block]");
  if (!sheet) return;
  const table = sheet.querySelector("table");
  const body = table.tBodies[0];
  const head = table.tHead.rows[0];
  const look = document.getElementById("look");
  const size = Number(sheet.dataset.block);
  // The whole address as the house reads it: what stands in the form of columns, and the share link.
  const address = new URL(document.getElementById("share").textContent.trim(), location.href);
  const params = address.searchParams;
  params.delete("from");
  let total = Math.min(Number(body.dataset.total), Number(sheet.dataset.most));
  let height = 0;
  const blocks = new Map();
  const asked = new Set();
  let stays = null;

  const fields = () => [...head.cells].slice(head.querySelector(".tick") ? 1 : 0).map((cell) => cell.dataset.column);
  const top = () => Math.max(0, Math.floor(sheet.scrollTop / height));
  const near = () => {
    const first = Math.floor(top() / size);
    const last = Math.floor((top() + sheet.clientHeight / height) / size);
    const want = new Set();
    for (let block = first - 1; block <= last + 1; block += 1) if (block >= 0 && block * size < total) want.add(block);
    // What somebody stands in is kept, wherever they look.
    if (stays !== null) want.add(Math.floor((stays - 1) / size));
    return [...want].sort((a, b) => a - b);
  };
  const gap = (rows) => {
    const row = document.createElement("tr");
    row.className = "gap";
    row.setAttribute("aria-hidden", "true");
    const cell = row.appendChild(document.createElement("td"));
    cell.colSpan = head.cells.length;
    cell.style.height = `${rows * height}px`;
    return row;
  };
  const piece = async (block) => {
    const to = new URL(`${sheet.dataset.sheet}/rows`, location.href);
    to.search = params.toString();
    to.searchParams.set("from", block * size + 1);
    const answer = await fetch(to, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    return made.content.querySelector("tbody");
  };
  const load = async (block) => {
    if (asked.has(block)) return;
    asked.add(block);
    try {
      const got = await piece(block);
      total = Math.min(Number(got.dataset.total), Number(sheet.dataset.most));
      blocks.set(block, [...got.querySelectorAll("tr[data-n]")]);
      asked.delete(block);
      show();
    } catch {
      // Asked again a little later, if somebody still looks there.
      setTimeout(() => { asked.delete(block); show(); }, 2000);
    }
  };
  // Who flies over many rows asks for those only where they come to rest.
  let rest;
  const loadNear = () => {
    clearTimeout(rest);
    rest = setTimeout(() => { for (const block of near()) if (!blocks.has(block)) load(block); }, 60);
  };
  const show = () => {
    const want = near();
    for (const block of blocks.keys()) if (!want.includes(block)) blocks.delete(block);
    const parts = [];
    let at = 0;
    for (const block of want) {
      const rows = blocks.get(block);
      if (!rows) { loadNear(); continue; }
      if (block * size > at) parts.push(gap(block * size - at));
      parts.push(...rows);
      at = block * size + rows.length;
    }
    if (total > at) parts.push(gap(total - at));
    const old = [...body.children].filter((row) => !row.matches(".gap"));
    const fresh = parts.filter((row) => !row.matches(".gap"));
    if (old.length === fresh.length && old.every((row, n) => row === fresh[n])) return;
    const focus = body.contains(document.activeElement) ? document.activeElement : null;
    body.replaceChildren(...parts);
    if (focus && body.contains(focus)) focus.focus({ preventScroll: true });
    body.dispatchEvent(new Event("fresh", { bubbles: true }));
  };

  // The row at the top stands in the address, so that the page comes back where it was left.
  let pause;
  const told = () => {
    const here = new URL(location.href);
    if (top() > 0) here.searchParams.set("from", top() + 1);
    else here.searchParams.delete("from");
    history.replaceState(history.state, "", here);
  };
  let waits = false;
  sheet.addEventListener("scroll", () => {
    clearTimeout(pause);
    pause = setTimeout(told, 250);
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; show(); });
  }, { passive: true });

  sheet.rows = {
    params,
    fields,
    size,
    total: () => total,
    at: (n) => body.querySelector(`tr[data-n="${n}"]`),
    /// Brings a row into view and keeps it in the page.
    reveal(n) {
      stays = n;
      const edge = head.getBoundingClientRect().height;
      const upper = (n - 1) * height;
      if (upper < sheet.scrollTop) sheet.scrollTop = upper;
      else if (upper + height + edge > sheet.scrollTop + sheet.clientHeight) sheet.scrollTop = upper + height + edge - sheet.clientHeight;
      show();
    },
    page: () => Math.max(1, Math.floor((sheet.clientHeight - head.getBoundingClientRect().height) / height) - 1),
    /// Reads the block of a row anew.
    async again(n) {
      const block = Math.floor((n - 1) / size);
      asked.delete(block);
      await load(block);
    },
    piece,
  };

  const start = () => {
    const row = body.querySelector("tr[data-n]");
    height = row.getBoundingClientRect().height;
    const from = Number(sheet.dataset.from);
    if ((from - 1) % size === 0) blocks.set((from - 1) / size, [...body.querySelectorAll("tr[data-n]")]);
    for (const rest of document.querySelectorAll(".sheet-pager")) rest.hidden = true;
    for (const help of document.querySelectorAll(".sheet-help")) help.hidden = false;
    const parts = [...body.children];
    if (from > 1) body.replaceChildren(gap(from - 1), ...parts, gap(Math.max(0, total - from + 1 - parts.length)));
    else if (total > parts.length) body.append(gap(total - parts.length));
    sheet.scrollTop = (from - 1) * height;
    show();
  };

  // How it looks is said in the address, and kept by the house for who has signed in.
  const keep = async () => {
    const here = new URL(location.href);
    for (const name of ["column", "width", "sort"]) {
      here.searchParams.delete(name);
      for (const value of params.getAll(name)) here.searchParams.append(name, value);
    }
    history.replaceState(history.state, "", here);
    if (!look || !("keeps" in look.dataset)) return;
    const form = new URLSearchParams(params);
    form.set("csrf", sheet.dataset.csrf);
    await fetch(`${sheet.dataset.sheet}/look`, { method: "POST", body: form, headers: { accept: "application/json" } }).catch(() => null);
  };
  const widen = (cell, width) => {
    const column = table.querySelectorAll("col")[cell.cellIndex];
    column.width = Math.max(48, Math.min(900, Math.round(width)));
    const kept = params.getAll("width").filter((one) => !one.startsWith(`${cell.dataset.column}:`));
    params.delete("width");
    for (const one of kept) params.append("width", one);
    if (cell.dataset.column) params.append("width", `${cell.dataset.column}:${column.width}`);
  };
  for (const cell of head.querySelectorAll("[data-column]")) {
    const pull = document.createElement("span");
    pull.className = "pull";
    pull.title = cell.dataset.pullLabel;
    cell.append(pull);
    let from = null;
    pull.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      pull.setPointerCapture(event.pointerId);
      from = { x: event.clientX, width: cell.getBoundingClientRect().width };
    });
    pull.addEventListener("pointermove", (event) => { if (from) widen(cell, from.width + event.clientX - from.x); });
    pull.addEventListener("pointerup", () => { if (from) keep(); from = null; });
  }
  head.addEventListener("keydown", async (event) => {
    const cell = event.target.closest("[data-column]");
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!cell || !way || !event.altKey) return;
    event.preventDefault();
    if (event.shiftKey) {
      widen(cell, cell.getBoundingClientRect().width + way * 16);
      return keep();
    }
    const columns = params.getAll("column");
    const at = columns.indexOf(cell.dataset.column);
    const to = at + way;
    if (at < 0 || to < 0 || to >= columns.length) return;
    columns.splice(to, 0, ...columns.splice(at, 1));
    params.delete("column");
    for (const column of columns) params.append("column", column);
    sessionStorage.setItem("column", cell.dataset.column);
    await keep();
    location.reload();
  });
  head.addEventListener("click", async (event) => {
    const link = event.target.closest("a.sort");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || !look || !("keeps" in look.dataset)) return;
    event.preventDefault();
    params.set("sort", new URL(link.href).searchParams.get("sort") || "");
    await keep();
    location.assign(link.href);
  });
  const moved = sessionStorage.getItem("column");
  if (moved !== null) {
    sessionStorage.removeItem("column");
    const link = head.querySelector(`[data-column="${CSS.escape(moved)}"] a`);
    if (link) link.focus();
  }
  start();
})();
