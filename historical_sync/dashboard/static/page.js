// The theme's button, and the live part of the progress page: server-sent events, with polling where they fail.
(() => {
  "use strict";

  // Theme ---------------------------------------------------------------------------------------------------------
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    document.dispatchEvent(new Event("themechange"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));

  // Live progress -------------------------------------------------------------------------------------------------
  const live = document.getElementById("live");
  if (!live) return;
  const said = document.getElementById("said");
  const POLL_MILLISECONDS = 3000;
  const STREAM_ERRORS_BEFORE_POLLING = 3;
  let errors = 0;
  let polling = 0;
  let source = null;

  // Changes only what differs, so that focus, selection and transitions live on.
  function match(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || "") !== (fresh.id || "")) {
      old.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    matchChildren(old, fresh);
  }

  function matchChildren(old, fresh) {
    const known = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const same = wanted.id && known.get(wanted.id);
      if (same && same !== at) old.insertBefore(same, at);
      if (same) at = same;
      if (!at || (!same && (at.id || wanted.id))) {
        old.insertBefore(wanted.cloneNode(true), at);
        continue;
      }
      const next = at.nextSibling;
      match(at, wanted);
      at = next;
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function show(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const before = document.getElementById("headline")?.textContent;
    matchChildren(live, template.content);
    const headline = document.getElementById("headline")?.textContent;
    if (headline && headline !== before) {
      said.textContent = headline;
      document.title = document.title.replace(before, headline);
    }
  }

  function settle() {
    live.dataset.settled = "";
    source?.close();
    clearTimeout(polling);
    polling = 0;
  }

  async function poll() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        show(page.innerHTML);
        if ("settled" in page.dataset) return settle();
        delete live.dataset.settled;
      }
    } catch { /* the server is away for a moment: the next look tells */ }
    polling = setTimeout(poll, POLL_MILLISECONDS);
  }

  function listen() {
    source = new EventSource(live.dataset.events);
    source.addEventListener("progress", (event) => { errors = 0; show(JSON.parse(event.data)); });
    source.addEventListener("settled", (event) => { show(JSON.parse(event.data)); settle(); });
    source.addEventListener("error", () => {
      errors += 1;
      if (errors >= STREAM_ERRORS_BEFORE_POLLING || source.readyState === EventSource.CLOSED) {
        source.close();
        if (!polling) poll();
      }
    });
  }

  if (!("settled" in live.dataset)) window.EventSource ? listen() : poll();
  // Who comes back to a page that had come to rest sees what happened meanwhile.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && "settled" in live.dataset && !polling) poll();
  });
})();
