// Fields of forms: repeated values (add, remove, reorder), what a date was read as, files that are dropped.
(() => {
  "use strict";
  let made = 0;

  // The blank item waits in a template; its place in names and ids is PREFIX/#new.
  const place = (node, prefix, number) => {
    const from = `${prefix}/#new`;
    const to = `${prefix}/#${number}`;
    for (const element of node.querySelectorAll("*")) {
      for (const attribute of [...element.attributes]) {
        if (attribute.value.includes(from)) attribute.value = attribute.value.split(from).join(to);
      }
      if (element instanceof HTMLTemplateElement) place(element.content, prefix, number);
    }
  };
  const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
  const tools = (field, item) => {
    if (item.querySelector(":scope > .repeat-tools")) return;
    item.append(field.querySelector(":scope > [data-tools]").content.cloneNode(true));
  };
  const dress = (within) => {
    for (const field of within.querySelectorAll("[data-repeat]")) {
      for (const item of field.querySelectorAll(":scope > ol > li")) tools(field, item);
      field.querySelector(":scope > [data-add]").hidden = false;
    }
    for (const input of within.querySelectorAll("[data-date]")) read(input);
  };
  const add = (field) => {
    made += 1;
    const fragment = field.querySelector(":scope > [data-blank]").content.cloneNode(true);
    place(fragment, field.dataset.repeat, `${Date.now()}${made}`);
    const item = fragment.firstElementChild;
    field.querySelector(":scope > ol").append(item);
    tools(field, item);
    dress(item);
    item.dispatchEvent(new Event("fresh", { bubbles: true }));
    const first = item.querySelector("input, select, textarea");
    if (first) first.focus();
    changed(field);
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-add], [data-remove], [data-move]");
    const field = button && button.closest("[data-repeat]");
    if (!field) return;
    if (button.hasAttribute("data-add")) return add(field);
    const item = button.closest("li");
    const next = item.nextElementSibling;
    const before = item.previousElementSibling;
    if (button.hasAttribute("data-remove")) {
      const near = (next && next.matches("li") && next) || before;
      item.remove();
      const focus = (near && near.querySelector("[data-remove]")) || field.querySelector(":scope > [data-add]");
      focus.focus();
    } else if (button.dataset.move === "up" && before) {
      before.before(item);
      button.focus();
    } else if (button.dataset.move === "down" && next && next.matches("li")) {
      next.after(item);
      button.focus();
    }
    changed(field);
  });

  // A date: the house says what it understands, or why it does not.
  const waiting = new WeakMap();
  const read = (input) => {
    const output = document.getElementById(input.dataset.date);
    const text = input.value.trim();
    if (!output) return;
    clearTimeout(waiting.get(input));
    if (!text) output.textContent = "";
    else waiting.set(input, setTimeout(async () => {
      const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
      const answer = await fetch(`/api/dates?text=${encodeURIComponent(text)}`, { headers }).catch(() => null);
      const said = answer && answer.ok ? await answer.json() : {};
      if (input.value.trim() !== text) return;
      output.textContent = said.words ? output.dataset.read.replace("{date}", said.words) : said.why || "";
    }, 150));
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches && event.target.matches("[data-date]")) read(event.target);
  });

  // Files: dropped onto the box, they are put into the input as if chosen there.
  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB"];
    let at = 0;
    while (bytes >= 1000 && at < 3) { bytes /= 1000; at += 1; }
    return `${bytes.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${units[at]}`;
  };
  const list = (input) => {
    const shown = input.closest("[data-drop]").querySelector("[data-files]");
    if (!shown) return;
    shown.replaceChildren(...[...input.files].map((file) => {
      const line = document.createElement("li");
      line.textContent = `${file.name} · ${size(file.size)}`;
      return line;
    }));
  };
  const over = (event, is) => {
    const box = event.target instanceof Element && event.target.closest("[data-drop]");
    if (!box || !event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return null;
    event.preventDefault();
    box.classList.toggle("over", is);
    return box;
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => over(event, false));
  document.addEventListener("drop", (event) => {
    const box = over(event, false);
    const input = box && box.querySelector("input[type=file]");
    if (!input) return;
    const files = new DataTransfer();
    for (const file of event.dataTransfer.files) if (input.multiple || !files.files.length) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-drop] input[type=file]")) list(event.target);
  });

  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
