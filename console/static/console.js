// Everything that keys and this script do can be done without them. The help, `?`, lists the keys: keys.go.
const sections = {
  o: "overview", c: "conversions", p: "received", k: "clicks", m: "campaigns", f: "s2s", r: "reports", u: "url",
  e: "endpoints", x: "operations",
};
const { copy, copied } = document.body.dataset;
const help = document.querySelector("#help");
let going = false;

// The rows that j and k go through are those of the page's tables. Where one is, its first link has the focus.
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a, summary"));

function move(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement?.closest("tr"));
  const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  row?.querySelector("a, summary").focus();
  row?.scrollIntoView({ block: "nearest" });
}

// copyLink copies the link of the row where one is, otherwise that of the page, and says so.
async function copyLink() {
  const link = document.activeElement?.closest("tbody tr")?.querySelector("a[href]");
  await navigator.clipboard.writeText(link ? link.href : location.href);
  const told = document.querySelector("#told");
  told.textContent = copied;
  setTimeout(() => { told.textContent = ""; }, 2000);
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  y: copyLink,
  "/": () => document.querySelector("main .filters input:not([type=hidden])")?.focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Escape" && field) {
    field.blur();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || field || help.open) {
    return;
  }
  if (going && sections[event.key]) {
    document.querySelector(`a[data-section="${sections[event.key]}"]`)?.click();
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
  going = event.key === "g";
});

const opener = document.querySelector("#keys");
opener.classList.add("ready");
opener.addEventListener("click", () => help.showModal());

// A zone that is chosen counts at once, and so does a row that is left out of the sum.
document.querySelector(".settings select")?.addEventListener("change", (event) => event.target.form.submit());
for (const tick of document.querySelectorAll("input[name=out]")) {
  tick.addEventListener("change", () => tick.form.submit());
}

// What is to be pasted elsewhere gets a button that copies it.
for (const figure of document.querySelectorAll("figure.copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(figure.querySelector("code").textContent);
    button.textContent = copied;
    setTimeout(() => { button.textContent = copy; }, 2000);
  });
  figure.append(button);
}

// A chart is downloaded as PNG too: its SVG is drawn on a canvas.
async function png(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * picture.naturalWidth;
  canvas.height = 2 * picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await new Promise((done) => { canvas.toBlob(done, "image/png"); }));
  link.download = "chart.png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
for (const link of document.querySelectorAll("a[data-png]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = link.dataset.png;
  button.addEventListener("click", () => png(link.href));
  link.after(" ", button);
}

// A list that is watched gets its rows while they are committed. The server draws them, at most 50 in a second, and
// says how many others there were.
const live = document.querySelector("tbody[data-live]");
if (live) {
  const more = document.querySelector("#more");
  const source = new EventSource(live.dataset.live);
  source.addEventListener("row", (event) => {
    const row = document.createElement("template");
    row.innerHTML = event.data;
    live.prepend(row.content);
    while (live.rows.length > 300) {
      live.rows[live.rows.length - 1].remove();
    }
  });
  source.addEventListener("more", (event) => { more.textContent = event.data; });
}
