// Cells of the table by keyboard: walked through, chosen, changed where they stand, copied to and pasted from a spreadsheet.
// One cell is saved at once by the version its row shows; what meets more than one cell is looked at as a batch first.
(() => {
  "use strict";
  const sheet = document.querySelector(".sheet[data-block]");
  if (!sheet || !sheet.rows) return;
  const { rows } = sheet;
  const table = sheet.querySelector("table");
  const body = table.tBodies[0];
  const head = table.tHead.rows[0];
  const note = document.getElementById("sheet-note");
  const first = head.querySelector(".tick") ? 1 : 0;
  const last = head.cells.length - 1;
  const writes = "mayWrite" in sheet.dataset;
  let at = { n: Number(sheet.dataset.from), c: first };
  let anchor = at;
  let wish = false;
  let open = null;
  // What was chosen and has left the page meanwhile, for copying.
  const kept = new Map();

  table.setAttribute("role", "grid");
  table.setAttribute("aria-rowcount", rows.total() + 1);
  if (writes) table.setAttribute("aria-multiselectable", "true");

  const text = (cell) => {
    const shown = cell.textContent;
    if (cell.dataset.v === "") return "";
    const raw = shown.endsWith("…") || "raw" in head.cells[cell.cellIndex].dataset;
    return raw && cell.dataset.v !== undefined ? cell.dataset.v : shown;
  };
  const entered = (cell) => cell.dataset.v ?? cell.textContent;
  const texts = (row) => [...row.cells].map(text);
  const here = () => { const row = rows.at(at.n); return row && row.cells[at.c]; };
  const range = () => ({
    from: Math.min(at.n, anchor.n), to: Math.max(at.n, anchor.n),
    left: Math.min(at.c, anchor.c), right: Math.max(at.c, anchor.c),
  });
  const many = () => at.n !== anchor.n || at.c !== anchor.c;
  const say = (words) => { note.textContent = words; note.hidden = !words; };

  const mark = () => {
    const { from, to, left, right } = range();
    for (const row of body.querySelectorAll("tr[data-n]")) {
      const n = Number(row.dataset.n);
      const within = n >= from && n <= to;
      if (within && many()) kept.set(n, texts(row));
      for (const cell of row.cells) {
        const chosen = within && cell.cellIndex >= left && cell.cellIndex <= right && cell.cellIndex >= first;
        if (chosen) cell.setAttribute("aria-selected", "true");
        else cell.removeAttribute("aria-selected");
        if (cell.cellIndex >= first) cell.tabIndex = n === at.n && cell.cellIndex === at.c ? 0 : -1;
        for (const inner of cell.querySelectorAll("a, input")) inner.tabIndex = -1;
      }
    }
    const cell = here();
    if (cell && wish) { wish = false; cell.focus({ preventScroll: true }); }
  };
  const go = (n, c, extend) => {
    at = { n: Math.max(1, Math.min(rows.total(), n)), c: Math.max(first, Math.min(last, c)) };
    if (!extend) { anchor = at; kept.clear(); }
    wish = true;
    rows.reveal(at.n);
    mark();
    const cell = here();
    if (cell) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  document.addEventListener("fresh", (event) => { if (event.target === body) mark(); });

  // Saving: one after the other for each row, each by the version the one before has made.
  const conflict = (row, field, value) => {
    const form = document.getElementById("sheet-conflict").content.firstElementChild.cloneNode(true);
    form.action = `/records/${row.dataset.id}/cell`;
    form.elements.version.value = row.dataset.version;
    form.elements.field.value = field;
    form.elements.value.value = value;
    form.querySelector("[data-theirs]").addEventListener("click", () => {
      say("");
      wish = true;
      rows.again(Number(row.dataset.n));
    });
    note.replaceChildren(form);
    note.hidden = false;
    form.querySelector("button").focus();
  };
  const send = async (row, c, value) => {
    const cell = row.cells[c];
    const field = head.cells[c].dataset.column;
    const form = new URLSearchParams({ csrf: sheet.dataset.csrf, version: row.dataset.version, field, value });
    cell.classList.add("saving");
    const answer = await fetch(`/records/${row.dataset.id}/cell`, { method: "POST", body: form, headers: { accept: "application/json" } }).catch(() => null);
    cell.classList.remove("saving");
    if (answer && answer.ok) {
      const told = await answer.json();
      row.dataset.version = told.version;
      const shown = cell.querySelector("a") || cell;
      shown.textContent = told.shown || (shown === cell ? "" : row.dataset.id);
      if (told.value === null || told.value === told.shown) delete cell.dataset.v;
      else cell.dataset.v = told.value;
      cell.classList.remove("wrong");
      cell.classList.add("saved");
      say("");
      return;
    }
    if (answer && answer.status === 412) return conflict(row, field, value);
    const problem = answer ? await answer.json().catch(() => ({})) : {};
    const words = (problem.errors || []).map((one) => one.message).join(" ") || problem.detail || sheet.dataset.failed;
    cell.classList.add("wrong");
    if (!open) {
      go(Number(row.dataset.n), c);
      begin(value);
    }
    say(words);
  };
  const save = (row, c, value) => {
    row.saves = (row.saves || Promise.resolve()).then(() => send(row, c, value));
    return row.saves;
  };

  const close = () => {
    if (!open) return;
    const { box } = open;
    open = null;
    box.remove();
  };
  const value = () => {
    const hidden = open.box.querySelector("input[type=hidden]:not([name=csrf])");
    return (hidden || open.control).value;
  };
  const commit = () => {
    if (!open) return;
    const { row, c, before } = open;
    const now = value();
    close();
    if (now !== before) save(row, c, now);
  };
  const begin = (typed) => {
    const cell = here();
    const blueprint = cell && document.getElementById(head.cells[at.c].dataset.editor || "");
    if (!writes || !cell) return;
    if (!blueprint || "fixed" in cell.dataset) return say(sheet.dataset.fixedText);
    commit();
    // A form with the token, for what pickers make on the way; it is never sent itself.
    const box = document.createElement("form");
    box.className = "sheet-editor";
    box.addEventListener("submit", (event) => event.preventDefault());
    box.append(Object.assign(document.createElement("input"), { type: "hidden", name: "csrf", value: sheet.dataset.csrf }));
    const control = blueprint.content.querySelector("input, select, textarea").cloneNode(true);
    for (const name of ["required", "aria-describedby", "aria-invalid", "placeholder", "name"]) control.removeAttribute(name);
    control.removeAttribute("data-date");
    control.setAttribute("aria-label", head.cells[at.c].querySelector("a").textContent.trim());
    const list = blueprint.content.querySelector("datalist");
    const before = entered(cell);
    if (control.dataset.picker !== undefined) {
      control.dataset.picker = before ? cell.textContent : "";
      control.setAttribute("value", before);
    }
    control.value = before;
    // A value that is no choice any more is shown as it is.
    if (control.tagName === "SELECT" && control.value !== before) {
      control.append(new Option(before, before));
      control.value = before;
    }
    if (control.tagName === "TEXTAREA") control.rows = Math.min(8, before.split("\n").length);
    box.append(control, ...(list ? [list.cloneNode(true)] : []));
    const place = cell.getBoundingClientRect();
    const edge = sheet.getBoundingClientRect();
    box.style.left = `${place.left - edge.left + sheet.scrollLeft}px`;
    box.style.top = `${place.top - edge.top + sheet.scrollTop}px`;
    box.style.width = `${Math.max(place.width, 192)}px`;
    sheet.append(box);
    open = { box, control, row: rows.at(at.n), c: at.c, before };
    say("");
    box.dispatchEvent(new Event("fresh", { bubbles: true }));
    control.focus();
    if (typed !== undefined && control.tagName !== "SELECT") {
      control.value = typed;
      control.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (control.select) control.select();
  };

  sheet.addEventListener("keydown", (event) => {
    if (!open || !open.box.contains(event.target) || event.defaultPrevented || event.isComposing) return;
    event.stopPropagation();
    const { control } = open;
    if (event.key === "Enter" && event.altKey && control.tagName === "TEXTAREA") {
      event.preventDefault();
      control.setRangeText("\n", control.selectionStart, control.selectionEnd, "end");
      control.rows = Math.min(8, control.rows + 1);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      commit();
      go(at.n + 1, at.c);
    } else if (event.key === "Tab") {
      event.preventDefault();
      commit();
      go(at.n, at.c + (event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
      say("");
      if (here()) here().classList.remove("wrong");
      go(at.n, at.c);
    }
  });
  sheet.addEventListener("focusout", (event) => {
    if (open && open.box.contains(event.target) && !open.box.contains(event.relatedTarget)) setTimeout(() => {
      if (open && !open.box.contains(document.activeElement)) commit();
    });
  });

  sheet.addEventListener("keydown", (event) => {
    const cell = event.target.closest && event.target.closest("tbody td, tbody th");
    if (!cell || open || event.isComposing || event.target.matches("input")) return;
    const whole = event.ctrlKey || event.metaKey;
    const steps = {
      ArrowUp: [whole ? 1 : at.n - 1, at.c], ArrowDown: [whole ? rows.total() : at.n + 1, at.c],
      ArrowLeft: [at.n, whole ? first : at.c - 1], ArrowRight: [at.n, whole ? last : at.c + 1],
      PageUp: [at.n - rows.page(), at.c], PageDown: [at.n + rows.page(), at.c],
      Home: [whole ? 1 : at.n, first], End: [whole ? rows.total() : at.n, last],
    };
    if (event.altKey) return;
    if (steps[event.key]) {
      event.preventDefault();
      return go(...steps[event.key], event.shiftKey);
    }
    if (event.key === "Enter" && whole) {
      const link = rows.at(at.n).querySelector("th a");
      if (link) link.click();
      return event.preventDefault();
    }
    if (!writes) return;
    if (event.key === "Enter" || event.key === "F2") { event.preventDefault(); begin(); }
    else if (event.key === " ") {
      event.preventDefault();
      const box = rows.at(at.n).querySelector("[data-pick]");
      if (box) box.click();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      if (many()) paste("\n");
      else if ("fixed" in cell.dataset) say(sheet.dataset.fixedText);
      else if (entered(cell)) save(rows.at(at.n), at.c, "");
    } else if (event.key.length === 1 && !whole) {
      event.preventDefault();
      event.stopPropagation();
      begin(event.key);
    }
  });
  sheet.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("tbody td, tbody th");
    const row = cell && cell.closest("tr[data-n]");
    if (!row || event.target.closest("a, input") || cell.cellIndex < first) return;
    if (event.shiftKey) event.preventDefault();
    go(Number(row.dataset.n), cell.cellIndex, event.shiftKey);
  });
  sheet.addEventListener("dblclick", (event) => { if (event.target.closest("tbody td, tbody th") && !event.target.closest("a, input")) begin(); });
  sheet.addEventListener("focusin", (event) => {
    const cell = event.target.closest("tbody td, tbody th");
    const row = cell && cell.closest("tr[data-n]");
    if (!row || cell !== event.target || (Number(row.dataset.n) === at.n && cell.cellIndex === at.c)) return;
    at = { n: Number(row.dataset.n), c: cell.cellIndex };
    anchor = at;
    mark();
  });

  // To a spreadsheet and back.
  const quoted = (one) => (/[\t\n\r"]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one);
  const inGrid = () => !open && body.contains(document.activeElement);
  document.addEventListener("copy", (event) => {
    if (!inGrid()) return;
    event.preventDefault();
    const { from, to, left, right } = range();
    const line = (cells) => cells.slice(left, right + 1).map(quoted).join("\t");
    const known = (n) => { const row = rows.at(n); return row ? texts(row) : kept.get(n); };
    const numbers = Array.from({ length: Math.min(to - from + 1, 2000) }, (_, n) => from + n);
    if (numbers.every(known)) return event.clipboardData.setData("text/plain", numbers.map((n) => line(known(n))).join("\n"));
    // Rows in between that were never in the page are asked for first.
    (async () => {
      for (const n of numbers) {
        if (known(n)) continue;
        const got = await rows.piece(Math.floor((n - 1) / rows.size));
        for (const row of got.querySelectorAll("tr[data-n]")) kept.set(Number(row.dataset.n), texts(row));
        if (!known(n)) kept.set(n, []);
      }
      await navigator.clipboard.writeText(numbers.map((n) => line(known(n))).join("\n"));
    })();
  });
  const paste = async (words) => {
    const { from, to, left, right } = range();
    const row = rows.at(from) || rows.at(at.n);
    const form = new URLSearchParams(rows.params);
    const send = { csrf: sheet.dataset.csrf, row: from, first: row ? row.dataset.id : "", cell: head.cells[left].dataset.column, high: to - from + 1, wide: right - left + 1, text: words };
    for (const [name, one] of Object.entries(send)) form.set(name, one);
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: sheet.dataset.waiting } }));
    const answer = await fetch(`${sheet.dataset.sheet}/paste`, { method: "POST", body: form, headers: { accept: "application/json" } }).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (answer && answer.ok) return location.assign(told.to);
    say((told.errors || []).map((one) => one.message).join(" ") || told.detail || sheet.dataset.failed);
  };
  document.addEventListener("paste", (event) => {
    if (!inGrid() || !writes) return;
    event.preventDefault();
    const words = event.clipboardData.getData("text/plain");
    const bare = words.replace(/\r?\n$/, "");
    if (!words) return;
    if (many() || /[\t\n]/.test(bare) || bare.startsWith('"')) return paste(words);
    const cell = here();
    const picker = document.getElementById(head.cells[at.c].dataset.editor || "");
    if (picker && picker.content.querySelector("[data-picker]")) return begin(bare);
    if (!picker || "fixed" in cell.dataset) return say(sheet.dataset.fixedText);
    if (bare !== entered(cell)) save(rows.at(at.n), at.c, bare);
  });
  addEventListener("beforeunload", (event) => { if (open && value() !== open.before) event.preventDefault(); });
  // The cells are reached by Tab, so that the box around them need not be.
  sheet.removeAttribute("tabindex");
  mark();
})();
