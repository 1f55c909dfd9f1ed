// Ticked records of a list: kept over its pages and searches as long as they are of one type, told in words, and sent together.
// Without this the ticks of one page are sent, or the whole list.
(() => {
  "use strict";
  const form = () => document.querySelector("[data-picking]");
  const key = (at) => `pick/${at.dataset.picking}`;
  const read = (at) => {
    try { return new Set(JSON.parse(sessionStorage.getItem(key(at)) || "[]")); } catch { return new Set(); }
  };
  const boxes = () => [...document.querySelectorAll("[data-pick]")];

  const show = () => {
    const at = form();
    if (!at) return;
    const picked = read(at);
    for (const box of boxes()) box.checked = picked.has(box.value);
    const button = at.querySelector("[type=submit]");
    button.dataset.all = button.dataset.all || button.textContent;
    button.textContent = picked.size ? button.dataset.some.replace("{n}", picked.size.toLocaleString(document.documentElement.lang)) : button.dataset.all;
    const all = at.querySelector("[data-pick-all]");
    if (all) {
      all.hidden = false;
      const whole = all.querySelector("input");
      whole.checked = boxes().length > 0 && boxes().every((box) => box.checked);
      whole.indeterminate = !whole.checked && boxes().some((box) => box.checked);
    }
    at.querySelector("[data-pick-none]").hidden = !picked.size;
  };
  const keep = (change) => {
    const at = form();
    const picked = read(at);
    change(picked);
    sessionStorage.setItem(key(at), JSON.stringify([...picked]));
    show();
  };
  const put = (picked, box) => { if (box.checked) picked.add(box.value); else picked.delete(box.value); };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) keep((picked) => put(picked, event.target));
    const all = event.target.closest("[data-pick-all]");
    if (all) {
      for (const box of boxes()) box.checked = event.target.checked;
      keep((picked) => boxes().forEach((box) => put(picked, box)));
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick-here]")) {
      const row = document.activeElement && document.activeElement.closest("tr, .plate");
      const box = row && row.querySelector("[data-pick]");
      if (box) box.click();
    }
    if (event.target.closest("[data-pick-none]")) keep((picked) => picked.clear());
  });
  document.addEventListener("submit", (event) => {
    const at = form();
    if (event.target !== at) return;
    const here = new Set(boxes().map((box) => box.value));
    for (const old of at.querySelectorAll("[data-elsewhere]")) old.remove();
    for (const id of read(at)) {
      if (here.has(id)) continue;
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "id", value: id });
      field.dataset.elsewhere = "";
      at.append(field);
    }
  });
  document.addEventListener("fresh", show);
  addEventListener("pageshow", show);
})();
