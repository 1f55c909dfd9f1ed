// Forms with data-history="ADDRESS": who stays in a field, or rests above its name, is told what it held before, who changed
// it and when. Asked for once for each field; nothing is shown where it never was otherwise.
(() => {
  "use strict";
  const rest = 500;
  const told = new WeakMap();
  let timer;
  // The path of a field as types name it: doc/maker/#1/name is maker.name.
  const path = (name) => name.split("/").slice(1).filter((step) => !step.startsWith("#")).join(".");
  const show = async (form, field, control) => {
    if (!told.has(field)) {
      const hidden = field.querySelector("input[type=hidden][name^='doc/']");
      const name = control.name || (hidden && hidden.name) || "";
      const asked = (async () => {
        if (!name.startsWith("doc/")) return null;
        const to = new URL(form.dataset.history, location.href);
        to.searchParams.set("field", path(name));
        const answer = await fetch(to, { headers: { accept: "text/html" } }).catch(() => null);
        if (!answer || !answer.ok) return null;
        const made = document.createElement("template");
        made.innerHTML = await answer.text();
        const note = made.content.firstElementChild;
        return note && note.children.length ? note : null;
      })();
      told.set(field, asked);
    }
    const note = await told.get(field);
    for (const other of form.querySelectorAll(".field-history")) if (other !== note) other.remove();
    if (note && field.isConnected && field.matches(":hover, :focus-within")) field.append(note);
  };
  const later = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const form = target && target.closest("form[data-history]");
    const field = form && target.closest(".field:not(.group-field, .repeat)");
    clearTimeout(timer);
    if (!field || (event.type === "pointerover" && !target.closest("label, legend"))) return;
    const control = field.querySelector("input:not([type=hidden]), select, textarea");
    if (control) timer = setTimeout(() => show(form, field, control), rest);
  };
  document.addEventListener("focusin", later);
  document.addEventListener("pointerover", later);
})();
