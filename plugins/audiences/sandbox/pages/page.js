// Follows the sandbox: fetches this same page every two seconds and swaps its main part, unless someone is reading with the mouse.
const PERIOD = 2000;
const live = document.getElementById("live");

function openParts(root) {
  return new Map([...root.querySelectorAll("details[data-key]")].map((part) => [part.dataset.key, part.open]));
}

async function refresh() {
  if (document.hidden || !document.getSelection().isCollapsed) return;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    const next = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
    const now = document.getElementById("main");
    const open = openParts(now);
    for (const part of next.querySelectorAll("details[data-key]")) {
      if (open.has(part.dataset.key)) part.open = open.get(part.dataset.key);
    }
    now.replaceWith(next);
    live.className = "live";
    live.textContent = "live";
  } catch {
    live.className = "live gone";
    live.textContent = "not reachable";
  }
}

setInterval(refresh, PERIOD);
