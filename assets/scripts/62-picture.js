// A picture that is chosen is cut to a square and made small here, so that one of a phone's camera fits and brings along nothing
// of where it was taken. Where a browser cannot read it, it is sent as it is and the house says what is wrong.
(() => {
  "use strict";
  const SIDE = 320;
  const form = document.querySelector("form[data-picture]");
  const box = form && form.querySelector("input[type=file]");
  if (!box || !window.createImageBitmap || !window.DataTransfer) return;
  const small = async (file) => {
    const image = await createImageBitmap(file);
    const side = Math.min(image.width, image.height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.min(side, SIDE);
    const sheet = canvas.getContext("2d");
    sheet.fillStyle = "#fff";
    sheet.fillRect(0, 0, canvas.width, canvas.height);
    const [x, y] = [(image.width - side) / 2, (image.height - side) / 2];
    sheet.drawImage(image, x, y, side, side, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88));
  };
  form.addEventListener("submit", async (event) => {
    const file = box.files[0];
    if (!file || form.dataset.ready) return;
    event.preventDefault();
    form.dataset.ready = "yes";
    try {
      const picture = await small(file);
      const bag = new DataTransfer();
      if (picture) bag.items.add(new File([picture], "picture.jpg", { type: "image/jpeg" }));
      if (picture) box.files = bag.files;
    } catch {
      // Sent as it is.
    }
    form.submit();
  });
})();
