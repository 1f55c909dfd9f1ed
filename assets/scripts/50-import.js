// The import wizard: files are sent with a bar that shows how far they are, and a changed way of reading shows at once.
(() => {
  "use strict";
  const form = document.querySelector("form[data-upload]");
  if (form) {
    const input = form.querySelector("input[type=file]");
    const button = form.querySelector("button[type=submit]");
    const bar = form.querySelector("[data-sending]");
    const wrong = form.querySelector("[data-wrong]");
    const fail = (text) => {
      bar.hidden = true;
      button.disabled = false;
      wrong.textContent = text;
      wrong.hidden = false;
    };
    const send = () => {
      if (button.disabled || !input.files.length) return;
      button.disabled = true;
      wrong.hidden = true;
      bar.hidden = false;
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("accept", "text/html");
      request.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        const percent = Math.floor((event.loaded / event.total) * 100);
        bar.querySelector("progress").value = percent;
        bar.querySelector("[data-percent]").textContent = `${percent} %`;
      });
      request.addEventListener("load", () => {
        if (request.status < 400) {
          location.assign(request.responseURL);
          return;
        }
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        const main = page.querySelector("main .lead, main p");
        fail(main ? main.textContent.trim() : request.statusText);
      });
      request.addEventListener("error", () => fail(wrong.dataset.broken));
      request.send(new FormData(form));
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    input.addEventListener("change", send);
  }

  // Another way of reading is taken and shown without a click.
  const look = document.querySelector("form[data-relook]");
  if (look) {
    look.addEventListener("change", async () => {
      const region = document.getElementById("look");
      region.setAttribute("aria-busy", "true");
      const body = new URLSearchParams(new FormData(look));
      const answer = await fetch(look.action, { method: "POST", body, headers: { accept: "text/html" } }).catch(() => null);
      region.removeAttribute("aria-busy");
      // A refusal comes with the page that says why.
      if (!answer || (!answer.ok && answer.status !== 422)) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("look");
      if (!fresh) return;
      const at = document.activeElement && document.activeElement.id;
      region.replaceChildren(...fresh.childNodes);
      const next = page.querySelector("form[data-relook] button[value=next]");
      look.querySelector("button[value=next]").disabled = Boolean(next && next.disabled);
      if (at && document.getElementById(at)) document.getElementById(at).focus();
    });
  }
})();
