// Passwords can be looked at while they are typed; they are hidden again before they are sent.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const box = document.getElementById(button.dataset.reveal);
    if (!box) continue;
    const set = (shown) => {
      box.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    };
    button.hidden = false;
    button.addEventListener("click", () => set(box.type === "password"));
    if (box.form) box.form.addEventListener("submit", () => set(false));
  }
})();
