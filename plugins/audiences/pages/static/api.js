/**
 * Talks to the routes beside these scripts: `<Airflow>/audiences/api/…`. Airflow's session cookie says who asks.
 * Whatever names a person travels in a body, never in an address.
 */

const { useEffect, useState, useCallback } = globalThis.React;

/** Airflow's own address, with the prefix of a proxy: this script is `<it>audiences/assets/<digest>/api.js`. */
export const HOME = new URL("../../../", import.meta.url);

/** What a route refused: `status`, and words for a person in `message`. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(new URL(`audiences/api/${path}`, HOME), { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "Airflow does not answer. Is its API server running, and are you online?");
  }
  if (response.status === 401) {
    const next = encodeURIComponent(globalThis.location.href);
    globalThis.location.assign(new URL(`api/v2/auth/login?next=${next}`, HOME));
    return new Promise(() => {}); // the browser leaves this page
  }
  const said = await response.json().catch(() => ({}));
  if (!response.ok) {
    const words = typeof said.detail === "string" ? said.detail : "";
    throw new Refusal(response.status, words || `Airflow answered ${response.status}; its API server's log says why.`);
  }
  return said;
}

/** Reads; parameters without a value are left out. */
export function get(path, parameters = {}, signal = undefined) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return answer(query ? `${path}?${query}` : path, { signal });
}

/** Asks or acts with a body. */
export function post(path, body) {
  return answer(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * What a route says, for a component: `{found, refused, loading, again}`. While a new answer is on its way the last one stays.
 * `every`: ask again after so many milliseconds, while the page is in view.
 */
export function useAnswer(path, parameters = {}, { every = 0 } = {}) {
  const [state, setState] = useState({ found: null, refused: null, loading: true });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const key = JSON.stringify([path, parameters]);
  useEffect(() => {
    const left = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    get(path, parameters, left.signal).then(
      (found) => setState({ found, refused: null, loading: false }),
      (refused) => left.signal.aborted || setState((before) => ({ ...before, refused, loading: false })),
    );
    return () => left.abort();
  }, [key, turn]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || again(), every);
    return () => clearInterval(timer);
  }, [every, again]);
  return { ...state, again };
}
