// Makes pages better that work without it: a form is sent once, and a page that waits looks again by itself.
"use strict";

(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("button[type=submit]");
    if (button) {
      button.disabled = true;
      button.dataset.idle = button.textContent;
      button.textContent = button.dataset.busy || button.textContent;
    }
  });

  // A visitor who goes back in the browser finds the form as it was before it was sent.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      const button = form.querySelector("button[type=submit]");
      if (button) {
        button.disabled = false;
        button.textContent = button.dataset.idle || button.textContent;
      }
    }
  });

  // The way on needs no click. A script that runs before the page has loaded replaces it in the history, so that
  // "back" leads to the page before.
  const handover = document.querySelector("form[data-handover]");
  if (handover) handover.requestSubmit();

  const errors = document.querySelector(".errors");
  if (errors) errors.focus();

  const waiting = document.querySelector("[data-waiting]");
  if (!waiting) return;

  const LONGEST_PAUSE = 15_000;
  const LAST_LOOK = Date.now() + 15 * 60_000;
  const unchanged = `data-waiting="${waiting.dataset.waiting}"`;
  let pause = 3_000;

  const stop = () => {
    waiting.textContent = waiting.dataset.stopped;
  };

  const look = async () => {
    if (Date.now() > LAST_LOOK) return stop();
    if (document.visibilityState === "visible") {
      try {
        const page = await fetch(location.pathname, { cache: "no-store", redirect: "manual" });
        // The session has ended. Only the visitor can sign in again.
        if (page.status === 403 || page.type === "opaqueredirect") return stop();
        if (page.ok && !(await page.text()).includes(unchanged)) return location.reload();
      } catch {
        // The network failed. The next look may succeed.
      }
      pause = Math.min(pause * 1.3, LONGEST_PAUSE);
    }
    setTimeout(look, pause);
  };

  waiting.textContent = waiting.dataset.watching;
  setTimeout(look, pause);
})();
