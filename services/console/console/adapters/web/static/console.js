// Live update, keyboard, dialogs. The page works without it.
"use strict";

const live = document.getElementById("live");
let paused = false;
let pending = false;
let refreshing = false;

function say(state) {
  live.classList.remove("on", "paused", "off");
  live.classList.add(state);
  live.querySelector(".label").textContent = live.dataset[state];
}

function selected() {
  return document.querySelector("tr.selected");
}

function isHeld() {
  return paused || selected() !== null || document.hidden || document.querySelector("dialog[open]") !== null;
}

function hold() {
  pending = true;
  if (isHeld()) live.dataset.pending = "yes"; // the button shows that something waits behind the pause
}

async function refresh() {
  if (isHeld() || refreshing) { hold(); return; }
  refreshing = true;
  pending = false;
  delete live.dataset.pending;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) return;
    if (isHeld()) { hold(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (fresh === null || fresh.innerHTML === old.innerHTML) continue;
      const known = new Set([...old.querySelectorAll("tr[id]")].map((row) => row.id));
      old.replaceChildren(...fresh.childNodes);
      if (known.size > 0) {
        for (const row of old.querySelectorAll("tr[id]")) if (!known.has(row.id)) row.classList.add("fresh");
      }
    }
  } catch {
    say("off");
  } finally {
    refreshing = false;
  }
  if (pending && !isHeld()) setTimeout(refresh, 400);
}

function resume() {
  say(paused || selected() ? "paused" : "on");
  if (pending) refresh();
}

const stream = new EventSource("/events");
stream.addEventListener("open", resume);
stream.addEventListener("error", () => say("off"));
stream.addEventListener("changed", refresh);
document.addEventListener("visibilitychange", () => { if (!document.hidden) resume(); });
setInterval(() => { if (!isHeld()) refresh(); }, 15000); // ages grow even when nothing happens

live.addEventListener("click", () => { paused = !paused; resume(); });

function select(row) {
  selected()?.classList.remove("selected");
  if (row) {
    row.classList.add("selected");
    row.scrollIntoView({ block: "nearest" });
  }
  resume();
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-rows] tbody tr")];
  if (rows.length === 0) return;
  const at = rows.indexOf(selected());
  select(rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step))]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, select, textarea");
  if (typing) { if (event.key === "Escape") event.target.blur(); return; }
  if (document.querySelector("dialog[open]")) return;
  const keys = {
    "/": () => document.getElementById("search").focus(),
    j: () => move(1),
    k: () => move(-1),
    p: () => live.click(),
    t: () => {
      const timeline = document.getElementById("timeline");
      if (timeline) timeline.scrollIntoView({ block: "start" });
      else if (selected()) open_(selected(), "#timeline");
    },
    "?": () => document.getElementById("help").showModal(),
    Escape: () => select(null),
  };
  if (event.key === "Enter" && selected() && !event.target.closest("a, button")) { open_(selected(), ""); return; }
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

function open_(row, anchor) {
  location.href = row.dataset.href + anchor;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) { document.getElementById(opener.dataset.open).showModal(); return; }
  if (event.target.closest("[data-close]")) { event.target.closest("dialog").close(); return; }
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button") && String(getSelection()) === "") open_(row, "");
});
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", resume);

document.querySelector("[data-reveal]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.dataset.reveal, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ reason: form.reason.value }),
  });
  form.querySelector(".error-text").hidden = answer.ok;
  if (!answer.ok) return;
  const traits = await answer.json();
  const names = [traits.birth_name, traits.given_names || traits.first_given_name].filter(Boolean).join(" ");
  document.getElementById("patient").textContent = [names, traits.birth_date, traits.sex].filter(Boolean).join(" · ");
  paused = true; // an update would hide what was just asked for
  form.closest("dialog").close();
  form.reset();
});
