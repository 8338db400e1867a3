/** Numbers and times as people write them, in the language of the browser and the time zone chosen in Airflow. */

const number = new Intl.NumberFormat();

/** `12,345`; a dash for what is not known. */
export const count = (value) => (value === null || value === undefined ? "–" : number.format(value));

/** `+1,204`, `−310`, `0`. */
export function change(value) {
  if (!value) return "0";
  return `${value > 0 ? "+" : "−"}${number.format(Math.abs(value))}`;
}

/** `12.3 %` of a fraction. */
export const percent = (value, digits = 1) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`;

/** `1 user`, `2 users`. */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** The zone chosen in Airflow's own menu, where it keeps it. */
function zone() {
  try {
    return JSON.parse(globalThis.localStorage.getItem("timezone")) || undefined;
  } catch {
    return globalThis.localStorage.getItem("timezone") || undefined;
  }
}

function inZone(options) {
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone() });
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
}

/** `29 Nov 2026, 14:05`. */
export const moment = (iso) =>
  iso ? inZone({ dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(iso)) : "–";

const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** `29 Nov`, of a date without a time, which is the same day in every zone. */
export const day = (date) => (date ? DATE.format(new Date(date)) : "–");

const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `5 minutes ago`, `in 2 days`. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "–";
  const seconds = (new Date(iso).getTime() - now) / 1_000;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/** `850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(1_000 * seconds)} ms`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const [whole, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  if (whole < 60) return rest ? `${whole} min ${rest} s` : `${whole} min`;
  const minutes = whole % 60;
  return minutes ? `${Math.floor(whole / 60)} h ${minutes} min` : `${Math.floor(whole / 60)} h`;
}
