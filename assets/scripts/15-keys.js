// Keys: "/" goes to the search box, "?" shows all keys, others click what carries data-key. Single keys can be switched
// off in that dialog; Ctrl+S sends the form that is being edited, Ctrl+Enter goes on to the next record.
(() => {
  "use strict";
  const blueprint = document.getElementById("keys-template");
  const on = () => localStorage.getItem("keys") !== "off";
  const box = () => document.querySelector("[data-hotkey='/']");

  // The dialog is made when somebody asks for it, and lists what this page can do.
  const show = () => {
    let dialog = document.getElementById("keys");
    if (!dialog && blueprint) {
      dialog = blueprint.content.firstElementChild.cloneNode(true);
      document.body.append(dialog);
      const use = dialog.querySelector("[data-keys]");
      use.checked = on();
      use.addEventListener("change", () => localStorage.setItem("keys", use.checked ? "on" : "off"));
    }
    if (!dialog) return;
    for (const line of dialog.querySelectorAll("[data-if]")) {
      const forms = { save: "form[data-draft]", next: "form[data-draft] button[value=next]" };
      line.hidden = !document.querySelector(forms[line.dataset.if] || `[data-key="${line.dataset.if}"]`);
    }
    if (!dialog.open) dialog.showModal();
  };
  for (const button of document.querySelectorAll("[data-open='keys']")) {
    button.hidden = false;
    button.addEventListener("click", (event) => { event.stopPropagation(); show(); });
  }

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const typing = at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === "s") {
      const form = (typing && at.form) || document.querySelector("form[data-draft]");
      if (form && form.matches("[data-draft]")) { event.preventDefault(); form.requestSubmit(); }
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && !event.defaultPrevented) {
      const form = typing && at.form && at.form.matches("[data-draft]") ? at.form : null;
      const next = form && form.querySelector("button[value=next]");
      if (next) { event.preventDefault(); form.requestSubmit(next); }
      return;
    }
    if (event.key === "Escape" && at === box()) return at.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    if (event.key === "?") { event.preventDefault(); return show(); }
    if (!on()) return;
    if (event.key === "/" && box()) {
      event.preventDefault();
      box().focus();
      box().select();
    } else if (/^[a-z]$/.test(event.key)) {
      const target = document.querySelector(`[data-key="${event.key}"]`);
      if (target) { event.preventDefault(); target.click(); }
    }
  });
})();
