// The type editor: fields are moved among their siblings with Alt and the arrow keys, or with two buttons in each. The
// number of the place stays what is sent, so that all of it works without this.
(() => {
  "use strict";
  const lists = document.querySelectorAll("[data-define-list]");
  if (!lists.length) return;
  const words = lists[0].dataset;
  const place = (field) => field.querySelector(":scope > .more-body > .define-controls > .field > input[name$='/place']");
  const siblings = (field) => [...field.parentElement.children].filter((one) => one.matches("[data-define]"));
  const number = (list) => siblings(list.firstElementChild).forEach((field, at) => {
    const input = place(field);
    if (input) input.value = String(at + 1);
  });
  const move = (field, step) => {
    const all = siblings(field);
    const other = all[all.indexOf(field) + step];
    if (!other) return;
    if (step < 0) other.before(field);
    else other.after(field);
    number(field.parentElement);
    field.closest("form").dispatchEvent(new Event("input", { bubbles: true }));
    field.querySelector(":scope > summary").focus();
    field.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const summary = event.altKey && event.target instanceof Element && event.target.closest("[data-define] > summary");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!summary || !step) return;
    event.preventDefault();
    move(summary.parentElement, step);
  });
  for (const field of document.querySelectorAll("[data-define]")) {
    const input = place(field);
    if (!input) continue;
    const row = document.createElement("p");
    row.className = "row";
    for (const [step, label] of [[-1, words.up], [1, words.down]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button small";
      button.textContent = label;
      button.addEventListener("click", () => { move(field, step); button.focus(); });
      row.append(button);
    }
    input.parentElement.append(row);
  }
  for (const help of document.querySelectorAll("[data-define-help]")) help.hidden = false;
  // Which kind a new field has says what else it needs.
  const kind = document.querySelector("select[name='def/new/kind']");
  if (kind) {
    const need = () => {
      for (const [name, wanted] of [["target", "link"], ["inner", "group"]]) {
        const control = document.querySelector(`[name='def/new/${name}']`);
        if (control) control.closest(".field").hidden = kind.value !== wanted;
      }
    };
    kind.addEventListener("change", need);
    need();
  }
})();
