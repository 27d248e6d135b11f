// The page sends its forms in the background and puts the answer in its place.
"use strict";

const meta = (name) => document.querySelector(`meta[name=${name}]`).content;
const $ = (id) => document.getElementById(id);
let timer = 0; // of the phone's next step

// send posts a form and shows what comes back in the element into.
async function send(action, body, into) {
  const place = $(into);
  if (place.getAttribute("aria-busy") === "true") return;
  if (into === "phone") {
    clearTimeout(timer);
    body.set("turn", place.querySelector(".screen").dataset.turn); // what the user saw
  }
  place.setAttribute("aria-busy", "true");
  shown.delete(into);
  let text = "";
  try {
    const answer = await fetch(action, { method: "POST", body, headers: { "X-Wallet-Token": meta("token") } });
    text = await answer.text();
    if (!answer.ok) throw new Error(text);
    show(place, text, true);
  } catch {
    say(place, "This did not reach the wallet. Please try again, or load the page again.");
  } finally {
    place.setAttribute("aria-busy", "false");
  }
}

// say puts a notice above what is shown.
function say(place, text) {
  const p = document.createElement("p");
  p.className = "notice";
  p.setAttribute("role", "alert");
  p.textContent = text;
  place.querySelector(".notice")?.remove();
  place.firstElementChild?.prepend(p);
}

// show replaces what is in place, and keeps the focus where it makes sense.
function show(place, html, asked) {
  const before = place.querySelector(".screen")?.dataset.screen;
  const focused = place.contains(document.activeElement) ? place.ownerDocument.activeElement : null;
  const key = focused && (focused.id || focused.getAttribute("aria-label"));
  const form = focused?.form?.getAttribute("action");
  const opened = place.querySelector(".screen")?.scrollTop ?? 0;
  const notice = asked ? null : place.querySelector(".notice");
  place.innerHTML = html;
  if (notice && !place.querySelector(".notice")) place.prepend(notice); // until the next action
  const screen = place.querySelector(".screen");
  if (screen && screen.dataset.screen === before) screen.scrollTop = opened;
  if (place.id === "phone") later(place);
  if (!asked && !focused) return;
  if (screen && screen.dataset.screen !== before) {
    (place.querySelector("[data-focus]") ?? place.querySelector("h2, h3"))?.focus({ preventScroll: matchMedia("(min-width: 900px)").matches });
    return;
  }
  const again = [...place.querySelectorAll("button, input, select")].find((e) => key && (e.id === key || e.getAttribute("aria-label") === key)) ??
    place.querySelector("[data-focus]") ?? (form && place.querySelector(`form[action="${form}"] button`)) ?? $(place.id + "-title");
  again?.focus({ preventScroll: true });
}

// later does what the phone does by itself: ask again, or leave the result page.
function later(place) {
  clearTimeout(timer);
  const next = place.querySelector("[data-then]");
  if (next) timer = setTimeout(() => send("/phone/" + next.dataset.then, new URLSearchParams({ alone: "yes" }), "phone"), Number(next.dataset.after));
}

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (!form.dataset.into) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.set(button.name, button.value);
  send(button?.getAttribute("formaction") ?? form.getAttribute("action"), body, form.dataset.into);
});

document.addEventListener("change", (event) => {
  if ("submit" in event.target.dataset) event.target.form.requestSubmit();
});

// look fetches a part of the page anew, but never under somebody's hands.
async function look(id) {
  const place = $(id);
  try {
    const answer = held(place) || !met ? null : await fetch(place.dataset.from);
    if (!met) return; // the next hello looks at everything
    if (id === "books" && answer && !answer.ok) unsure(await answer.text());
    const text = answer?.ok ? await answer.text() : null;
    if (text !== null && !held(place)) {
      again.delete(id);
      if (text !== shown.get(id)) show(place, text, false);
      shown.set(id, text);
      return;
    }
  } catch { /* the stream below says when the wallet is back */ }
  again.add(id);
}

// unsure says in the line of the books that nobody knows.
function unsure(why) {
  shown.delete("books");
  const p = document.createElement("p"), b = document.createElement("b");
  p.className = "bad";
  b.textContent = "The books cannot be read";
  p.append(b, why);
  $("books").replaceChildren(p);
}

const again = new Set(); // parts to look at when the hands are away
const shown = new Map(); // what look showed last
let pressed = false;
const held = (place) => pressed || place.getAttribute("aria-busy") === "true" || (place.id !== "books" && place.contains(document.activeElement));
const free = () => setTimeout(() => { pressed = false; [...again].forEach(look); });
document.addEventListener("pointerdown", () => { pressed = true; });
for (const end of ["pointerup", "pointercancel", "focusout"]) document.addEventListener(end, free);

let looking = 0;
function lookSoon() {
  looking ||= setTimeout(() => { looking = 0; ["books", "operators"].forEach(look); }, 150);
}

let met = false; // the wallet that made this page is there
const stream = new EventSource("/events");
stream.addEventListener("hello", (event) => {
  met = event.data === meta("start");
  if (met) {
    ["books", "faults", "operators"].forEach(look);
    return;
  }
  stream.close(); // nothing of another wallet belongs into this page
  location.reload();
});
stream.addEventListener("error", () => {
  met = false;
  unsure("The wallet does not answer. This page tries again.");
});
stream.addEventListener("message", (event) => {
  const list = $("messages");
  const top = list.scrollTop;
  if (document.getElementById("m" + event.lastEventId)) return;
  list.insertAdjacentHTML("afterbegin", event.data);
  if (top > 0) list.scrollTop = top + list.firstElementChild.offsetHeight;
  while (list.children.length > 200) list.lastElementChild.remove();
  lookSoon();
});
stream.addEventListener("look", (event) => {
  lookSoon();
  if (event.data === "faults") look("faults");
});
setInterval(() => look("operators"), 5000); // times go by

later($("phone"));
