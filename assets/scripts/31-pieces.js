// Pieces of a page that the house sends as they change: each event names an element and its new content.
(() => {
  "use strict";
  for (const region of document.querySelectorAll("[data-pieces]")) {
    for (const link of region.querySelectorAll("[data-noscript]")) link.hidden = true;
    const source = new EventSource(region.dataset.pieces);
    let seen = false;
    source.addEventListener("piece", (event) => {
      const { id, html, append } = JSON.parse(event.data);
      const element = document.getElementById(id);
      if (!element) return;
      seen = true;
      if (append) {
        const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
        element.insertAdjacentHTML("beforeend", html);
        if (atEnd) element.scrollTop = element.scrollHeight;
      } else if (!element.contains(document.activeElement) || document.activeElement.tagName === "A") {
        element.innerHTML = html;
        for (const link of element.querySelectorAll("[data-noscript]")) link.hidden = true;
      }
    });
    source.addEventListener("end", () => source.close());
    // A connection that breaks off would send again what is shown already: the page begins anew once the house is back.
    const again = () => setTimeout(() => {
      fetch(location.href, { method: "HEAD" }).then((answer) => (answer.ok ? location.reload() : again()), again);
    }, 2000);
    source.addEventListener("error", () => {
      if (!seen) return;
      source.close();
      again();
    });
  }
})();
