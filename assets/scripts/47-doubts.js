// Forms with data-doubts="ADDRESS": what is worth another look is told at its field while one writes, and keeps nobody from
// saving. The address takes the form and answers [{path, message}], the path as types name it, with the places in lists.
(() => {
  "use strict";
  const pause = 400;

  // What is left empty has no place in a list.
  const filled = (item) => [...item.querySelectorAll("[name]")].some((one) => (/^(checkbox|radio)$/.test(one.type) ? one.checked && one.value : one.value.trim()));
  // doc/maker/#17/name is maker.0.name in the first item of its list.
  const path = (name, element) => {
    const items = [];
    for (let item = element.closest("[data-repeat] > ol > li"); item; item = item.parentElement.closest("[data-repeat] > ol > li")) {
      items.unshift([...item.parentElement.children].filter(filled).indexOf(item));
    }
    return name.split("/").slice(1).map((step) => (step.startsWith("#") ? items.shift() : step)).join(".");
  };
  const places = (form) => {
    const found = new Map();
    for (const list of form.querySelectorAll("[data-repeat]")) found.set(path(list.dataset.repeat, list.parentElement), [list, null]);
    for (const control of form.elements) {
      const field = control.name && control.name.startsWith("doc/") && control.closest(".field");
      if (field) found.set(path(control.name, control), [field, field.querySelector("input:not([type=hidden]), select, textarea")]);
    }
    return found;
  };
  const nearest = (found, wanted) => {
    const steps = wanted.split(".");
    while (steps.length && !found.has(steps.join("."))) steps.pop();
    return found.get(steps.join("."));
  };

  const show = (form, doubts) => {
    for (const old of form.querySelectorAll(".field > p.warning")) old.remove();
    const found = places(form);
    for (const { path: wanted, message } of doubts) {
      const [field, control] = nearest(found, wanted) || [];
      if (!field) continue;
      let note = field.querySelector(":scope > p.warning");
      if (!note) {
        note = document.createElement("p");
        note.className = "warning";
        note.id = `${(control || field).id}-warning`;
        note.setAttribute("role", "status");
        field.append(note);
        const described = control && (control.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== note.id);
        if (control) control.setAttribute("aria-describedby", [...described, note.id].join(" "));
      }
      note.textContent = note.textContent ? `${note.textContent} ${message}` : message;
    }
  };

  const timers = new WeakMap();
  const turns = new WeakMap();
  const ask = async (form) => {
    const turn = (turns.get(form) || 0) + 1;
    turns.set(form, turn);
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.doubts, { method: "POST", body, headers: { accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok || turns.get(form) !== turn) return;
    show(form, await answer.json());
  };
  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element && event.target.closest("form[data-doubts]");
    if (!form) return;
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => ask(form), pause));
  });
})();
