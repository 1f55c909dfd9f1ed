// Suggestions while one types (ARIA combobox): data-suggest names the address that answers
// {values: [{field, label, value, count}], fields: [{field, label}], records: [{id, type, title}]}. In the search box a value
// or record leads to what it says, and a field is written in the place of the word that begins it;
// in a form it fills the field; with data-picker (the title of the record whose id the field holds) it picks a record.
(() => {
  "use strict";
  let lists = 0;
  const pause = 120;

  class Combo {
    constructor(input) {
      this.input = input;
      this.search = Boolean(input.closest("[role=search]"));
      this.options = [];
      this.at = -1;
      this.asked = 0;
      const frame = document.createElement("span");
      frame.className = "combo";
      input.before(frame);
      this.list = document.createElement("ul");
      this.list.className = "combo-list";
      this.list.id = `suggestions-${++lists}`;
      this.list.hidden = true;
      this.list.setAttribute("role", "listbox");
      this.list.setAttribute("aria-label", (input.labels && input.labels[0] && input.labels[0].textContent.trim()) || "");
      if (input.dataset.picker !== undefined) this.pick();
      frame.append(input, this.list);
      for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", this.list.id]]) {
        input.setAttribute(name, value);
      }
      input.addEventListener("input", () => this.later());
      input.addEventListener("keydown", (event) => this.key(event));
      input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
      this.list.addEventListener("pointerdown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const line = event.target.closest("[role=option]");
        if (line) this.choose(Number(line.dataset.at));
      });
    }
    // The id goes into a hidden field of the same name; the visible one shows the title.
    pick() {
      const { input } = this;
      this.id = document.createElement("input");
      this.id.type = "hidden";
      this.id.name = input.name;
      this.id.value = input.value;
      input.removeAttribute("name");
      input.value = input.dataset.picker || input.value;
      input.before(this.id);
      input.addEventListener("input", () => { this.id.value = input.value; });
    }
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), pause);
    }
    async ask() {
      const text = this.input.value.trim();
      const turn = ++this.asked;
      if (!text) return this.close();
      const address = new URL(this.input.dataset.suggest, location.href);
      address.searchParams.set("q", text);
      try {
        const answer = await fetch(address, { headers: { accept: "application/json" } });
        if (!answer.ok) return this.close();
        const found = await answer.json();
        if (turn === this.asked && document.activeElement === this.input) this.show(found);
      } catch {
        this.close();
      }
    }
    show(found) {
      const values = this.id ? [] : found.values || [];
      const records = this.id || this.search ? found.records || [] : [];
      this.head = found.last ? (found.q || "").slice(0, -found.last.length) : found.q || "";
      this.within = found.within;
      const typed = this.input.value.trim();
      const known = records.some((record) => (record.title || "").toLowerCase() === typed.toLowerCase());
      const make = this.id && this.input.dataset.make && typed && !known ? [{ text: this.input.dataset.makeLabel.replace("{title}", typed), note: "", make: typed }] : [];
      this.options = [
        ...values.map((value) => ({ text: value.value, note: [value.label, value.count].filter(Boolean).join(" · "), value })),
        ...(this.search ? found.fields || [] : []).map((field) => ({ text: `${field.field}:`, note: field.label, field })),
        ...records.map((record) => ({ text: record.title || record.id, note: record.path || String(record.type || "").replaceAll("-", " "), record })),
        ...make,
      ];
      this.list.replaceChildren(...this.options.map((option, at) => {
        const line = document.createElement("li");
        line.id = `${this.list.id}-${at}`;
        line.dataset.at = at;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        const text = document.createElement("span");
        text.textContent = option.text;
        const note = document.createElement("small");
        note.textContent = option.note || "";
        line.append(text, note);
        return line;
      }));
      this.at = -1;
      this.list.hidden = !this.options.length;
      this.input.setAttribute("aria-expanded", String(!this.list.hidden));
      this.input.removeAttribute("aria-activedescendant");
    }
    close() {
      clearTimeout(this.timer);
      this.asked += 1;
      this.list.hidden = true;
      if (this.at >= 0) this.list.children[this.at].setAttribute("aria-selected", "false");
      this.at = -1;
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
    }
    move(step) {
      const lines = this.list.children;
      if (this.at >= 0) lines[this.at].setAttribute("aria-selected", "false");
      // One place beside the list stands for what is written itself.
      this.at = ((this.at + 1 + step + lines.length + 1) % (lines.length + 1)) - 1;
      if (this.at < 0) return this.input.removeAttribute("aria-activedescendant");
      lines[this.at].setAttribute("aria-selected", "true");
      lines[this.at].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", lines[this.at].id);
    }
    key(event) {
      const open = !this.list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (open) this.move(event.key === "ArrowDown" ? 1 : -1);
        else this.ask();
      } else if (event.key === "Enter" && open && this.at >= 0) {
        event.preventDefault();
        this.choose(this.at);
      } else if (event.key === "Enter" && open && this.id) {
        // Who picks a record means the first that is offered, and not to send the form.
        event.preventDefault();
        if (this.options[0].record) this.choose(0);
      } else if (event.key === "Escape" && open) {
        event.preventDefault();
        event.stopPropagation();
        this.close();
      } else if (event.key === "Tab") {
        this.close();
      }
    }
    choose(at) {
      const { value, record, field, text, make } = this.options[at];
      this.close();
      if (make) return this.make(make);
      if (field) {
        this.input.value = this.head + text;
        this.input.focus();
        return;
      }
      if (this.search && record) {
        location.assign(`/records/${encodeURIComponent(record.id)}`);
        return;
      }
      this.input.value = text;
      if (this.id) this.id.value = record.id;
      this.input.dispatchEvent(new Event("change", { bubbles: true }));
      if (this.search && value) {
        // A value of a field is looked for in that field, as a phrase.
        const word = /[\s"]/.test(value.value) ? `"${value.value.replaceAll('"', "")}"` : value.value;
        const said = value.field && /^[\w.-]+$/.test(value.field) ? `${value.field}:${word}` : word;
        this.input.value = this.within ? this.head + said : said;
        this.input.form.requestSubmit();
      }
    }
  }
  // What is not there yet is made by its title, with the token of the form around.
  Combo.prototype.make = async function make(title) {
    const { input } = this;
    const token = input.form && input.form.querySelector("input[name=csrf]");
    const body = new URLSearchParams({ title, csrf: token ? token.value : "" });
    const answer = await fetch(input.dataset.make, { method: "POST", body, headers: { accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok) {
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: input.dataset.makeFailed, tone: "bad" } }));
      return input.focus();
    }
    const made = await answer.json();
    input.value = made.title || title;
    this.id.value = made.id;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const dress = (within) => {
    for (const input of within.querySelectorAll("input[data-suggest]:not([role=combobox])")) new Combo(input);
  };
  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
