// Forms with data-draft="KEY": what is entered is kept in this browser until it is sent, and offered again after a mishap;
// leaving with unsaved changes asks first. data-draft-version names what the form was made from: a draft of another version
// is said to be one; data-draft-unsaved says that the form came back without being saved. Passwords and files are never kept.
(() => {
  "use strict";
  const life = 14 * 24 * 3600 * 1000;
  // What is no part of what is entered.
  const apart = new Set(["csrf", "template"]);
  const kept = (form) => `draft:${location.pathname}:${form.dataset.draft}`;
  const entries = (form) => [...new FormData(form)].filter(([name, value]) => !apart.has(name) && typeof value === "string");
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  for (let at = localStorage.length - 1; at >= 0; at -= 1) {
    const key = localStorage.key(at);
    if (!key.startsWith("draft:")) continue;
    try {
      if (Date.now() - JSON.parse(localStorage.getItem(key)).at > life) localStorage.removeItem(key);
    } catch { localStorage.removeItem(key); }
  }

  // Puts entries back: repeated values are added or taken away until there are as many as in the draft.
  const restore = (form, draft) => {
    for (const field of form.querySelectorAll("[data-repeat]")) {
      const prefix = `${field.dataset.repeat}/#`;
      const wanted = new Set(draft.filter(([name]) => name.startsWith(prefix)).map(([name]) => name.slice(prefix.length).split("/")[0]));
      let items = field.querySelectorAll(":scope > ol > li").length;
      for (; items < wanted.size; items += 1) field.querySelector(":scope > [data-add]").click();
      for (; items > wanted.size; items -= 1) field.querySelector(":scope > ol > li:last-child > .repeat-tools [data-remove]").click();
    }
    // Items have numbers of their own here; their order is what counts.
    const controls = [...form.elements].filter((one) => one.name && !apart.has(one.name) && one.type !== "file" && one.type !== "password");
    const shape = (name) => name.replace(/\/#[^/]+/g, "/#");
    const waiting = new Map();
    for (const [name, value] of draft) waiting.set(shape(name), [...(waiting.get(shape(name)) || []), value]);
    for (const control of controls) {
      const values = waiting.get(shape(control.name));
      if (control.type === "radio") control.checked = Boolean(values && values.includes(control.value));
      else if (control.type === "checkbox") control.checked = Boolean(values && values.includes(control.value));
      else if (values && values.length) control.value = values.shift();
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const tell = (form, open) => {
    const note = form.querySelector("[data-unsaved]");
    if (note) note.hidden = !open;
  };

  const offer = (form, draft) => {
    const words = document.getElementById("draft-template");
    if (!words) return;
    const note = words.content.firstElementChild.cloneNode(true);
    const stale = form.dataset.draftVersion !== undefined && draft.version !== form.dataset.draftVersion;
    for (const one of note.querySelectorAll("[data-stale]")) one.hidden = !stale;
    note.querySelector("time").textContent = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    note.querySelector("[data-restore]").addEventListener("click", () => { note.remove(); restore(form, draft.entries); });
    note.querySelector("[data-forget]").addEventListener("click", () => { note.remove(); localStorage.removeItem(kept(form)); });
    form.prepend(note);
  };

  const dress = (within) => {
    for (const form of within.querySelectorAll("form[data-draft]")) {
      if (form.draftStart) continue;
      // What came back from the house without being saved is entered, not where one begins.
      const unsaved = "draftUnsaved" in form.dataset;
      form.draftStart = unsaved ? [] : entries(form);
      const text = unsaved ? null : localStorage.getItem(kept(form));
      if (text) {
        const draft = JSON.parse(text);
        if (same(draft.entries, form.draftStart)) localStorage.removeItem(kept(form));
        else offer(form, draft);
      }
      let timer;
      let touched = false;
      const keep = () => {
        const now = entries(form);
        tell(form, !same(now, form.draftStart));
        if (same(now, form.draftStart)) return localStorage.removeItem(kept(form));
        const draft = { at: Date.now(), version: form.dataset.draftVersion, entries: now };
        try { localStorage.setItem(kept(form), JSON.stringify(draft)); } catch { /* full: the guard still asks */ }
      };
      if (unsaved) keep();
      const later = () => {
        touched = true;
        clearTimeout(timer);
        timer = setTimeout(keep, 300);
      };
      // What was typed in the last moment is kept too.
      window.addEventListener("pagehide", () => { if (touched) keep(); });
      form.addEventListener("input", later);
      form.addEventListener("change", later);
      form.addEventListener("reset", () => setTimeout(later));
      form.addEventListener("submit", () => { form.draftSent = true; });
    }
  };
  // A draft goes when the page after the form says that it worked: a refused form shows the same form again.
  const said = document.querySelector("#toasts .toast");
  if (said) for (let at = localStorage.length - 1; at >= 0; at -= 1) {
    const key = localStorage.key(at);
    if (key.startsWith("draft:") && key === sessionStorage.getItem("sent")) localStorage.removeItem(key);
  }
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-draft]")) sessionStorage.setItem("sent", kept(event.target));
  });
  window.addEventListener("beforeunload", (event) => {
    const open = [...document.querySelectorAll("form[data-draft]")].some((form) => form.draftStart && !form.draftSent && !same(entries(form), form.draftStart));
    if (open) event.preventDefault();
  });
  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
