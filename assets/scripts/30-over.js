// What lies over the page: dialogs, menus, toasts. Others say something by
// document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone } })).
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    const dialog = opener && document.getElementById(opener.dataset.open);
    if (dialog && dialog.showModal) { event.preventDefault(); dialog.showModal(); }
    const closer = event.target.closest("[data-close]");
    if (closer && closer.closest("dialog")) closer.closest("dialog").close();
    // A click beside a dialog shuts it, one beside a menu too.
    if (event.target instanceof HTMLDialogElement) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && !event.target.hasAttribute("data-keep")) event.target.close();
    }
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target instanceof Element && event.target.closest("details[data-menu][open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const items = [...menu.querySelectorAll(".menu-list :is(a, button)")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
      if (next) next.focus();
    }
  });

  const shelf = document.getElementById("toasts");
  if (!shelf) return;
  // A toast with something to press stays until it is pressed or shut.
  const settle = (toast) => {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-button";
    close.setAttribute("aria-label", shelf.dataset.close);
    close.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="m5.500 5.500 9 9m0-9-9 9"/></svg>';
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (!toast.querySelector("form, a") && !toast.classList.contains("bad")) {
      let left = 6;
      const tick = setInterval(() => {
        if (!toast.matches(":hover, :focus-within") && --left <= 0) { clearInterval(tick); toast.remove(); }
      }, 1000);
    }
  };
  for (const toast of shelf.children) settle(toast);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-say]");
    if (button) document.dispatchEvent(new CustomEvent("toast", { detail: { text: button.dataset.say } }));
  });
  document.addEventListener("toast", (event) => {
    const toast = document.createElement("div");
    toast.className = `toast ${event.detail.tone || ""}`;
    const text = document.createElement("p");
    text.textContent = event.detail.text;
    toast.append(text);
    shelf.append(toast);
    settle(toast);
  });
})();
