// Small comforts on top of pages that work without them. A region that arrives later is announced by the event "fresh".
(() => {
  "use strict";
  const root = document.documentElement;

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

  // Another language for the page as it is now: regions may have changed its address since it came.
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".languages a");
    if (!link) return;
    const here = new URL(location.href);
    here.searchParams.set("lang", link.hreflang);
    link.href = here.pathname + here.search;
  });

  // Copy the address or the text of an element.
  const copy = async (button) => {
    const from = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    await navigator.clipboard.writeText(from ? from.textContent.trim() : location.href);
    const before = button.textContent;
    button.textContent = button.dataset.done || before;
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  const dress = (within) => {
    if (navigator.clipboard) for (const button of within.querySelectorAll("[data-copy]")) button.hidden = false;
    // A control that sends its form as soon as it changes; its button is for those without scripts.
    for (const control of within.querySelectorAll("select[data-submit]")) {
      const button = control.form && control.form.querySelector("[data-noscript]");
      if (button) button.hidden = true;
    }
    const wrong = within.querySelector("[data-focus]:not([data-sample] *)");
    if (wrong) wrong.focus();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
