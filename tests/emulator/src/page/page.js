// Keeps the page up to date. Without JavaScript, the page works but must be reloaded.
"use strict";

const calls = document.getElementById("calls");
const list = document.getElementById("subscriptions");
const now = document.getElementById("now");
let last = Number(calls.dataset.last);
let shown = null;
let round = 0;

async function poll() {
  try {
    const answer = await fetch("/feed?after=" + last);
    const news = await answer.json();
    now.textContent = news.now;
    last = news.last;
    if (news.calls) {
      calls.insertAdjacentHTML("afterbegin", news.calls);
      while (calls.children.length > 200) calls.lastElementChild.remove();
    }
    // Not while a form in the list has the focus: the user may be typing.
    const busy = list.contains(document.activeElement) && document.activeElement !== document.body;
    const changed = shown !== null && news.subscriptions !== shown;
    if (changed && !busy) list.innerHTML = news.subscriptions;
    if (!busy || shown === null) shown = news.subscriptions;
    if (changed || news.calls || round % 5 === 0) compare();
    round += 1;
  } catch {
    now.textContent = "the emulator does not answer";
  }
  setTimeout(poll, 1000);
}

// Fetches the publisher's record of every subscription on the page.
function compare() {
  for (const output of document.querySelectorAll("[data-publisher]")) {
    fetch("/publisher/" + output.dataset.publisher)
      .then((answer) => answer.json())
      .then((record) => show(output, record))
      .catch(() => {});
  }
}

function show(output, record) {
  const parts = record.said
    ? [record.said]
    : [
        record.status,
        record.plan,
        record.seats && record.seats + " seats",
        record.version && "version " + record.version,
      ];
  output.textContent = parts.filter(Boolean).join(" · ");
  const same =
    record.status === output.dataset.status &&
    record.plan === output.dataset.plan &&
    String(record.seats ?? "") === (output.dataset.seats ?? "");
  output.className = record.said ? "unknown" : same ? "same" : "different";
}

poll();
