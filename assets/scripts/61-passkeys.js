// Passkeys: asks the house what is to be signed, the browser for a passkey, and sends the form with what it says.
(() => {
  "use strict";
  const forms = document.querySelectorAll("form[data-passkey]");
  if (!forms.length || !window.PublicKeyCredential) return;
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer || []), (b) => b.toString(16).padStart(2, "0")).join("");
  const plain = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const known = (asked) => asked.allowed.map((id) => ({ type: "public-key", id: bytes(id) }));
  const ask = async (form) => {
    const body = new URLSearchParams();
    for (const name of ["csrf", "password"]) if (form.elements[name]) body.set(name, form.elements[name].value);
    const answer = await fetch(form.dataset.ask, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.errors && told.errors.length ? told.errors[0].message : told.detail);
    return told;
  };
  const make = async (asked) => {
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: plain(asked.challenge),
        rp: { id: asked.host, name: asked.host },
        user: { id: bytes(asked.user.id), name: asked.user.login, displayName: asked.user.name },
        pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
        excludeCredentials: known(asked),
        authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: asked.verify },
        attestation: "none",
        timeout: asked.wait,
      },
    });
    return { client_data: hex(made.response.clientDataJSON), attestation: hex(made.response.attestationObject) };
  };
  const show = async (asked) => {
    const shown = await navigator.credentials.get({
      publicKey: {
        challenge: plain(asked.challenge),
        rpId: asked.host,
        allowCredentials: known(asked),
        userVerification: asked.verify,
        timeout: asked.wait,
      },
    });
    const said = shown.response;
    return {
      credential: hex(shown.rawId),
      client_data: hex(said.clientDataJSON),
      authenticator_data: hex(said.authenticatorData),
      signature: hex(said.signature),
      user: hex(said.userHandle),
    };
  };
  const words = (form, error) => {
    if (error.name === "InvalidStateError") return form.dataset.there || form.dataset.stopped;
    return error instanceof DOMException ? form.dataset.stopped : error.message;
  };
  for (const none of document.querySelectorAll("[data-passkey-none]")) none.hidden = true;
  for (const form of forms) {
    const said = form.querySelector("[data-said]");
    const button = form.querySelector("button[type=submit]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.hidden = button.disabled = true;
      try {
        const fields = await (form.dataset.passkey === "make" ? make : show)(await ask(form));
        for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
        form.submit();
      } catch (error) {
        said.textContent = words(form, error);
        said.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
