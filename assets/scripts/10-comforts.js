// Small comforts on top of pages that work without them.
(() => {
  "use strict";
  const root = document.documentElement;

  // "/" puts the cursor into the search box, Escape leaves it.
  const box = document.querySelector("[data-hotkey='/']");
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const typing = at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
    if (box && event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape" && at === box) {
      box.blur();
    }
  });

  // Light or dark: remembered in a cookie, so that the next page arrives in it.
  const toggle = document.querySelector("[data-theme-toggle]");
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const device = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme || device) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    });
  }

  // Copy the address or a command.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
      await navigator.clipboard.writeText(from ? from.textContent.trim() : location.href);
      const before = button.textContent;
      button.textContent = button.dataset.done || before;
      setTimeout(() => { button.textContent = before; }, 1500);
    });
  }

  // A control that sends its form as soon as it changes; its button is for those without scripts.
  for (const control of document.querySelectorAll("select[data-submit]")) {
    control.addEventListener("change", () => control.form.requestSubmit());
    const button = control.form.querySelector("[data-noscript]");
    if (button) button.hidden = true;
  }
})();
