// Trees: what hangs below a record is opened in its place. The links lead to pages that show the same; the arrow keys go
// along the lines, open and shut them.
(() => {
  "use strict";
  const branch = async (href) => {
    const answer = await fetch(href, { headers: { accept: "text/html" } });
    const page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    return page && page.querySelector("[data-branch]");
  };
  const unfold = async (link, open) => {
    const line = link.closest("li");
    const inner = line.querySelector(":scope > [data-branch]");
    link.setAttribute("aria-expanded", String(open));
    if (inner) inner.hidden = !open;
    if (inner || !open || link.dataset.busy) return;
    link.dataset.busy = "1";
    const list = await branch(link.href).catch(() => null);
    delete link.dataset.busy;
    if (!list) return location.assign(link.href);
    line.append(document.adoptNode(list));
    dress(list);
  };
  const dress = (within) => {
    for (const link of within.querySelectorAll("[data-unfold]:not([aria-expanded])")) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-expanded", "false");
    }
  };
  document.addEventListener("click", async (event) => {
    const link = event.target instanceof Element && event.target.closest("[data-unfold], .twigs .twigs [data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (link.hasAttribute("data-unfold")) return unfold(link, link.getAttribute("aria-expanded") !== "true");
    const list = await branch(link.href).catch(() => null);
    if (!list) return location.assign(link.href);
    const first = list.querySelector("a");
    link.closest("li").replaceWith(...list.children);
    dress(document);
    if (first) first.focus();
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target instanceof Element && event.target.closest(".twig a");
    if (!at) return;
    const line = at.closest("li");
    const link = line.querySelector(":scope > .twig > [data-unfold]");
    const names = [...document.querySelectorAll(".twig-name")].filter((name) => name.offsetParent);
    const place = names.indexOf(line.querySelector(":scope > .twig > .twig-name"));
    const open = link && link.getAttribute("aria-expanded") === "true";
    const above = line.parentElement.closest("li");
    let to = null;
    if (event.key === "ArrowDown") to = names[place + 1];
    else if (event.key === "ArrowUp") to = names[place - 1];
    else if (event.key === "ArrowRight" && link && !open) unfold(link, true);
    else if (event.key === "ArrowRight" && open) to = names[place + 1];
    else if (event.key === "ArrowLeft" && open) unfold(link, false);
    else if (event.key === "ArrowLeft" && above) to = above.querySelector(":scope > .twig > .twig-name");
    else return;
    event.preventDefault();
    if (to) to.focus();
  });
  dress(document);
})();
